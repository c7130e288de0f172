"""Pieces of generated C++: calls of the HLS library in series, constant arrays, and the text around them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["HLS_LIBRARY", "Call", "ConstantArray", "HlsPort", "copy_library", "template_call"]

HLS_LIBRARY = Path(__file__).resolve().parent.parent.parent / "hls"
"""Folder of the hand-written headers."""
_MACHINE_TYPES = {
    8: ("unsigned char", "signed char"), 16: ("unsigned short", "short"), 32: ("unsigned int", "int"),
    64: ("unsigned long long", "long long"),
}  # fmt: skip
"""Bits to C++ types without and with sign."""
_LINE, _GROUP = 110, 4


@dataclass(frozen=True)
class HlsPort:
    """A stream of a node's function.

    Args:
        name: ``in0_V``, ``out0_V``...
        bits: of a beat.
        note: what travels, for the comment.
    """

    name: str
    bits: int
    note: str

    @property
    def declaration(self) -> str:
        """The parameter of a function."""
        return f"hls::stream<ap_uint<{self.bits}> >& {self.name}"


@dataclass(frozen=True)
class ConstantArray:
    """A constant array of a node's parameters.

    Args:
        name: behind the node's own.
        bits: of an element, at most 64.
        signed: whether elements are two's complement.
        note: what it holds, for the comment.
        values: elements in their dimensions.
    """

    name: str
    bits: int
    signed: bool
    note: str
    values: npt.NDArray[np.object_]

    @property
    def kind(self) -> str:
        """Type of an element, as ``xnorflow::Constant`` chooses it."""
        size = next(size for size in _MACHINE_TYPES if self.bits <= size)
        return _MACHINE_TYPES[size][self.signed]

    @property
    def dimensions(self) -> str:
        """Sizes, as they stand behind a name."""
        return "".join(f"[{size}]" for size in self.values.shape)

    @property
    def initializer(self) -> str:
        """The values in braces."""
        return _braces(self.values, self._literal, "")

    def _literal(self, value: int) -> str:
        return str(value) if self.signed else f"{value:#x}{'ULL' if self.bits > 32 else 'U'}"


def _braces(values: npt.NDArray[np.object_], literal: Callable[[int], str], indent: str) -> str:
    """Return nested braces; numbers, or groups of a few, are broken where lines end."""
    if values.ndim == 1:
        return _flow([literal(int(value)) for value in values], indent)
    if values.ndim == 2 and values.shape[1] <= _GROUP:
        return _flow(["{" + ", ".join(literal(int(value)) for value in row) + "}" for row in values], indent)
    rows = ",\n".join(f"{indent}  {_braces(row, literal, indent + '  ')}" for row in values)
    return f"{{\n{rows}\n{indent}}}"


def _flow(tokens: list[str], indent: str) -> str:
    lines, line = [], ""
    for token in tokens:
        if line and len(indent) + len(line) + len(token) + 6 > _LINE:
            lines.append(line)
            line = ""
        line += f"{', ' if line else ''}{token}"
    return "{" + f",\n{indent} ".join([*lines, line]) + "}"


@dataclass(frozen=True)
class Call:
    """A function of the library in a chain of them.

    Args:
        header: of the library, without its suffix, that declares it.
        function: name with its template arguments.
        out_bits: of a beat that goes out; the chain's next one takes it.
        constants: names of the arrays that follow the streams.
    """

    header: str
    function: str
    out_bits: int
    constants: tuple[str, ...] = ()


def template_call(name: str, *arguments: str | int | bool) -> str:
    """Return a template with its arguments, in namespace ``xnorflow``."""
    texts = [str(one).lower() if isinstance(one, bool) else str(one) for one in arguments]
    return f"xnorflow::{name}<{', '.join(texts)} >"


def copy_library(folder: Path) -> None:
    """Copy all headers of the library into a folder."""
    for header in sorted(HLS_LIBRARY.glob("*.hpp")):
        shutil.copyfile(header, folder / header.name)
