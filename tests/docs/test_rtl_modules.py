"""The catalogue of RTL modules is what the heads say, and a head that says too little is named."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPT = REPOSITORY / "docs" / "rtl_modules.py"

HEAD = """\
// SPDX-FileCopyrightText: xnorflow authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Halves what comes in,
// exactly.
//
// Why this structure: a shift is <wires>.
// A gap | in a line.
//
// Latency: 2 cycles. Interval: Pe * 2 cycles,
// more with $clog2.
// Cost: 1 LUT.

`default_nettype none

module xnorflow_half #(
  // Rows and columns, >= 1;
  // a comment of two lines.
  parameter int unsigned Rows = 8,
  parameter logic [Rows-1:0] Columns = '0,
  // "a" or "b".
  parameter string Mode = "a",
  // Follows: bits.
  localparam int unsigned Bits = Rows
) (
  // A port
  input wire logic clk_i
);
  // Inside.
  parameter int unsigned Hidden = 1;
endmodule
"""


@pytest.fixture(scope="module")
def catalogue():
    spec = importlib.util.spec_from_file_location("rtl_modules", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def half(tmp_path):
    """Write the head above, one part of it replaced; returns its path."""

    def write(old="", new=""):
        assert old in HEAD
        path = tmp_path / "xnorflow_half.sv"
        path.write_text(HEAD.replace(old, new, 1) if old else HEAD, encoding="utf-8")
        return path

    return write


def test_the_page_is_what_the_heads_say(catalogue, tmp_path, capsys):
    assert catalogue.main(page=tmp_path / "page.md") == 0, capsys.readouterr().err
    committed = SCRIPT.with_suffix(".md").read_text(encoding="utf-8")
    assert committed == (tmp_path / "page.md").read_text(encoding="utf-8"), "run `make docs`"


def test_every_module_is_on_the_page_with_its_parameters(catalogue):
    page = SCRIPT.with_suffix(".md").read_text(encoding="utf-8")
    for path in catalogue.LIBRARY.glob("xnorflow_*.sv"):
        assert f"\n## {path.stem}\n" in page and f"(#{path.stem})" in page
        assert path.read_text(encoding="utf-8").count("\n  parameter ") == sum(
            len(parameter.names) for parameter in catalogue._parameters(path, path.read_text().splitlines())
        )


def test_what_is_read(catalogue, half):
    module = catalogue.read_module(half())
    assert (module.name, module.function) == ("xnorflow_half", "Halves what comes in, exactly.")
    assert module.sections == {
        "Latency": "2 cycles.", "Interval": "Pe * 2 cycles, more with $clog2.", "Cost": "1 LUT."
    }  # fmt: skip
    rows, mode = module.parameters
    assert (rows.names, rows.defaults) == (("Rows", "Columns"), ("8", "'0"))
    assert rows.meaning == "Rows and columns, >= 1; a comment of two lines."
    assert (mode.names, mode.defaults, mode.meaning) == (("Mode",), ('"a"',), '"a" or "b".')


def test_what_markdown_would_change_is_escaped(catalogue, half):
    page = catalogue.page_of([catalogue.read_module(half("Halves what", "<a>|_b_ c_d"))])
    assert r"\<a>\|\_b\_ c_d comes in" in page
    assert "- **Interval**: Pe \\* 2 cycles, more with \\$clog2.\n" in page
    assert "| `Rows`, `Columns` | `8`, `'0` | Rows and columns, >= 1; a comment of two lines. |\n" in page


def test_a_module_without_parameters_has_no_table(catalogue, half):
    start, end = HEAD.index("#("), HEAD.index(") (\n") + 2
    module = catalogue.read_module(half(HEAD[start:end], ""))
    assert module.parameters == () and "| parameter |" not in catalogue.page_of([module])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Latency: 2 cycles. ", "", "xnorflow_half.sv, Latency: missing in its head; allowed: 'Latency: ...', 'Inter"),
        ("Interval: ", "", "xnorflow_half.sv, Interval: missing in its head; allowed: 'Latency: ...', 'Interval: ..."),
        ("// Cost: 1 LUT.\n", "", "xnorflow_half.sv, Cost: missing in its head; allowed: 'Latency: ...', 'Interval:"),
        ("1 LUT.", "TODO", "xnorflow_half.sv, Cost: not finished; allowed: 'Latency: ...', 'Interval: ...', 'Cost"),
        (HEAD[HEAD.index("// Halves") : HEAD.index("\n`default")], "", "xnorflow_half.sv: its head says nothing; all"),
        ("  // Rows and columns, >= 1;\n  // a comment of two lines.\n", "",
         "xnorflow_half.sv, parameter Rows: no comment in front of it; allowed: its meaning and range; add it"),
    ],
)  # fmt: skip
def test_what_a_head_lacks_is_named_and_nothing_is_written(catalogue, half, tmp_path, capsys, old, new, message):
    library, page = half(old, new).parent, tmp_path / "page.md"
    assert catalogue.main(library, page) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"error: {message}") and line.count("\n") == 1 and not page.exists()
