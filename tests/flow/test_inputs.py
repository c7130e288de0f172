"""What ``xnorflow build`` compares on: a file, a data set, or seeded noise."""

import numpy as np
import pytest

from xnorflow.artifact.errors import ConfigError, DataError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.flow.inputs import RANDOM_FRAMES, choose_inputs


def choose(path=None, dataset=None, frames=None, seed=1):
    return choose_inputs(path, dataset, None, frames, seed)


def scaled(path, scale, offset):
    """Write a perceptron whose input is thresholded in the middle of what ``scale`` and ``offset`` make of [0, 1]."""
    from onnx import TensorProto, helper, numpy_helper, save

    def constant(name, value):
        return numpy_helper.from_array(np.asarray(value, np.float32), name)

    quant = {"domain": "qonnx.custom_op.general"}
    nodes = [
        helper.make_node("Sub", ["x", "middle"], ["c"], name="center"),
        helper.make_node("BipolarQuant", ["c", "one"], ["q"], name="quantizer", **quant),
        helper.make_node("MatMul", ["q", "w"], ["y"], name="layer"),
    ]
    weights = np.where(np.random.default_rng(0).random((64, 3)) < 0.5, -1, 1)
    constants = [constant("middle", scale * 0.5 + offset), constant("one", 1), constant("w", weights)]
    ports = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, s]) for n, s in (("x", 64), ("y", 3))]
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)]
    graph = helper.make_graph(nodes, "net", ports[:1], ports[1:], constants)
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path


def test_noise_is_seeded_and_on_both_sides_of_the_threshold(tmp_path):
    model = scaled(tmp_path / "net.onnx", 255, 0)
    first = choose().execute(model, SilentProgress())
    assert first.inputs.shape == (RANDOM_FRAMES, 64) and first.inputs.dtype == np.float32
    assert (first.inputs < 127.5).any() and (first.inputs >= 127.5).any()
    assert np.array_equal(first.inputs, choose().execute(model, SilentProgress()).inputs)
    assert not np.array_equal(first.inputs, choose(seed=2).execute(model, SilentProgress()).inputs)
    assert choose().identity != choose(seed=2).identity


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (255, 0), (2, -1)])
def test_pixels_are_brought_to_the_models_range(tmp_path, scale, offset):
    golden = choose(dataset="digits", frames=30).execute(scaled(tmp_path / "net.onnx", scale, offset), SilentProgress())
    plain = choose(dataset="digits", frames=30).execute(scaled(tmp_path / "plain.onnx", 1, 0), SilentProgress())
    assert golden.inputs.max() == scale + offset and golden.inputs.min() == offset
    assert np.array_equal(golden.logits, plain.logits)


def test_a_test_set_has_labels_and_can_be_cut():
    source = choose(dataset="digits", frames=20)
    assert source.shaped((64,)).shape == (20, 64) and source.frames == 20
    assert len(source.labels) == 360 and source.name == "digits test set"


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_a_file_is_shaped_like_the_model(tmp_path, kind):
    values = np.arange(24, dtype=np.uint8).reshape(4, 6)
    path = tmp_path / f"given.{kind}"
    if kind == "npy":
        np.save(path, values)
    else:
        np.savez(path, inputs=values, labels=np.arange(4))
    source = choose(path, frames=3)
    assert source.shaped((1, 2, 3)).tolist() == values[:3].reshape(3, 1, 2, 3).tolist()
    assert len(source.labels) == (0 if kind == "npy" else 4)
    with pytest.raises(DataError, match=r"6 elements a frame \(shape 6\); allowed: 7 \(7\), as the model's input"):
        source.shaped((7,))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((2, 3), np.nan), "NaN or infinite values; allowed: finite numbers"),
        (np.zeros(5), r"float64 of shape \(5,\); allowed: numbers of shape \(frames, \.\.\.\)"),
        (np.zeros((0, 5)), r"of shape \(0, 5\)"),
        (np.asarray([["a"]]), "allowed: numbers of shape"),
    ],
)
def test_values_that_are_no_frames_are_refused(tmp_path, values, message):
    np.save(tmp_path / "bad.npy", values)
    with pytest.raises(DataError, match=message):
        choose(tmp_path / "bad.npy")


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.npy: no such file; allowed: \.npy of float inputs"):
        choose(tmp_path / "none.npy")
    (tmp_path / "text.npy").write_text("text", encoding="utf-8")
    with pytest.raises(DataError, match=r"text\.npy: unreadable"):
        choose(tmp_path / "text.npy")
    np.savez(tmp_path / "other.npz", x=np.zeros((2, 2)))
    with pytest.raises(DataError, match=r"other\.npz: unreadable; allowed: .* `inputs`"):
        choose(tmp_path / "other.npz")


def test_one_source_only(tmp_path):
    with pytest.raises(ConfigError, match="options --inputs and --dataset: both given; allowed: one of them"):
        choose(tmp_path / "a.npy", "mnist")
