"""From a Brevitas network to a cleaned QONNX file."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from xnorflow.train.quiet import quiet

__all__ = ["OPSET", "export_network"]

OPSET = 13


def export_network(network: nn.Module, image_shape: tuple[int, ...], path: Path) -> None:
    """Write a network as QONNX: batch 1, static shapes, constants folded, quantizers kept, readable unique names.

    The TorchScript exporter is used: it gives MatMul and Flatten at opset 13, where torch's newer one gives Gemm and
    Reshape at opset 18. Equal weights give equal bytes.

    Args:
        network: a Brevitas network, on the CPU; exported in eval mode.
        image_shape: shape of one frame, without the batch.
        path: ONNX file to write. Input ``global_in``, output ``global_out``.
    """
    with quiet():
        from brevitas.export import export_qonnx
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.util.cleanup import cleanup_model

        example = torch.zeros(1, *image_shape)
        export_qonnx(network.eval(), args=example, export_path=str(path), opset_version=OPSET, dynamo=False)
        cleanup_model(ModelWrapper(str(path))).save(str(path))
