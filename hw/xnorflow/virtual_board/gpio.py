"""The processor's own pins over gRPC: pynq's service ``gpio.Gpio``. Nothing is connected to them."""

from __future__ import annotations

import threading
from typing import Any

from xnorflow.virtual_board.limits import Code, RefusedError, shown

__all__ = ["GpioService"]

PINS = {"aarch64": (338, 174), "armv7l": (906, 118)}
"""By architecture: number of the first pin in Linux, and how many there are."""


class GpioService:
    """The methods of the service. An output keeps what was written; an input is 0.

    Args:
        arch: ``aarch64`` or ``armv7l``.
    """

    def __init__(self, arch: str) -> None:
        self._first, self._count = PINS[arch]
        self._outputs: dict[int, int | None] = {}  # exported pins: value, None for an input
        self._lock = threading.Lock()

    def get_gpio(self, peer: str, request: Any) -> dict[str, Any]:
        """Export a pin; its id is its number."""
        pin, direction = request.index, request.direction
        if not self._first <= pin < self._first + self._count:
            raise RefusedError(
                Code.OUT_OF_RANGE, f"GPIO {pin}", "no such pin", f"{self._first} to {self._first + self._count - 1}"
            )
        if direction not in ("in", "out"):
            raise RefusedError(Code.INVALID_ARGUMENT, f"GPIO {pin}, direction", shown(direction), "in or out")
        with self._lock:
            self._outputs[pin] = 0 if direction == "out" else None
        return {"gpio_id": str(pin)}

    def read(self, peer: str, request: Any) -> dict[str, Any]:
        """Return what a pin holds."""
        with self._lock:
            return {"value": self._outputs[self._pin(request.gpio_id)] or 0}

    def write(self, peer: str, request: Any) -> dict[str, Any]:
        """Set an output."""
        with self._lock:
            pin = self._pin(request.gpio_id)
            if self._outputs[pin] is None:
                raise RefusedError(Code.FAILED_PRECONDITION, f"GPIO {pin}", "an input", "an output", "export it as one")
            if request.value not in (0, 1):
                raise RefusedError(Code.INVALID_ARGUMENT, f"GPIO {pin}", f"value {request.value}", "0 or 1")
            self._outputs[pin] = request.value
        return {}

    def unexport(self, peer: str, request: Any) -> dict[str, Any]:
        """Give a pin back."""
        with self._lock:
            del self._outputs[self._pin(request.gpio_id)]
        return {}

    def is_exported(self, peer: str, request: Any) -> dict[str, Any]:
        """Return whether a pin is exported."""
        with self._lock:
            return {"is_exported": request.gpio_id in map(str, self._outputs)}

    def get_gpio_base_path(self, peer: str, request: Any) -> dict[str, Any]:
        """Return the folder of the pins' controller; empty for a controller that is not there."""
        return {"base_path": "" if request.target_label else f"/sys/class/gpio/gpiochip{self._first}/"}

    def get_gpio_npins(self, peer: str, request: Any) -> dict[str, Any]:
        """Return how many pins there are."""
        return {"npins": 0 if request.target_label else self._count}

    def _pin(self, gpio_id: str) -> int:
        for pin in self._outputs:
            if str(pin) == gpio_id:
                return pin
        raise RefusedError(
            Code.NOT_FOUND, f"GPIO {shown(gpio_id)}", "not exported", "an id from get_gpio, not given back"
        )
