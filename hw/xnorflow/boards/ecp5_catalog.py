"""ECP5 boards that bitstreams are made for: chip, oscillator and the few pins in use, from one TOML file a board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from xnorflow.boards.lookup import find_board, read_files

__all__ = ["Ecp5Board", "Pin", "ecp5_board_names", "load_ecp5_board"]


@dataclass(frozen=True)
class Pin:
    """A pin of a board.

    Args:
        site: ball of the package, e.g. ``G2``.
        io_type: electrical standard, that of its bank.
        pull: ``UP``, ``DOWN`` or ``NONE``.
        active_low: whether 0 means pressed, or lights the LED.
    """

    site: str
    io_type: str = "LVCMOS33"
    pull: str = "NONE"
    active_low: bool = False


@dataclass(frozen=True)
class Ecp5Board:
    """A board with an ECP5.

    Args:
        name: e.g. ``ulx3s-85f``.
        device: e.g. ``LFE5U-85F``.
        package: as nextpnr knows it, e.g. ``CABGA381``.
        speed: speed grade, 6 to 8.
        clock_mhz: frequency of the oscillator.
        pins: ``clock``, ``rx`` and ``tx`` (as the FPGA sees them), and where the board has them ``led``, ``reset`` and
            ``high``, an output that has to be 1.
    """

    name: str
    device: str
    package: str
    speed: int
    clock_mhz: float
    pins: Mapping[str, Pin]

    @property
    def part(self) -> str:
        """Device and speed grade in words."""
        return f"{self.device}, speed grade {self.speed}"

    @property
    def nextpnr_option(self) -> str:
        """The option by which nextpnr-ecp5 knows the device: ``--85k``, ``--um5g-85k``."""
        series, size = self.device.lower().removeprefix("lfe5").removesuffix("f").split("-")
        return f"--{size}k" if series == "u" else f"--{series}-{size}k"


@cache
def _catalog() -> dict[str, Ecp5Board]:
    boards = {}
    for content in read_files(files(__package__) / "ecp5"):
        pins = {name: Pin(**pin) for name, pin in content.pop("pins").items()}
        boards[content["name"]] = Ecp5Board(**content, pins=pins)
    return boards


def ecp5_board_names() -> tuple[str, ...]:
    """Return the names of all ECP5 boards, sorted."""
    return tuple(_catalog())


def load_ecp5_board(name: str) -> Ecp5Board:
    """Return the board called ``name``; upper and lower case are the same.

    Raises:
        ConfigError: there is no such board; the message names the nearest one and all of them.
    """
    return find_board("ECP5 board", name, _catalog())
