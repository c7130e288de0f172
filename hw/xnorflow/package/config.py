"""Settings of a package."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

__all__ = ["Cells", "PackageSettings", "word_of"]

_PREFIX = "xnorflow_"
_LONGEST = 48


def _of_form(pattern: str, told: str) -> AfterValidator:
    """Return a check for text; ``told`` is what the error says of the form."""

    def check(text: str) -> str:
        if re.fullmatch(pattern, text) is None:
            raise PydanticCustomError("form", "{told}", {"told": told})
        return text

    return AfterValidator(check)


_Name = Annotated[
    str,
    _of_form(
        rf"[a-z][a-z0-9_]{{0,{_LONGEST - 1}}}",
        f"a lower-case letter, then lower-case letters, digits and '_', {_LONGEST} at most",
    ),
]
_Word = Annotated[
    str, _of_form(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", "a letter, then letters, digits, '.', '-' and '_', 64 at most")
]
_Version = Annotated[str, _of_form(r"[0-9]{1,4}\.[0-9]{1,4}", "two numbers with a dot between, e.g. 1.0")]


class Cells(StrEnum):
    """What the 1-bit units are built of in synthesis."""

    XILINX = "xilinx"
    """LUT6_2 and CARRY4: half a LUT a product on 7-series, retargeted on later families."""
    PORTABLE = "portable"
    """Plain SystemVerilog for any chip."""


class PackageSettings(BaseModel):
    """What the core is called, and what it holds.

    Args:
        name: of the core, behind ``xnorflow_``.
        vendor: first part of the IP-XACT identifier.
        library: second part.
        version: last part, e.g. ``1.0``.
        cells: what synthesis builds 1-bit units of.
        frames: golden frames for the testbench and the C test.
        tlast_frames: frames for each TLAST of the output.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Name
    vendor: _Word = "xnorflow"
    library: _Word = "accelerator"
    version: _Version = "1.0"
    cells: Cells = Cells.XILINX
    frames: int = Field(default=4, ge=1, le=1000)
    tlast_frames: int = Field(default=1, ge=1, le=1_000_000)

    @property
    def core(self) -> str:
        """Name of the Verilog top, and what every other name of the core starts with."""
        return f"{_PREFIX}{self.name}"

    @property
    def identifier(self) -> str:
        """The IP-XACT identifier."""
        return f"{self.vendor}:{self.library}:{self.core}:{self.version}"


def word_of(text: str) -> str:
    """Return a name for a core that is called after ``text``: ``Digits-TFC`` gives ``digits_tfc``."""
    word = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_").removeprefix(_PREFIX)[:_LONGEST].strip("_")
    return word if word[:1].isalpha() else f"net_{word}"[:_LONGEST].strip("_")
