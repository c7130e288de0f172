"""Convolutional networks of third parties: exact integers, and every step of lowering."""

from __future__ import annotations

import numpy as np
import pytest
from map_files import NETWORKS, MapChain, bytes_in, signs, small_cnv
from refusals import refusal, saved

from xnorflow.lower.import_model import import_model
from xnorflow.lower.integer_onnx import run_integer, write_integer_onnx
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.verify import check_logits


@pytest.mark.parametrize("name", NETWORKS)
def test_integers_are_what_qonnx_computes(name, tmp_path, raw_logits, network_of):
    chain = NETWORKS[name]()
    path = chain.save(tmp_path / "model.onnx")
    extraction = network_of(path)
    model = import_model(path)
    inputs = random_inputs(model, 12, seed=1)
    values = extraction.codec.quantize(inputs)
    assert check_logits(extraction.network, extraction.codec, values, raw_logits(path, inputs, chain.logits))["frames"]
    decoded = extraction.codec.decode(extraction.network.accumulators(values))
    assert np.array_equal(decoded, reference_logits(logits_graph(model), inputs))
    assert len(np.unique(extraction.network.results(values), axis=0)) > 1

    write_integer_onnx(extraction.network, tmp_path / "integer.onnx")
    assert np.array_equal(run_integer(tmp_path / "integer.onnx", values), extraction.network.results(values))


@pytest.mark.parametrize("name", NETWORKS)
def test_every_step_of_lowering(name, tmp_path, build):
    lowered = build(NETWORKS[name]().save(tmp_path / "model.onnx"), target_cycles=60)
    assert lowered.checked_frames == 64
    assert all(row["frames_equal"] == 4 for row in build.report["steps"][:-1])
    kinds = {node.op_type for node in lowered.model.graph.node}
    assert all(kind.endswith("_rtl") for kind in kinds)


def test_layers_are_called_by_what_they_are(tmp_path, build):
    lowered = build(small_cnv().save(tmp_path / "model.onnx"), target_cycles=10)
    assert lowered.network.names == ("conv0", "conv1", "pool0", "conv2", "fc0", "fc1")
    names = [node.name for node in lowered.model.graph.node if not node.name.endswith(("fifo", "dwc"))]
    assert names == [
        "conv0_swg", "conv0_mvau", "conv1_swg", "conv1_mvau", "pool0", "conv2_swg", "conv2_mvau", "fc0_mvau",
        "fc1_mvau",
    ]  # fmt: skip
    assert [row["name"] for row in build.report["layers"]] == ["conv0", "conv1", "conv2", "fc0", "fc1"]
    assert [row["products"] for row in build.report["layers"]] == [64, 36, 1, 1, 1]


def test_frames_travel_pixel_by_pixel(tmp_path, network_of):
    codec = network_of(bytes_in(shape=(3, 4, 5)).conv(2).activation().classify().save(tmp_path / "m.onnx")).codec
    image = np.arange(60, dtype=np.float32).reshape(1, 3, 4, 5) / 128
    assert codec.quantize(image)[0].tolist() == np.arange(60).reshape(3, 4, 5).transpose(1, 2, 0).reshape(-1).tolist()
    codec.save(tmp_path / "host.npz")
    assert np.array_equal(type(codec).load(tmp_path / "host.npz").quantize(image), codec.quantize(image))


def test_maps_that_come_channels_last(tmp_path, network_of, raw_logits):
    chain = MapChain(shape=(5, 6, 2)).bipolar().op("Transpose", perm=[0, 3, 1, 2])
    chain.map = (2, 5, 6)
    path = chain.conv(3).activation().classify().save(tmp_path / "m.onnx")
    extraction = network_of(path)
    inputs = random_inputs(import_model(path), 8, seed=0)
    values = extraction.codec.quantize(inputs)
    assert np.array_equal(values, np.where(inputs.reshape(8, -1) >= 0, 1, -1))
    assert check_logits(extraction.network, extraction.codec, values, raw_logits(path, inputs, chain.logits))["frames"]


# Refused ----------------------------------------------------------------------------------------------------------


def test_zero_padding_of_signs(tmp_path, network_of):
    error = refusal(saved(signs().conv(3, pads=(1, 1, 1, 1)).activation().classify(), tmp_path), network_of)
    assert error.where == "node conv1" and error.found == "zero padding, which has no 1-bit value"
    assert error.allowed == "padding of -1 or 1" and "pad with -1" in error.fix


def test_padding_with_a_value_that_is_no_level(tmp_path, network_of):
    chain = signs().pad(1, 1, 1, 1, value=0.5).conv(3).activation().classify()
    assert refusal(saved(chain, tmp_path), network_of).found == "padding of 0.5"
    chain = bytes_in().pad(1, 1, 1, 1, value=3.0).conv(3).activation().classify()
    error = refusal(saved(chain, tmp_path), network_of)
    assert (error.found, error.allowed) == ("padding of 3", "padding of a value of its input")


def test_padding_twice(tmp_path, network_of):
    chain = signs().pad(1, 1, 1, 1).conv(3, pads=(1, 1, 1, 1)).activation().classify()
    assert refusal(saved(chain, tmp_path), network_of).found == "padding of its own behind a Pad"


def test_padding_elsewhere(tmp_path, network_of):
    chain = MapChain().pad(1, 1, 1, 1).bipolar().conv(3).activation().classify()
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node pad0" and error.found == "a Pad that is not right in front of a convolution"
    chain = signs().conv(3).activation().pad(1, 1, 1, 1).classify()
    assert refusal(saved(chain, tmp_path), network_of).allowed == "Pad, then Conv"


@pytest.mark.parametrize(("mode", "value"), [("reflect", 0.0), ("edge", 0.0)])
def test_padding_with_what_is_in_the_map(mode, value, tmp_path, network_of):
    chain = signs().pad(1, 1, 1, 1, value, mode).conv(3).activation().classify()
    assert refusal(saved(chain, tmp_path), network_of).found.startswith(f"Pad with mode {mode} and amounts")


def test_negative_padding(tmp_path, network_of):
    chain = signs().pad(-1, 0, 0, 0).conv(3).activation().classify()
    assert refusal(saved(chain, tmp_path), network_of).found.startswith("negative padding")


def test_kernel_larger_than_the_map(tmp_path, network_of):
    chain = signs(shape=(1, 7, 6)).conv(3, kernel=(3, 3)).activation()
    chain.op("MaxPool", kernel_shape=[6, 2], strides=[1, 1], name="large")
    chain.map = (3, 1, 3)
    error = refusal(saved(chain.classify(), tmp_path), network_of)
    assert "large" in error.where or "shapes" in error.found


@pytest.mark.parametrize(
    ("attributes", "found"), [({"dilations": [2, 2]}, "dilations [2, 2]"), ({"group": 2}, "2 groups")]
)
def test_other_kinds_of_convolution(attributes, found, tmp_path, network_of):
    chain = signs(shape=(2, 9, 9))
    channels = 2 // attributes.get("group", 1)
    chain.map = (channels, 9, 9)
    chain.conv(4, **attributes)
    size = 7 if "group" in attributes else 5
    chain.map = (4, size, size)
    error = refusal(saved(chain.activation().classify(), tmp_path), network_of)
    assert (error.where, error.found) == ("node conv1", found)


def test_convolution_of_one_dimension(tmp_path, network_of):
    chain = MapChain(shape=(2, 8))
    chain.bipolar().op("Conv", np.ones((3, 2, 3)), name="line", kernel_shape=[3])
    chain.batchnorm(3).bipolar().flatten().dense(18, 4).end()
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.where == "node line" and error.found == "Conv over a tensor of shape (1, 2, 8)"


def test_pool_that_rounds_up(tmp_path, network_of):
    chain = signs(shape=(2, 7, 7)).conv(4).activation()
    chain.op("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1, name="up")
    chain.map = (4, 3, 3)
    error = refusal(saved(chain.classify(), tmp_path), network_of)
    assert (error.where, error.found) == ("node up", "ceil_mode=1 where the stride leaves a remainder")


def test_pool_of_sums_that_fall(tmp_path, network_of):
    chain = signs().conv(4).pool().batchnorm(4, gamma=np.asarray([1.0, -1.0, 1.0, -2.0])).bipolar().classify()
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.found == "a MaxPool in front of an activation that falls with the sum in 2 channels"


def test_pool_and_padding_behind_the_last_layer(tmp_path, network_of):
    chain = signs(shape=(2, 6, 6)).conv(4).activation().conv(5).pool().flatten().end()
    assert refusal(saved(chain, tmp_path), network_of).found == "a MaxPool behind the last layer"
    chain = signs(shape=(2, 6, 6)).conv(4).activation().conv(5).pad(1, 1, 1, 1).flatten().end()
    assert refusal(saved(chain, tmp_path), network_of).allowed == "Pad, then Conv"


def test_map_as_the_result(tmp_path, network_of):
    chain = signs().conv(4).activation().conv(5).flatten().end()
    error = refusal(saved(chain, tmp_path), network_of)
    assert error.found == "a last layer that gives a map of 3x2 pixels"


def test_kernels_that_are_computed(tmp_path, network_of):
    chain = signs()
    chain.op("Conv", "x", name="strange", kernel_shape=[3, 3])
    error = refusal(saved(chain.classify(), tmp_path), network_of)
    assert error.where.startswith(("tensor", "node", "model"))
