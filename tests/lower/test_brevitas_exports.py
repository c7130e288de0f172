"""Networks of Brevitas, bnn_pynq's own among them, exported with each option: integers equal to torch's logits."""

from __future__ import annotations

import brevitas_files as brevitas
import numpy as np
import pytest

from xnorflow.artifact.golden import GoldenVectors
from xnorflow.lower.import_model import import_model
from xnorflow.lower.reference import logits_graph, reference_logits

IMAGE = (1, 28, 28)


def images(count, shape=IMAGE):
    """Return pixels as data sets have them, multiples of 1/255."""
    return (np.random.default_rng(3).integers(0, 256, (count, *shape)) / np.float32(255)).astype(np.float32)


def golden(network, inputs):
    return GoldenVectors(inputs, brevitas.torch_logits(network, inputs), np.zeros(0, np.int64))


@pytest.mark.parametrize(
    "options",
    [{"opset_version": 9}, {"opset_version": 11}, {"opset_version": 13}, {"opset_version": 17}, {"dynamo": True},
     {"opset_version": 13, "keep_initializers_as_inputs": True}, {"opset_version": 13, "do_constant_folding": False}],
    ids=lambda options: "-".join(f"{key}={value}" for key, value in options.items()),
)  # fmt: skip
def test_tfc_by_every_exporter(options, tmp_path, build):
    network, inputs = brevitas.bnn_pynq(), images(40)
    path = brevitas.export(network, tmp_path / "tfc.onnx", IMAGE, **options)
    lowered = build(path, golden(network, inputs), target_cycles=64)
    assert build.report["float_identical"]
    assert all(layer["neurons_negated"] > 5 for layer in build.report["layers"][:-1])
    assert lowered.network.input_datatype == "BIPOLAR"


@pytest.mark.parametrize("hidden", [256, pytest.param(1024, marks=pytest.mark.full)])
def test_sfc_and_lfc(hidden, tmp_path, build):
    network, inputs = brevitas.bnn_pynq(hidden), images(8)
    path = brevitas.export(network, tmp_path / "fc.onnx", IMAGE, opset_version=13)
    lowered = build(path, golden(network, inputs), target_cycles=1024)
    assert build.report["float_identical"]
    assert [layer.outputs for layer in lowered.network.products] == [hidden, hidden, hidden, 10]


def test_untrained_batchnorm_has_ties_everywhere(tmp_path, network_of):
    network, inputs = brevitas.bnn_pynq(trained=False), images(40)
    path = brevitas.export(network, tmp_path / "tfc.onnx", IMAGE, opset_version=13)
    extraction = network_of(path)
    assert all((layer.thresholds == 0).all() for layer in extraction.network.products[:-1])
    values = extraction.codec.quantize(inputs)
    sums = extraction.network.first.accumulate(values)
    assert (sums == 0).sum() > 50
    decoded = extraction.codec.decode(extraction.network.accumulators(values))
    assert np.array_equal(decoded, brevitas.torch_logits(network, inputs))


@pytest.mark.parametrize(("bits", "datatype"), [(2, "INT2"), (8, "INT8")])
@pytest.mark.parametrize("dynamo", [False, True])
def test_input_of_more_bits(bits, datatype, dynamo, tmp_path, build):
    network, inputs = brevitas.bnn_pynq(input_bits=bits), images(40)
    path = brevitas.export(network, tmp_path / "tfc.onnx", IMAGE, dynamo=dynamo)
    lowered = build(path, golden(network, inputs), target_cycles=64)
    assert lowered.network.input_datatype == datatype
    graph = logits_graph(import_model(path))
    accumulators = lowered.network.accumulators(lowered.codec.quantize(inputs))
    assert np.array_equal(lowered.codec.decode(accumulators), reference_logits(graph, inputs))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dynamo", [False, True])
def test_scaled_weights_and_learned_input_scale(bias, dynamo, tmp_path, build):
    network = brevitas.plain(brevitas.SignedBinaryWeightPerTensorConst, brevitas.Int8ActPerTensorFloat, bias)
    network[0](brevitas.torch.rand(8, 24))
    inputs = images(40, (24,)) - np.float32(0.5)
    path = brevitas.export(network, tmp_path / "fc.onnx", (24,), dynamo=dynamo)
    lowered = build(path, golden(network, inputs))
    assert lowered.network.input_datatype == "INT8"
    assert build.report["layers"][0]["sums_round_in_float32"]


def test_weights_scaled_a_channel(tmp_path, build):
    class PerChannel(brevitas.SignedBinaryWeightPerTensorConst):
        scaling_impl_type = "stats"
        scaling_stats_op = "ave"
        scaling_per_output_channel = True
        restrict_scaling_type = "fp"

    path = brevitas.export(brevitas.plain(PerChannel), tmp_path / "fc.onnx", (24,))
    build(path)
    assert build.report["float_identical"]
    assert all(layer["sums_round_in_float32"] for layer in build.report["layers"])
