"""FINN's float streamlining can move a threshold; evaluating the operators cannot."""

from __future__ import annotations

import contextlib
import io

import numpy as np
from finn_graphs import PART
from qonnx_files import QONNX, Chain

from xnorflow.lower.config import OutputKind
from xnorflow.lower.extract_integers import extract_integers
from xnorflow.lower.finn_compat import dataflow_config
from xnorflow.lower.import_model import import_model


def stock_thresholds(path, tmp_path, width):
    """Return the first layer's thresholds on its sums as FINN's own conversion and streamlining give them."""
    from finn.builder.build_dataflow_steps import step_qonnx_to_finn, step_streamline, step_tidy_up
    from qonnx.core.modelwrapper import ModelWrapper

    config = dataflow_config(tmp_path, PART, 10.0)
    model = ModelWrapper(str(path))
    with contextlib.redirect_stdout(io.StringIO()):
        for step in (step_qonnx_to_finn, step_tidy_up, step_streamline):
            model = step(model, config)
    node = next(node for node in model.graph.node if node.op_type == "MultiThreshold")
    popcounts = model.get_initializer(node.input[1]).reshape(-1)
    return 2 * np.ceil(popcounts).astype(int) - width


def test_float_streamlining_moves_thresholds_by_one_and_evaluation_does_not(tmp_path):
    """BatchNorm means that are sums the layer can give: y = 0 exactly there in float32, so the neuron fires."""
    rng = np.random.default_rng(0)
    width, neurons = 64, 256
    means = 2.0 * rng.integers(-31, -10, neurons)
    chain = Chain(shape=(1, width)).annotate("x", "BIPOLAR")
    for inputs, outputs in ((width, neurons), (neurons, 5)):
        weights = chain.side("BipolarQuant", rng.normal(size=(inputs, outputs)), np.asarray(1.0), domain=QONNX)
        chain.op("MatMul", weights)
        if outputs == 5:
            break
        chain.op(
            "BatchNormalization", rng.uniform(0.5, 2, neurons), np.zeros(neurons), means,
            rng.uniform(5, 60, neurons), epsilon=1e-5,
        ).bipolar()  # fmt: skip
    path = chain.save(tmp_path / "model.onnx")

    stock = stock_thresholds(path, tmp_path, width)
    layer = extract_integers(import_model(path), OutputKind.AUTO).network.first
    drift = np.nonzero(stock != layer.thresholds)[0]
    assert 0 < len(drift) < neurons // 2
    assert set(np.abs(stock - layer.thresholds)[drift]) == {2}  # one popcount

    # QONNX itself, on inputs whose sum is the threshold of a neuron that drifted.
    from qonnx.core.onnx_exec import execute_onnx

    plain = import_model(path)
    neuron = int(drift[0])
    frame = layer.weights[:, neuron].copy()
    frame[: (width - int(layer.thresholds[neuron])) // 2] *= -1
    context = execute_onnx(plain, {"x": frame[None].astype(np.float32)}, return_full_exec_context=True)
    sign = next(node for node in plain.graph.node if node.input[0] != "x" and node.op_type == "BipolarQuant").output[0]
    assert frame @ layer.weights[:, neuron] == layer.thresholds[neuron]
    assert context[sign].reshape(-1)[neuron] == 1
