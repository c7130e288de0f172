"""A trained network of one-bit weights in one small file: signs as bits, all other tensors as they are.

The file is an ``.npz``. ``meta`` is a JSON text: format, the checkpoint's fields and the shapes of the packed tensors.
``bits/<tensor>`` holds ``numpy.packbits`` of ``weight >= 0``, row by row; ``plain/<tensor>`` holds any other tensor.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xnorflow.artifact.errors import OutputError, TrainError
from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import BinarizedWeights
from xnorflow.train.checkpoint import Checkpoint

__all__ = ["pack", "unpack"]

FORMAT = 1
META = "meta"
BITS, PLAIN = "bits/", "plain/"


def pack(checkpoint: Checkpoint, path: Path) -> None:
    """Write ``path``. Equal checkpoints give equal bytes, as long as numpy and zlib stay the same.

    Args:
        checkpoint: of a deployed network. Of its latent weights nothing is kept but the signs.
        path: file to write, ``.npz``.

    Raises:
        TrainError: weights or activations have more than one bit, or weights a factor that does not fold.
        OutputError: the file cannot be written.
    """
    binary = _binary_tensors(checkpoint)
    content: dict[str, Any] = {}
    for name, tensor in checkpoint.weights.items():
        if name in binary:
            content[BITS + name] = np.packbits((tensor >= 0).cpu().numpy().ravel())
        else:
            content[PLAIN + name] = tensor.cpu().numpy()
    meta = {
        "format": FORMAT,
        **checkpoint.facts(),
        "packed": {name: list(checkpoint.weights[name].shape) for name in sorted(binary)},
    }
    try:
        np.savez_compressed(path, **{**content, META: np.array(json.dumps(meta))})
    except OSError as reason:
        raise OutputError(
            f"file {path}", reason.strerror or str(reason), "a file you may write", "choose another place"
        ) from reason


def unpack(path: Path) -> Checkpoint:
    """Read what :func:`pack` wrote: a checkpoint whose network gives the same logits, bit for bit.

    Raises:
        TrainError: the file is missing, corrupt or of another version.
    """
    if not path.is_file():
        raise TrainError(f"packed network {path}", "no such file", f"an .npz of format {FORMAT}", "check the path")
    try:
        with np.load(path, allow_pickle=False) as content:
            checkpoint = _read(content)
        checkpoint.network()
    except Exception as reason:  # zipfile, zlib, numpy, json and torch raise a dozen unrelated types on damaged files
        raise TrainError(
            f"packed network {path}",
            f"corrupt, or not a packed network of this version ({type(reason).__name__})",
            f"an .npz of format {FORMAT}",
            "install xnorflow again",
        ) from reason
    return checkpoint


def _binary_tensors(checkpoint: Checkpoint) -> set[str]:
    """Return the names of the weights of one bit, after checking that nothing else would be lost."""
    network = checkpoint.settings.network
    where, allowed = f"network {network}", "networks of one-bit weights and activations"
    if network.weight_bits != 1 or network.activation_bits != 1:
        found = f"{network.weight_bits}-bit weights, {network.activation_bits}-bit activations"
        raise TrainError(where, found, allowed, "keep its checkpoint.pt instead")
    if checkpoint.form is not Form.BINARY:
        raise TrainError(
            f"{where}, stage {checkpoint.stage}", f"form = {checkpoint.form.value!r}", "'binary'", "pack the last stage"
        )
    layers = [item for item in checkpoint.network().named_modules() if isinstance(item[1], BinarizedWeights)]
    for name, layer in layers:
        if layer.bits == 1 and not layer.plain:
            raise TrainError(
                f"{where}, layer {name}",
                f"weight_scale = {checkpoint.settings.weight_scale.value!r} does not fold into signs",
                "scales that fold into the BatchNorm behind them",
                "pack a run that `xnorflow train` finished",
            )
    return {f"{name}.weight" for name, layer in layers if layer.bits == 1}


def _read(content: Any) -> Checkpoint:
    meta = json.loads(str(content[META]))
    if meta["format"] != FORMAT:
        raise ValueError(f"format {meta['format']}")
    weights: dict[str, Tensor] = {}
    for key in content.files:
        if key.startswith(PLAIN):
            weights[key.removeprefix(PLAIN)] = torch.from_numpy(content[key])
        elif key.startswith(BITS):
            name = key.removeprefix(BITS)
            weights[name] = _signs(content[key], tuple(meta["packed"][name]))
    return Checkpoint.from_facts(meta, Form.BINARY, weights)


def _signs(packed: Any, shape: tuple[int, ...]) -> Tensor:
    """Return +1 and -1, float32, of packed bits; the last byte's spare bits must be 0."""
    count = int(np.prod(shape))
    bits = np.unpackbits(packed)
    if len(bits) - count not in range(8) or bits[count:].any():
        raise ValueError(f"{len(bits)} bits for {count} weights")
    return torch.from_numpy(bits[:count].astype(np.float32) * 2 - 1).reshape(shape)
