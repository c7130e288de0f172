"""The HLS backend on the command line: built, simulated in C++, refused where it has no way yet, replaced by RTL."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from styled_folding import WIDTHS, write_folding

from xnorflow.artifact.hls_design import HLS_DESIGN_FILE
from xnorflow.flow import options
from xnorflow.lower import config


@pytest.fixture
def model(tmp_path, perceptron):
    return perceptron(tmp_path / "net.onnx", (24, 10, 4), 1, seed=1)


def test_the_option_has_the_choices_of_the_settings():
    assert [one.value for one in options.Backend] == [one.value for one in config.Backend]


def test_a_network_is_built_in_c_and_replaced_by_rtl(cli, tmp_path, model):
    build = tmp_path / "out"
    common = ("build", model, "--output", build, "--board", "Pynq-Z2", "--frames", 40, "--target-cycles", 12)
    done = cli(*common, "--backend", "hls")
    assert (done.code, done.err) == (0, "")
    assert "0 of 40 frames differ, C++ by g++" in done.out
    assert "C++: differing logits" in done.out and "LUT" not in done.out
    report = json.loads((build / "report" / "csim.json").read_text())
    assert (report["frames"], report["mismatches"]) == (40, 0)
    assert (build / HLS_DESIGN_FILE).is_file() and not (build / "design.json").exists()

    again = cli("simulate", build, "--frames", 10)
    assert again.code == 0 and "0 of 10 frames differ" in again.out

    refused = cli("synthesize", build)
    assert refused.code == 2
    assert "is C++ for HLS; allowed: a design in RTL; run Vitis HLS on hls/hls_syn" in refused.error_line()

    verified = cli("verify", build, "--frames", 2)
    assert verified.code == 0 and re.search(r"last graph = C\+\+ +2 tensors on 2 frames", verified.out)

    replaced = cli(*common, "--backend", "rtl", "--until", "generate")
    assert (replaced.code, replaced.err) == (0, "")
    assert (build / "design.json").is_file() and (build / "rtl").is_dir()
    assert not (build / HLS_DESIGN_FILE).exists() and not (build / "hls").exists()


def test_an_experiment_goes_the_whole_path_in_c(cli, tmp_path, experiment):
    done = cli("run", experiment(), "--runs", tmp_path / "runs", "--backend", "hls", "--frames", 30)
    assert (done.code, done.err) == (0, "")
    assert "0 of 30 frames differ, C++ by g++" in done.out and "accuracy, C++" in done.out


def test_a_layer_that_differs_is_an_error_with_the_frame(cli, tmp_path, model):
    """The simulation compares: a weight changed in the C++ is found."""
    build = tmp_path / "out"
    options = ("--board", "Pynq-Z2", "--frames", 40, "--backend", "hls", "--until", "generate")
    assert cli("build", model, "--output", build, *options).code == 0
    header = build / "hls" / "params_fc0_mvau.hpp"
    text = header.read_text(encoding="utf-8")
    start = text.index("fc0_mvau_starts")
    header.write_text(text[:start] + text[start:].replace("{{", "{{1000 + ", 1).replace("{\n  {", "{\n  {100 + ", 1))
    assert header.read_text(encoding="utf-8") != text
    failed = cli("simulate", build)
    assert failed.code == 2
    assert "frames differ in C++; first frame" in failed.error_line()


def test_cpp_that_does_not_compile_is_one_line_with_node_place_and_log(cli, tmp_path, model):
    """And what was simulated before stays."""
    build = tmp_path / "out"
    assert cli("build", model, "--output", build, "--board", "Pynq-Z2", "--frames", 8, "--backend", "hls").code == 0
    before = (build / "report" / "csim.json").read_bytes()
    header = build / "hls" / "params_fc1_mvau.hpp"
    lines = header.read_text(encoding="utf-8").splitlines()
    place = next(index for index, line in enumerate(lines) if "fc1_mvau_starts" in line)
    lines[place] = lines[place].replace("static const", "static cost")
    header.write_text("\n".join(lines) + "\n", encoding="utf-8")
    failed = cli("simulate", build)
    log = build / "obj" / "csim.log"
    assert failed.code == 2
    expected = f"error: node fc1_mvau: params_fc1_mvau.hpp:{place + 1}: 'cost' does not name a type"
    assert failed.error_line().startswith(expected) and f"see {log}" in failed.error_line()
    assert f"{header}:{place + 1}:" in log.read_text(encoding="utf-8")
    assert (build / "report" / "csim.json").read_bytes() == before


def test_layers_in_cpp_among_others_in_rtl(cli, tmp_path, perceptron):
    """The design that tests/generate/test_mixed.py simulates: compiled once."""
    model = perceptron(tmp_path / "net.onnx", WIDTHS, 4, seed=5)
    build, folding = tmp_path / "out", write_folding(tmp_path / "folding.json", ("fc1_dwc", "fc1_mvau", "label_argmax"))
    common = ("build", model, "--output", build, "--board", "Pynq-Z2", "--frames", 40, "--folding", folding)
    common = (*common, "--output-type", "labels")
    done = cli(*common, "--backend", "auto")
    assert (done.code, done.err) == (0, "")
    assert "modules for Pynq-Z2, 3 of them in C++" in done.out
    assert "0 of 40 frames differ, 3 of its modules in C++" in done.out
    assert re.search(r"RTL and C\+\+: differing labels +0 of 40 frames +Verilator, 3 by g\+\+, 30% stalls", done.out)
    assert re.search(r"cycles/frame +not known +3 of \d modules in C\+\+: Vitis HLS tells theirs", done.out)
    assert "accuracy, RTL " not in done.out and "LUT" not in done.out and "frames/s" not in done.out
    assert (build / "hls" / "hls_syn_fc1_mvau.tcl").is_file() and (build / "rtl" / "xnorflow_top.sv").is_file()
    refused = cli("synthesize", build)
    assert refused.code == 2
    assert (
        "C++ for HLS: fc1_dwc, fc1_mvau, label_argmax; allowed: a design all in RTL; run Vitis HLS on hls/"
        in refused.error_line()
    )
    assert cli(*common, "--until", "generate").code == 0  # all in RTL: the default passes the key over
    assert not (build / "hls").exists() and not json.loads((build / "design.json").read_text())["hls_dir"]


def test_missing_headers_are_told_before_anything_is_made(cli, tmp_path, model, monkeypatch):
    monkeypatch.setenv("XNORFLOW_AP_TYPES", str(tmp_path))
    folding = tmp_path / "folding.json"
    folding.write_text('{"fc0_mvau": {"preferred_impl_style": "hls"}}')
    common = ("build", model, "--output", tmp_path / "out", "--board", "Pynq-Z2", "--backend")
    for chosen in (("hls",), ("auto", "--folding", folding)):
        done = cli(*common, *chosen)
        assert done.code == 2
        assert f"ap_types headers by XNORFLOW_AP_TYPES: no ap_int.h in {tmp_path}" in done.error_line()
        assert not (tmp_path / "out").exists()


def test_an_unknown_backend_names_the_choices(cli, tmp_path):
    text = (
        'seed = 1\n[data]\ndataset = "digits"\n[train]\nnetwork = "TFC_1W1A"\nepochs = 1\n[build]\nbackend = "vhdl"\n'
    )
    (tmp_path / "net.toml").write_text(text)
    assert tomllib.loads(text)["build"]["backend"] == "vhdl"
    done = cli("run", tmp_path / "net.toml", "--runs", tmp_path / "runs")
    assert done.code == 2
    assert "build.backend" in done.error_line() and "hls" in done.error_line()
