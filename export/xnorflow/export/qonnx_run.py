"""Run a QONNX graph on many frames at once. Imports no torch: lower uses it too."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.progress import Advance

__all__ = ["run_qonnx"]

Array = npt.NDArray[Any]


def run_qonnx(model: Path | Any, inputs: Array, batch: int = 500, advance: Advance | None = None) -> Array:
    """Execute a graph of QONNX and ONNX nodes with qonnx's own executor.

    The executor takes 20 to 50 ms a run whatever the batch, so the graph is rewritten to a larger batch first. A graph
    that does not bear this (a batch of 1 baked into a constant, say) is found out, by an error or by its first frames
    differing from what the graph itself gives for them, and run frame by frame.

    Args:
        model: path of an ONNX file or a qonnx ModelWrapper, with one input of a static shape whose first dimension is
            a batch of 1. Every tensor's shape is known or can be inferred. It is not changed.
        inputs: (frames, ...), reshaped to the graph's input; at least one frame.
        batch: frames a run.
        advance: told of frames done.

    Returns:
        The graph's first output, (frames, ...): float32 for logits, int64 where the graph ends in labels.
    """
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.infer_shapes import InferShapes

    single = ModelWrapper(str(model)) if isinstance(model, Path) else model
    if not single.check_all_tensor_shapes_specified():
        single = single.transform(InferShapes())
    shape = single.get_tensor_shape(single.graph.input[0].name)
    frames = np.asarray(inputs, np.float32).reshape(-1, *shape[1:])
    batch = min(batch, len(frames))
    many = _rebatch(single, frames[:batch])
    if many is None:
        many, batch = single, 1
    results = []
    for start in range(0, len(frames), batch):
        part = frames[start : start + batch]
        missing = batch - len(part)
        padded = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
        results.append(_execute(many, padded)[: len(part)])
        if advance is not None:
            advance(len(part), "")
    return np.concatenate(results)


def _rebatch(single: Any, frames: Array) -> Any | None:
    """Return the graph for batches of ``len(frames)``, or None where it cannot be had."""
    from qonnx.transformation.change_batchsize import ChangeBatchSize
    from qonnx.transformation.infer_shapes import InferShapes

    if len(frames) == 1:
        return single
    try:
        many = copy.deepcopy(single).transform(ChangeBatchSize(len(frames))).transform(InferShapes())
        found = _execute(many, frames)
    except Exception:  # whatever qonnx or onnxruntime trips over: such a graph runs as it is
        return None
    if len(found) != len(frames):
        return None
    for row in (0, len(frames) - 1):
        alone = _execute(single, frames[row : row + 1])[0]
        # Float sums may round differently in a larger matrix product; rows that mix, or a flipped bit, are far off.
        if found[row].shape != alone.shape or not np.allclose(found[row], alone, rtol=1e-4, atol=1e-4):
            return None
    return many


def _execute(model: Any, frames: Array) -> Array:
    from qonnx.core.onnx_exec import execute_onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        output: Array = execute_onnx(model, {model.graph.input[0].name: frames})[model.graph.output[0].name]
    return output
