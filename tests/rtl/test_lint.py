"""Every module is clean under Verilator's -Wall, and refuses parameters outside their ranges."""

from __future__ import annotations

from typing import Any

import pytest

from xnorflow.artifact.errors import SimulateError

# Each generate branch of each module at least once.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "mvau": [
        {},
        {"Mw": 784, "Mh": 64, "Simd": 49, "Pe": 16, "InputWidth": 8, "AccWidth": 20},
        {"Mw": 21, "Mh": 6, "Simd": 7, "Pe": 3, "AccWidth": 7},
        {"Mw": 1, "Mh": 1, "Simd": 1, "Pe": 1},
        {"Mw": 4, "Mh": 1, "Simd": 1, "Pe": 1, "InputWidth": 2},
        {"Mw": 1, "Mh": 4, "Simd": 1, "Pe": 1, "WeightStyle": "block"},
        {"Mw": 64, "Mh": 10, "Simd": 32, "Pe": 10, "Thresholded": 0, "OutputWidth": 4, "WeightStyle": "logic"},
        {"Mw": 64, "Mh": 10, "Simd": 64, "Pe": 10, "Thresholded": 0, "OutputWidth": 14, "AccWidth": 10},
        {"Mw": 1024, "Mh": 8, "Simd": 512, "Pe": 2, "AccWidth": 4},
        {"Mw": 16, "Mh": 4, "Simd": 4, "Pe": 4, "InputWidth": 3, "AccWidth": 2, "Thresholded": 0, "OutputWidth": 1},
    ],
    "xnor_popcount": [{}, {"Width": 1}, {"Width": 32}, {"Width": 33}, {"Width": 784}],
    "sign_sum": [{}, {"Terms": 1}, {"Terms": 5, "Width": 2}, {"Terms": 17}, {"Terms": 49}],
    "sum_tree": [{}, {"Terms": 1}, {"Terms": 5, "Signed": 1}, {"Terms": 17, "Width": 1}],
    "fifo": [{}, {"Depth": 1}, {"Depth": 3}, {"Depth": 4}, {"Depth": 784, "Width": 1}],
    "credit_fifo": [{}, {"Depth": 1}, {"Depth": 2}, {"Depth": 5, "Width": 1}],
    "dwc": [
        {},
        {"InWidth": 8, "OutWidth": 1},
        {"InWidth": 1, "OutWidth": 8},
        {"InWidth": 21, "OutWidth": 7},
        {"InWidth": 2, "OutWidth": 4},
    ],
    "argmax": [
        {},
        {"Pe": 10, "LabelWidth": 8},
        {"Pe": 5, "Signed": 0, "Width": 1},
        {"Labels": 1, "LabelWidth": 1},
        {"Labels": 12, "Pe": 3},
        {"Labels": 2, "Pe": 2, "LabelWidth": 1, "Width": 1},
    ],
}
CASES = [(module, variant) for module, variants in VARIANTS.items() for variant in variants]

ILLEGAL: list[tuple[str, dict[str, Any], str]] = [
    ("mvau", {"Mw": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("mvau", {"Mh": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("mvau", {"Simd": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("mvau", {"Pe": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("mvau", {"Mw": 10, "Simd": 3}, "Simd must divide Mw"),
    ("mvau", {"Mw": 4, "Simd": 8}, "Simd must divide Mw"),
    ("mvau", {"Mh": 10, "Pe": 3}, "Pe must divide Mh"),
    ("mvau", {"Mh": 2, "Pe": 4}, "Pe must divide Mh"),
    ("mvau", {"InputWidth": 0}, "InputWidth must be at least 1"),
    ("mvau", {"AccWidth": 1}, "AccWidth must be at least 2"),
    ("mvau", {"Thresholded": 0, "OutputWidth": 0}, "OutputWidth must be at least 1"),
    ("mvau", {"WeightFile": ""}, "WeightFile and StartFile must be named"),
    ("mvau", {"StartFile": ""}, "WeightFile and StartFile must be named"),
    ("mvau", {"WeightStyle": "distributed"}, "WeightStyle must be auto, block or logic"),
    ("xnor_popcount", {"Width": 0}, "Width must be at least 1"),
    ("sign_sum", {"Terms": 0}, "Terms must be at least 1"),
    ("sign_sum", {"Width": 1}, "Width must be at least 2"),
    ("sum_tree", {"Terms": 0}, "Terms must be at least 1"),
    ("sum_tree", {"Width": 0}, "Width must be at least 1"),
    ("fifo", {"Width": 0}, "Width must be at least 1"),
    ("fifo", {"Depth": 0}, "Depth must be at least 1"),
    ("credit_fifo", {"Width": 0}, "Width must be at least 1"),
    ("credit_fifo", {"Depth": 0}, "Depth must be at least 1"),
    ("dwc", {"InWidth": 0}, "InWidth and OutWidth must be at least 1"),
    ("dwc", {"OutWidth": 0}, "InWidth and OutWidth must be at least 1"),
    ("dwc", {"InWidth": 6, "OutWidth": 4}, "InWidth and OutWidth must divide one another"),
    ("argmax", {"Labels": 0}, "Labels, Pe and Width must be at least 1"),
    ("argmax", {"Pe": 0}, "Labels, Pe and Width must be at least 1"),
    ("argmax", {"Width": 0}, "Labels, Pe and Width must be at least 1"),
    ("argmax", {"Pe": 3}, "Pe must divide Labels"),
    ("argmax", {"LabelWidth": 0}, "LabelWidth must hold Labels - 1"),
    ("argmax", {"Labels": 20, "LabelWidth": 4}, "LabelWidth must hold Labels - 1"),
]


def case_id(value: object) -> str:
    return "_".join(f"{key}_{item}" for key, item in value.items()) if isinstance(value, dict) else str(value)


def test_every_module_has_its_cases(bench):
    modules = {path.stem.removeprefix("xnorflow_") for path in bench.sources}
    assert modules == set(VARIANTS) == {module for module, _, _ in ILLEGAL}


@pytest.mark.parametrize(("module", "parameters"), CASES, ids=case_id)
def test_clean_under_wall(bench, module, parameters):
    assert bench.lint(module, **parameters) == []
    if module in {"mvau", "sign_sum"}:  # they have a body of their own for synthesis
        assert bench.lint(module, synthesis=True, **parameters) == []


def test_no_lint_waivers(bench):
    for path in bench.sources:
        assert "lint_off" not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize(("module", "parameters", "message"), ILLEGAL, ids=case_id)
def test_illegal_parameters_are_refused(bench, module, parameters, message):
    said = [line for line in bench.lint(module, **parameters) if f": xnorflow_{module}: " in line]
    assert [line.split(f"xnorflow_{module}: ")[1] for line in said] == [message]


def test_illegal_parameters_do_not_simulate(bench):
    """A build in which warnings are not fatal is refused too, there or when it starts."""
    with pytest.raises(SimulateError, match="InWidth and OutWidth must divide one another"):
        bench.open("dwc", InWidth=6, OutWidth=4).close()


def test_heads_and_guards(bench):
    """Each file: two SPDX lines, a purpose, latency and cost; no implicit nets, and none forbidden to others."""
    for path in bench.sources:
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        assert lines[:2] == [
            "// SPDX-FileCopyrightText: xnorflow authors",
            "// SPDX-License-Identifier: BSD-3-Clause",
        ], path.name
        head = text.split("`default_nettype none")[0]
        assert "// Why this structure: " in head and "// Latency: " in head and "// Cost: " in head, path.name
        assert lines[-1] == "`default_nettype wire", path.name
        assert max(map(len, lines)) <= 100, path.name
