"""Write docs/rtl_modules.md, the catalogue of the RTL library, from the heads of its modules: `make docs`."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.errors import UserError
from xnorflow.artifact.files import write_text

__all__ = ["HeadError", "Module", "Parameter", "main", "page_of", "read_module"]

REPOSITORY = Path(__file__).resolve().parents[1]
LIBRARY = REPOSITORY / "hw" / "xnorflow" / "rtl"
PAGE = Path(__file__).with_suffix(".md")
SECTIONS = ("Latency", "Interval", "Cost")
INTRODUCTION = """\
<!-- Written by `make docs` from the heads of hw/xnorflow/rtl/xnorflow_*.sv: change those. -->

# RTL modules

What each module says of itself in its head, where it also says why it is built as it is. All follow the
[conventions](../hw/README.md); a parameter outside its range stops elaboration with a message. Latency and interval
are in cycles of the clock; costs are cells as yosys maps them for 7-series, neither packed nor routed.
"""


class HeadError(UserError):
    """A module's head lacks what the catalogue tells of it."""


@dataclass(frozen=True)
class Parameter:
    """Parameters that one comment explains.

    Args:
        names: in the order of the file.
        defaults: one a name, as SystemVerilog.
        meaning: the comment in front of them, with the range.
    """

    names: tuple[str, ...]
    defaults: tuple[str, ...]
    meaning: str


@dataclass(frozen=True)
class Module:
    """What the head of a module says.

    Args:
        name: of module and file.
        function: first paragraph.
        sections: latency, interval and cost, by :data:`SECTIONS`.
        parameters: those that an instance may set.
    """

    name: str
    function: str
    sections: dict[str, str]
    parameters: tuple[Parameter, ...]


def read_module(path: Path) -> Module:
    """Read a module's head and parameters.

    Args:
        path: of a SystemVerilog file with one module.

    Raises:
        HeadError: a section, the first paragraph or a parameter's comment is missing; the message names file and what.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    paragraphs = _paragraphs(lines)
    if not paragraphs:
        raise HeadError(path.name, "its head says nothing", "a first paragraph that says what it does", "write it")
    text = "\n".join(paragraphs[1:])
    sections = {name: _section(path, text, name) for name in SECTIONS}
    return Module(path.stem, paragraphs[0], sections, _parameters(path, lines))


def page_of(modules: list[Module]) -> str:
    """Return the catalogue as GitHub's Markdown."""
    index = [f"- [`{module.name}`](#{module.name})" for module in modules]
    return "\n".join([INTRODUCTION, *index, "", *(line for module in modules for line in _lines_of(module))])


def main(library: Path = LIBRARY, page: Path = PAGE) -> int:
    """Write the page.

    Returns:
        0, or 2 after a line on standard error where a head is not complete; then nothing is written.
    """
    try:
        text = page_of([read_module(path) for path in sorted(library.glob("xnorflow_*.sv"))])
    except HeadError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    write_text(page, text)
    return 0


def _paragraphs(lines: list[str]) -> list[str]:
    """Return the paragraphs of the comment that a file begins with, each on one line, without its license."""
    head = []
    for line in lines:
        if not line.startswith("//"):
            break
        if not line.startswith("// SPDX-"):
            head.append(line[2:].strip())
    return [" ".join(block.split()) for block in re.split(r"\n{2,}", "\n".join(head).strip()) if block]


def _section(path: Path, text: str, name: str) -> str:
    """Return what follows ``name:`` at the beginning of a sentence, up to the next section or paragraph."""
    others = "|".join(SECTIONS)
    found = re.search(rf"(?:^|(?<=\. )){name}: (.*?)(?=\.? (?:{others}): |$)", text, re.MULTILINE)
    if found is None or "TODO" in found[1]:
        raise HeadError(
            f"{path.name}, {name}", "missing in its head" if found is None else "not finished",
            ", ".join(f"'{section}: ...'" for section in SECTIONS), "add it",
        )  # fmt: skip
    return found[1].rstrip(".") + "."


def _parameters(path: Path, lines: list[str]) -> tuple[Parameter, ...]:
    """Return the parameters between ``module NAME #(`` and ``) (``; those without a comment join the ones before."""
    found: list[Parameter] = []
    comment: list[str] = []
    inside = False
    for line in map(str.strip, lines):
        if line.startswith(f"module {path.stem}"):
            inside = True
        elif inside and line.startswith(")"):
            break
        elif inside and line.startswith("//"):
            comment.append(line[2:].strip())
        elif inside and (match := re.fullmatch(r"parameter\s[^=]*?(\w+)\s*=\s*(.*?),?", line)):
            one = Parameter((match[1],), (match[2],), " ".join(comment))
            found.append(one if comment else _joined(path, found, one))
            comment = []
        elif inside:
            comment = []
    return tuple(found)


def _joined(path: Path, found: list[Parameter], other: Parameter) -> Parameter:
    """Take the last one of ``found`` and return it with ``other``, which has no comment of its own."""
    if not found:
        raise HeadError(
            f"{path.name}, parameter {other.names[0]}", "no comment in front of it", "its meaning and range", "add it"
        )
    before = found.pop()
    return Parameter(before.names + other.names, before.defaults + other.defaults, before.meaning)


def _lines_of(module: Module) -> list[str]:
    lines = [f"## {module.name}", "", _escaped(module.function), ""]
    lines += [f"- **{name}**: {_escaped(text)}" for name, text in module.sections.items()]
    if module.parameters:
        lines += ["", "| parameter | default | meaning and range |", "|---|---|---|"]
    lines += [
        f"| {_codes(parameter.names)} | {_codes(parameter.defaults)} | {_escaped(parameter.meaning)} |"
        for parameter in module.parameters
    ]
    return [*lines, ""]


def _codes(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _escaped(text: str) -> str:
    """Return ``text`` so that Markdown shows it as it is: no emphasis, tags, formulas or cells."""
    return re.sub(r"[<|*$`\\]|(?<!\w)_|_(?!\w)", r"\\\g<0>", text)


if __name__ == "__main__":
    sys.exit(main())
