"""What the lower stage says about its settings and golden vectors, and what it leaves behind when it fails."""

from __future__ import annotations

import numpy as np
import pytest
from qonnx_files import perceptron

from xnorflow.artifact.errors import ConfigError, LowerError
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.lower import stage
from xnorflow.lower.steps import Step


@pytest.fixture
def path(tmp_path):
    return perceptron().save(tmp_path / "model.onnx")


def test_two_ways_to_say_how_fast(path, build, tmp_path):
    with pytest.raises(ConfigError, match=r"build.target_fps: given together with target_cycles; allowed: one of them"):
        build(path, target_fps=1000, target_cycles=5)
    with pytest.raises(ConfigError, match=r"build.target_cycles: given together with folding"):
        build(path, target_cycles=5, folding=tmp_path / "folding.json")


def test_more_frames_than_cycles(path, build):
    with pytest.raises(ConfigError, match=r"200000000 frames/s at a clock of 10 ns; allowed: at most 100000000"):
        build(path, target_cycles=None, target_fps=200_000_000)


def test_frames_per_second_become_cycles(path, build):
    import json

    build(path, target_cycles=None, target_fps=10_000_000, clock_ns=5.0)
    cycles = json.loads((build.folder / "report" / "estimate_layer_cycles.json").read_text())
    assert max(cycles.values()) <= 20


def test_unknown_board(path, build):
    with pytest.raises(ConfigError, match="Pynq-Z9"):
        build(path, board="Pynq-Z9")


def test_golden_frames_of_another_size(path, build):
    golden = GoldenVectors(np.zeros((3, 1, 5, 5), np.float32), np.zeros((3, 5), np.float32), np.zeros(0, np.int64))
    with pytest.raises(ConfigError, match=r"inputs: frames of shape \(1, 5, 5\); allowed: \(1, 4, 6\), as the model"):
        build(path, golden)


def test_golden_logits_of_another_network(path, build):
    golden = GoldenVectors(np.zeros((3, 1, 4, 6), np.float32), np.full((3, 5), 0.5, np.float32), np.zeros(0, np.int64))
    with pytest.raises(LowerError, match=r"logits 0.25 steps away from any this network can give"):
        build(path, golden)


def test_a_step_that_fails_is_named(path, build, monkeypatch):
    def broken(graph, context):
        raise AssertionError("deep in FINN")

    monkeypatch.setattr(stage, "STEPS", (Step("step_broken", broken),))
    with pytest.raises(LowerError, match=r"step step_broken: FINN failed \(AssertionError: deep in FINN\); .*--debug"):
        build(path)


def test_a_graph_that_cannot_be_executed_is_named(path, build, monkeypatch):
    def broken(graph, context):
        graph.graph.node[0].op_type = "Gadget"
        return graph

    monkeypatch.setattr(stage, "STEPS", (Step("step_broken", broken),))
    with pytest.raises(LowerError, match=r"step step_broken: its graph cannot be executed"):
        build(path)


def test_a_step_that_changes_a_shape_is_named(path, build, monkeypatch):
    from xnorflow.lower.verify import _compare

    with pytest.raises(LowerError, match=r"step s, tensor t: 2 values; allowed: 3; report this network"):
        _compare("s", "t", 0, np.zeros(3, np.int64), np.zeros(2, np.int64))


def test_a_wrong_integer_model_is_found(path, build, monkeypatch):
    monkeypatch.setattr(stage, "run_integer", lambda file, values: np.zeros((len(values), 5), np.int64))
    with pytest.raises(LowerError, match=r"integer.onnx: frame \d+ differs from the integer network"):
        build(path)


def test_every_step_leaves_a_checkpoint(path, build):
    build(path)
    names = {file.stem for file in (build.folder / "intermediate_models").glob("*.onnx")}
    assert {"step_import", "step_extract_integers", *(step.name for step in stage.STEPS)} <= names


def test_a_unit_that_neither_of_ours_computes(path):
    from onnx import helper
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.util.basic import qonnx_make_model

    from xnorflow.lower.passes.use_own_operators import UseOwnOperators

    node = helper.make_node(
        "MVAU", ["x", "w"], ["y"], name="odd", domain="finn.custom_op.fpgadataflow", backend="fpgadataflow", MW=4, MH=4,
        SIMD=1, PE=1, inputDataType="BIPOLAR", weightDataType="INT3", outputDataType="INT16", noActivation=1,
    )  # fmt: skip
    infos = [helper.make_tensor_value_info(name, 1, [1, 4]) for name in "xy"]
    model = ModelWrapper(qonnx_make_model(helper.make_graph([node], "g", infos[:1], infos[1:])))
    with pytest.raises(LowerError, match=r"node odd: BIPOLAR inputs with INT3 weights; allowed: BIPOLAR x BIPOLAR"):
        model.transform(UseOwnOperators())
