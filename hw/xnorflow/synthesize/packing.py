"""Physical LUT sites of a netlist, estimated: yosys counts cells, of which two may share a site.

The rules, which ``docs/packing.md`` gives reasons for:

1. Two LUT functions that together have at most five distinct inputs share one site (LUT6_2). Inverters count as LUT1.
   A LUT6, and a LUT6_2 that the source instantiates, has a site to itself. LUTs that serve as memory or shift register
   take as many sites as in :mod:`xnorflow.synthesize.cells`.
2. A position of a carry chain is used if its sum or carry is read, or a later used position needs the carry to pass.
   The S input of a used position comes from output O6 of the LUT in the same site and from nowhere else. The LUT cell
   that drives it has that site. Where none does, because S is a constant, comes from a flip-flop or elsewhere, or from
   a LUT that has its site at another position, the position blocks a site for a pass-through: a slot.
3. O6 is there once a site: no two of the functions that drive an S input or a MUXF7 share a site.
4. Sum, carry and O5 leave a site by one multiplexer. So where sum or carry are read by other than one flip-flop, the
   only function that joins the one that drives S is that of the same position's DI, if nothing else reads it.

Pairs are made greedily, so a better packer may find more; placement may allow fewer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from xnorflow.synthesize.cells import FLIP_FLOPS, usage_of
from xnorflow.synthesize.netlist import Bit, Cell, Netlist
from xnorflow.synthesize.pairing import SHARED_INPUTS, Function, pair_functions

__all__ = ["Packing", "estimate_packing", "sum_packings"]

_FUNCTIONS = ("INV", *(f"LUT{inputs}" for inputs in range(1, 7)))
_CARRIES = ("CARRY4", "CARRY8")


@dataclass(frozen=True)
class Packing:
    """A netlist with its LUTs packed, by estimate.

    Args:
        cells: LUTs as yosys counts them, memories included: ``Usage.LUT``.
        packed: sites that they take.
        slots: further sites that carry chains block.
        unrelated: of the shared sites, those of two functions without an input in common.
        idle: positions behind the end of carry chains; LUTs can be there, so they are not charged.
        FF: flip-flops and latches.
        CARRY: carry-chain cells.
        MUXF: wide multiplexers.
        BRAM36: block RAMs of 36 Kbit.
        LUTRAM: of ``cells`` and ``packed``, those that serve as memory or shift register.
        DSP: DSP slices.
    """

    cells: int = 0
    packed: int = 0
    slots: int = 0
    unrelated: int = 0
    idle: int = 0
    FF: int = 0
    CARRY: int = 0
    MUXF: int = 0
    BRAM36: float = 0.0
    LUTRAM: int = 0
    DSP: int = 0

    @property
    def total(self) -> int:
        """LUT sites: packed and blocked."""
        return self.packed + self.slots

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Packing:
        """Read what :meth:`to_json` returned.

        Raises:
            KeyError: a field is missing.
        """
        return cls(**{field.name: content[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class _Position:
    """A used position of a carry chain: the nets of its S and DI input, and whether O5 may leave beside it."""

    select: Bit
    data: Bit
    open: bool


def sum_packings(parts: Iterable[Packing]) -> Packing:
    """Add up."""
    total: dict[str, Any] = Packing().to_json()
    for part in parts:
        for key, value in part.to_json().items():
            total[key] += value
    return Packing(**total)


def estimate_packing(netlist: Netlist) -> Packing:
    """Estimate the LUT sites of a mapped netlist by the rules above. Equal netlists give equal estimates."""
    usage = usage_of(netlist.kinds)
    reads = _Reads(netlist)
    positions, idle = _positions(netlist, reads)
    luts = _Luts(netlist)
    slots, closed = luts.place(positions)
    together = luts.pair_with_data(reads)
    related, unrelated = luts.pair(closed)
    return Packing(
        cells=usage.LUT, packed=usage.LUT - together - related - unrelated, slots=slots, unrelated=unrelated, idle=idle,
        FF=usage.FF, CARRY=usage.CARRY, MUXF=usage.MUXF, BRAM36=usage.BRAM36, LUTRAM=usage.LUTRAM, DSP=usage.DSP,
    )  # fmt: skip


class _Reads:
    """How often each net is read: by anything, by a flip-flop's data input, by the carry input of a carry cell."""

    def __init__(self, netlist: Netlist) -> None:
        self.all: Counter[Bit] = Counter(netlist.leaving)
        self.registers: Counter[Bit] = Counter()
        self.chains: Counter[Bit] = Counter()
        for cell in netlist.cells:
            for bits in cell.inputs.values():
                self.all.update(bits)
            if cell.kind in FLIP_FLOPS:
                self.registers.update(cell.inputs.get("D", ()))
            elif cell.kind in _CARRIES:
                self.chains.update(cell.inputs.get("CI", ()))

    def leave_by_multiplexer(self, total: Bit, carry: Bit, last: bool) -> bool:
        """Whether sum or carry of a position go anywhere but to one flip-flop beside it or up the chain."""
        counts = self.all[total] + self.all[carry] - (self.chains[carry] if last else 0)
        return counts > 1 or counts > self.registers[total] + self.registers[carry]


def _positions(netlist: Netlist, reads: _Reads) -> tuple[list[_Position], int]:
    """Return the used positions in the order of the file, and how many are not used."""
    carries = [cell for cell in netlist.cells if cell.kind in _CARRIES]
    lengths = _used_lengths(carries, reads)
    found, idle = [], 0
    for cell, length in zip(carries, lengths, strict=True):
        width = len(cell.outputs["CO"])
        idle += width - length
        for place in range(length):
            total, carry = cell.outputs["O"][place], cell.outputs["CO"][place]
            leaving = reads.leave_by_multiplexer(total, carry, place == width - 1)
            found.append(_Position(cell.inputs["S"][place], cell.inputs["DI"][place], not leaving))
    return found, idle


def _used_lengths(carries: list[Cell], reads: _Reads) -> list[int]:
    """Return for each carry cell how many positions from the first on are used: all, where a later cell needs it."""
    below = {cell.outputs["CO"][-1]: place for place, cell in enumerate(carries)}
    lengths = [0] * len(carries)
    for place, cell in enumerate(carries):
        lengths[place] = max(lengths[place], _read_length(cell, reads))
        lower = below.get(cell.inputs["CI"][0]) if lengths[place] else None
        while lower is not None and lengths[lower] < len(carries[lower].outputs["CO"]):
            lengths[lower] = len(carries[lower].outputs["CO"])
            lower = below.get(carries[lower].inputs["CI"][0])
    return lengths


def _read_length(cell: Cell, reads: _Reads) -> int:
    """Return the last position, counted from 1, whose outputs are read by other than the next carry cell."""
    totals, carries = cell.outputs["O"], cell.outputs["CO"]
    through = reads.chains[carries[-1]]
    outside = [reads.all[total] + reads.all[carry] for total, carry in zip(totals, carries, strict=True)]
    outside[-1] -= through
    return max((place + 1 for place, count in enumerate(outside) if count > 0), default=0)


class _Luts:
    """The LUT functions of a netlist and what is known of where they are."""

    def __init__(self, netlist: Netlist) -> None:
        self._inputs: list[tuple[int, ...]] = []
        self._by_o6: dict[Bit, int] = {}  # a net driven by an output O6, by the place of its function
        self._alone: set[int] = set()
        for place, cell in enumerate(cell for cell in netlist.cells if cell.kind in (*_FUNCTIONS, "LUT6_2")):
            nets = {bit for bits in cell.inputs.values() for bit in bits if isinstance(bit, int)}
            self._inputs.append(tuple(sorted(nets)))
            self._by_o6.update((bit, place) for bit in cell.outputs.get("O6", cell.outputs.get("O", ())))
            if cell.kind in ("LUT6", "LUT6_2"):
                self._alone.add(place)
        self._needs_o6 = {self._by_o6[bit] for bit in _into_multiplexers(netlist) if bit in self._by_o6}
        self._at: dict[int, _Position] = {}

    def place(self, positions: Iterable[_Position]) -> tuple[int, set[int]]:
        """Put the drivers of S inputs to their positions.

        Returns:
            The positions that no function has, and the functions beside which there is no way out.
        """
        slots, closed = 0, set()
        for position in positions:
            place = self._by_o6.get(position.select)
            if place is None or place in self._at:
                slots += 1
                continue
            self._at[place] = position
            if not position.open:
                closed.add(place)
        self._needs_o6 |= self._at.keys()
        return slots, closed

    def pair_with_data(self, reads: _Reads) -> int:
        """Let the functions of S and DI of a position share its site where they can; return the number of pairs."""
        pairs = 0
        for place, position in self._at.items():
            other = self._by_o6.get(position.data)
            if other is None or place in self._alone or other in self._alone or other in self._needs_o6:
                continue
            fits = len({*self._inputs[place], *self._inputs[other]}) <= SHARED_INPUTS
            if fits and (position.open or reads.all[position.data] == 1):
                self._alone |= {place, other}
                pairs += 1
        return pairs

    def pair(self, closed: set[int]) -> tuple[int, int]:
        """Pair all others; return the number of pairs with and without inputs in common."""
        free = [place for place in range(len(self._inputs)) if place not in self._alone and place not in closed]
        functions = [Function(self._inputs[place], place in self._needs_o6) for place in free]
        related, unrelated = pair_functions(functions)
        return len(related), len(unrelated)


def _into_multiplexers(netlist: Netlist) -> Iterator[Bit]:
    for cell in netlist.cells:
        if cell.kind == "MUXF7":
            yield from (*cell.inputs["I0"], *cell.inputs["I1"])
