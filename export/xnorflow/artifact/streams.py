"""Integers to AXI-Stream beats and back: the one place that knows FINN's packing order.

Element ``e`` of a frame travels in beat ``e // per_beat``, at bits ``(e % per_beat) * bits`` and up: first element in
the least significant bits, TDATA padded with zeros to whole bytes. BIPOLAR -1/+1 travels as 0/1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # the numpy of older boards has no numpy.typing
    import numpy.typing as npt

__all__ = ["StreamSpec", "pack", "unpack"]


@dataclass(frozen=True)
class StreamSpec:
    """Shape of one AXI-Stream port.

    Args:
        name: AXI prefix of the port, e.g. ``in0_V`` for ``in0_V_TDATA``.
        datatype: QONNX datatype of an element: BIPOLAR, BINARY, ``UINT<n>`` or ``INT<n>``.
        bits: bits of one element on the wire.
        elements: elements of one frame.
        per_beat: elements of one beat; divides ``elements``.
    """

    name: str
    datatype: str
    bits: int
    elements: int
    per_beat: int

    @property
    def beats(self) -> int:
        """Beats of one frame."""
        return self.elements // self.per_beat

    @property
    def tdata_bits(self) -> int:
        """Width of TDATA, a multiple of 8."""
        return -(-self.per_beat * self.bits // 8) * 8

    @property
    def tdata_bytes(self) -> int:
        """Bytes of one beat."""
        return self.tdata_bits // 8

    @property
    def signed(self) -> bool:
        """Whether elements are two's complement."""
        return self.datatype.startswith("INT")

    def to_json(self) -> dict[str, Any]:
        """Return the fields, and the widths that follow from them."""
        return {**asdict(self), "beats": self.beats, "tdata_bits": self.tdata_bits}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> StreamSpec:
        """Inverse of :meth:`to_json`."""
        return cls(**{key: content[key] for key in ("name", "datatype", "bits", "elements", "per_beat")})


def pack(values: npt.NDArray[np.integer[Any]], spec: StreamSpec) -> npt.NDArray[np.uint8]:
    """Pack frames into beats.

    Args:
        values: integers (frames, elements), in the range of ``spec.datatype``.
        spec: the port.

    Returns:
        uint8 (frames * beats, tdata_bytes), little-endian.
    """
    frames = values.shape[0]
    codes = values.astype(np.int64)
    if spec.datatype == "BIPOLAR":
        codes = (codes + 1) >> 1
    if spec.bits == 8 and spec.per_beat * spec.bits == spec.tdata_bits:
        return np.ascontiguousarray((codes & 0xFF).astype(np.uint8).reshape(frames * spec.beats, spec.tdata_bytes))
    planes = ((codes[..., None] >> np.arange(spec.bits)) & 1).astype(np.uint8)
    beats = planes.reshape(frames * spec.beats, spec.per_beat * spec.bits)
    padded = np.zeros((beats.shape[0], spec.tdata_bits), np.uint8)
    padded[:, : beats.shape[1]] = beats
    return np.packbits(padded, axis=1, bitorder="little")


def unpack(beats: npt.NDArray[np.uint8], spec: StreamSpec) -> npt.NDArray[np.int64]:
    """Unpack beats into frames: the inverse of :func:`pack`.

    Args:
        beats: uint8 (frames * beats, tdata_bytes).
        spec: the port.

    Returns:
        int64 (frames, elements).
    """
    planes = np.unpackbits(beats, axis=1, bitorder="little")[:, : spec.per_beat * spec.bits]
    planes = planes.reshape(-1, spec.elements, spec.bits).astype(np.int64)
    codes: npt.NDArray[np.int64] = (planes << np.arange(spec.bits)).sum(axis=-1)
    if spec.datatype == "BIPOLAR":
        return 2 * codes - 1
    if spec.signed:
        return codes - ((codes >> (spec.bits - 1)) << spec.bits)
    return codes
