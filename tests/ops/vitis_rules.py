"""What Vitis HLS asks of C++, as far as text shows it: pragmas by its user guide (UG1399), where they stand, and what
cannot be synthesized.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

NUMBER, NAME = r"\d+", r"\w+"
DOCUMENTED = {
    "ARRAY_PARTITION": {"variable": NAME, "complete|block|cyclic": None, "factor": NUMBER, "dim": NUMBER},
    "DATAFLOW": {"disable_start_propagation": None},
    "INLINE": {"off|recursive": None},
    "INTERFACE": {"axis|ap_ctrl_none": None, "port": NAME},
    "PIPELINE": {"II": NUMBER, "off|rewind": None, "style": "stp|frp|flp"},
    "STREAM": {"variable": NAME, "type": "fifo|pipo|shared|unsync", "depth": NUMBER},
    "UNROLL": {"factor": NUMBER, "skip_exit_check": None, "off": "true"},
}
"""Pragmas with the options that the guide lists: names with the values that they take, or words."""
OF_LOOPS, OF_FUNCTIONS = ("PIPELINE", "UNROLL"), ("DATAFLOW", "INLINE", "INTERFACE")
FORBIDDEN = r"\b(new|delete|malloc|free|virtual|throw|try|catch|goto|typeid|dynamic_cast|std|thread_local|volatile)\b"


def violations(text: str) -> list[str]:
    """Return what is wrong with a header or source file, with its line."""
    lines = [re.sub(r"//.*", "", line) for line in text.splitlines()]
    found = []
    for number, line in enumerate(lines, 1):
        unfit = re.search(FORBIDDEN, line)
        if unfit:
            found.append(f"{number}: {unfit[1]} cannot be synthesized")
        if re.match(r"\s*#pragma", line):
            found += [f"{number}: {fault}" for fault in _faults(lines, number - 1)]
    return found


def _faults(lines: list[str], place: int) -> Iterator[str]:
    given = re.fullmatch(r"#pragma HLS (\w+)((?: \S+)*)", lines[place])
    if given is None or given[1] not in DOCUMENTED:
        yield f"{lines[place].strip()} is not documented"
        return
    kind, options = given[1], given[2].split()
    yield from (f"{kind} has no option {option}" for option in options if not _is_documented(kind, option))
    before = [line for line in lines[:place] if line.strip() and not line.startswith("#")]
    statement = _opening(before)
    if kind in OF_LOOPS and not re.match(r"\s*(for|while) \(", statement):
        yield f"{kind} is not the first thing in a loop"
    if kind in OF_FUNCTIONS and not re.match(r"(\s*)(static |inline |void )", statement):
        yield f"{kind} is not the first thing in a function"
    for option in options:
        key, _, name = option.partition("=")
        if (
            key in ("variable", "port")
            and name != "return"
            and not re.search(rf"[&>*\w] ?(\(&)?{name}\b", _scope(before))
        ):
            yield f"{name} is not declared in this function"


def _is_documented(kind: str, option: str) -> bool:
    key, _, value = option.partition("=")
    for name, values in DOCUMENTED[kind].items():
        if re.fullmatch(name, key) and (values is None if not value else values is not None):
            return values is None or re.fullmatch(values, value) is not None
    return False


def _opening(before: list[str]) -> str:
    """Return the statement whose brace was opened last, from its first line on; empty where another came after it."""
    if not before[-1].rstrip().endswith("{"):
        return ""
    start = len(before) - 1
    while before[start].count("(") < before[start].count(")") or re.match(r"\s{4,}\S.*\) \{$", before[start]):
        if re.match(r"\s*(for|while|inline|static|void)\b", before[start]):
            break
        start -= 1
    return before[start]


def _scope(before: list[str]) -> str:
    """Return the text from the head of the function that is open on."""
    start = len(before) - 1
    while start > 0 and not re.match(r"(  )?(static|inline|void)\b.*\(", before[start]):
        start -= 1
    return "\n".join(before[start:])
