"""Address maps of a block design: what is mapped where, whether a master reaches it, and what is left out."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amd_ip import HUBS, name_of
from tcl_host import CheckFailed, options_of

if TYPE_CHECKING:
    from block_design import BlockDesign

_SUFFIXES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SMALLEST = 4096
_MEMORY_MAPPED = ("axilite", "aximm")


def _number(text: str) -> int:
    return int(text[:-1]) * _SUFFIXES[text[-1]] if text[-1] in _SUFFIXES else int(text, 0)


@dataclass(frozen=True)
class Mapped:
    """A segment at its place."""

    segment: str
    offset: int
    size: int


class Addresses:
    """Commands on address spaces and segments.

    Args:
        design: whose cells have them.
    """

    def __init__(self, design: BlockDesign) -> None:
        self.design = design
        self.maps: dict[str, list[Mapped]] = {}
        self.excluded: list[tuple[str, str]] = []
        self.automatic = False

    def _spaces(self) -> dict[str, list[str]]:
        """Return the address spaces, each with the interfaces that it goes out through."""
        found: dict[str, list[str]] = {}
        for name, cell in self.design.cells.items():
            masters = [
                port for port, kind in (cell.interfaces or {}).items() if kind["master"] and kind["kind"] != "axis"
            ]
            if cell.windows:
                found[f"{name}/Data"] = [f"{name}/{port}" for port in masters]
            elif name_of(cell.kind) not in HUBS:
                found |= {f"{name}/{port}": [f"{name}/{port}"] for port in masters}
        return found

    def _segments(self) -> dict[str, tuple[str, int | None]]:
        """Return the segments: the interface that each is behind, and its bytes where that is known."""
        found: dict[str, tuple[str, int | None]] = {}
        for name, cell in self.design.cells.items():
            found |= {f"{name}/{segment}": (f"{name}/{port}", size) for segment, (port, size) in cell.segments.items()}
            for port, kind in (cell.interfaces or {}).items():
                if kind["kind"] in _MEMORY_MAPPED and not kind["master"]:
                    block = "reg0" if cell.from_source else "Reg"
                    found[f"{name}/{port}/{block}"] = (f"{name}/{port}", None)
        return found

    def _has_processor(self) -> bool:
        """Whether there is one: else the design is an IP, whose addresses are mapped where it is used."""
        return any(cell.windows for cell in self.design.cells.values())

    def get_spaces(self, name: str) -> str:
        """get_bd_addr_spaces."""
        if name not in self._spaces():
            raise CheckFailed(f"no address space {name}: {sorted(self._spaces())}")
        return name

    def get_segments(self, *arguments: str) -> list[str]:
        """get_bd_addr_segs."""
        options, (pattern,) = options_of(arguments, "-quiet")
        found = fnmatch.filter(self._segments(), pattern.lstrip("/"))
        if not self._has_processor():
            self.design.unchecked.append(f"get_bd_addr_segs {pattern}")
            return []
        if not found and "-quiet" not in options:
            raise CheckFailed(f"no address segment {pattern}: {sorted(self._segments())}")
        return found

    def assign(self, *arguments: str) -> str:
        """assign_bd_address: one segment to one place, or all that is left wherever there is room."""
        options, segments = options_of(arguments)
        if not arguments:
            self.automatic = True
            return ""
        (segment,) = segments
        offset, size = _number(options["-offset"]), _number(options["-range"])
        space = options.get("-target_address_space", next(iter(self._spaces())))
        if size < _SMALLEST or size & (size - 1) or offset % size:
            raise CheckFailed(f"{segment}: {offset:#x} and {options['-range']} are no place for a segment")
        room = self._segments()[segment][1]
        if room is not None and size > room:
            raise CheckFailed(f"{segment} has {room:#x} bytes, not {options['-range']}")
        for other in self.maps.setdefault(space, []):
            if offset < other.offset + other.size and other.offset < offset + size:
                raise CheckFailed(f"{segment} at {offset:#x} overlaps {other.segment} in {space}")
        self.maps[space].append(Mapped(segment, offset, size))
        return ""

    def exclude(self, *arguments: str) -> str:
        """exclude_bd_addr_seg."""
        options, (segment,) = options_of(arguments, "-quiet")
        self.excluded.append((self.get_spaces(options["-target_address_space"]), segment))
        return ""

    def _reach(self, start: str) -> set[str]:
        """Return the interfaces that a master's requests come to."""
        pairs = [tuple(net) for net in self.design.nets if len(net) == 2]
        found, fresh = set(), {start}
        while fresh:
            found |= fresh
            across = {
                second if end == first else first for end in fresh for first, second in pairs if end in (first, second)
            }
            for end in list(across):
                cell = end.split("/")[0]
                if cell in self.design.cells and name_of(self.design.cells[cell].kind) in HUBS:
                    through = [name for pair in pairs for name in pair if name.split("/")[0] == cell]
                    across |= {name for name in through if name.split("/")[1].startswith("M")}
            fresh = across - found
        return found

    def check(self) -> None:
        """Check that every master has something, that all it has is in reach, and that no slave is left out."""
        if self.automatic or not self._has_processor():
            return
        segments, mapped = self._segments(), set()
        for space, ports in self._spaces().items():
            if not self.maps.get(space):
                raise CheckFailed(f"address space {space} has no segment")
            reached = {end: port for port in ports for end in self._reach(port)}
            gone = {segment for other, segment in self.excluded if other == space}
            for one in self.maps[space]:
                interface = segments[one.segment][0]
                if interface not in reached:
                    raise CheckFailed(f"{space} does not reach {one.segment}")
                self._check_window(one, reached[interface])
                mapped.add(interface)
            lost = sorted(
                name for name, (interface, _) in segments.items()
                if interface in reached and name not in gone and name not in {one.segment for one in self.maps[space]}
            )  # fmt: skip
            if lost:
                raise CheckFailed(f"[BD 41-1356] {lost[0]} is not assigned into address space {space}")
        left = sorted(name for name, (interface, _) in segments.items() if interface not in mapped)
        if left:
            raise CheckFailed(f"address segment {left[0]} is in no address space")

    def _check_window(self, one: Mapped, port: str) -> None:
        cell, _, name = port.partition("/")
        base, size = self.design.cells[cell].windows.get(name, (0, 1 << 32))
        if not base <= one.offset <= one.offset + one.size <= base + size:
            raise CheckFailed(f"{one.segment} at {one.offset:#x} is outside of what {port} reaches")
