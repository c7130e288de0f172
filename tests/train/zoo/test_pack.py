from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from xnorflow.artifact.errors import OutputError, TrainError
from xnorflow.train.binarize.form import Form
from xnorflow.train.checkpoint import Checkpoint
from xnorflow.train.config import DatasetName
from xnorflow.train.evaluate import compute_logits
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.registry import build_network
from xnorflow.train.zoo.pack import pack, unpack

SHAPES = {"TFC": (1, 8, 8), "CNV": (3, 32, 32), "RESNET8": (3, 32, 32)}


def checkpoint(name="TFC_1W1A", **changes) -> Checkpoint:
    """An untrained network whose BatchNorms are random and of whose latent weights some are 0."""
    torch.manual_seed(0)
    settings = NetworkSettings(network=name, **changes)
    shape = SHAPES[settings.network.topology]
    network = build_network(settings, shape, 10)
    with torch.no_grad():
        for key, tensor in network.state_dict().items():
            if key.endswith(("running_mean", "running_var")):
                tensor.copy_(torch.rand_like(tensor) + 0.1)
        for _, layer, _ in network.weighted_layers():
            layer.weight[0] = 0.0
            layer.weight[1] = -0.0
    config = {"network": name, "epochs": 3}
    return Checkpoint(
        settings, Form.BINARY, DatasetName.DIGITS, shape, 10, 5, "binary", 3, config, network.state_dict()
    )


def logits(of: Checkpoint, frames=40):
    images = torch.rand(frames, *of.image_shape, generator=torch.Generator().manual_seed(1))
    return compute_logits(of.network(), images)


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden": (24, 17, 16)},
        {"hidden": (9, 7), "input_bits": 8},
        {"name": "CNV_1W1A", "width": 0.125},
        {"name": "RESNET8_1W1A", "width": 0.25},
        {"name": "RESNET8_1W1A", "width": 0.25, "hardware": False, "block": {"ends": "real", "gate": "published"}},
    ],
    ids=["odd widths", "bytes", "CNV", "residual", "real ends"],
)
def test_the_round_trip_gives_the_same_logits(tmp_path, changes):
    before = checkpoint(**changes)
    pack(before, tmp_path / "net.npz")
    after = unpack(tmp_path / "net.npz")
    assert torch.equal(logits(before), logits(after)) and len(logits(before).unique()) > 5
    for name in ("settings", "form", "dataset", "image_shape", "classes", "seed", "stage", "epoch", "config"):
        assert getattr(after, name) == getattr(before, name)
    assert after.weights.keys() == before.weights.keys()
    for key, tensor in after.weights.items():
        if set(tensor.unique().tolist()) != {-1.0, 1.0}:
            assert torch.equal(tensor, before.weights[key])


def test_a_weight_takes_one_bit(tmp_path):
    small, large = checkpoint(hidden=(64,)), checkpoint(hidden=(64 + 4096,))
    for name, item in (("small", small), ("large", large)):
        pack(item, tmp_path / f"{name}.npz")
    grown = (tmp_path / "large.npz").stat().st_size - (tmp_path / "small.npz").stat().st_size
    weights, norms = 4096 * (64 + 10), 4096 * 4 * 4
    assert grown < (weights / 8 + norms) * 1.01


def test_equal_checkpoints_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        pack(checkpoint(), tmp_path / f"{name}.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        (lambda: checkpoint("TFC_2W2A"), r"^network TFC_2W2A: 2-bit weights, 2-bit activations; allowed: .*one-bit"),
        (lambda: checkpoint("TFC_1W2A"), r"^network TFC_1W2A: 1-bit weights, 2-bit activations; allowed: .*one-bit"),
        (
            lambda: replace(checkpoint(), form=Form.FLOAT, stage="teacher"),
            r"^network TFC_1W1A, stage teacher: form = 'float'; allowed: 'binary'; pack the last stage$",
        ),
        (
            lambda: checkpoint(hardware=False, weight_scale="adabin"),
            r"^network TFC_1W1A, layer features\.2: weight_scale = 'adabin' does not fold into signs; allowed: ",
        ),
        (
            lambda: checkpoint(weight_scale="mean"),
            r"^network TFC_1W1A, layer features\.2: weight_scale = 'mean' does not .*; pack a run that",
        ),
    ],
    ids=["2W2A", "1W2A", "float", "scale", "not deployed"],
)
def test_what_would_lose_something_is_refused(tmp_path, refused, message):
    with pytest.raises(TrainError, match=message):
        pack(refused(), tmp_path / "net.npz")
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"file .*none/net\.npz: No such file or directory; .*; choose another place"):
        pack(checkpoint(), tmp_path / "none" / "net.npz")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TrainError, match=r"packed network .*net\.npz: no such file"):
        unpack(tmp_path / "net.npz")


def rewrite(path, change):
    with np.load(path) as content:
        arrays = dict(content)
    change(arrays)
    np.savez(path, **arrays)


def with_meta(arrays, **changes):
    arrays["meta"] = np.array(json.dumps({**json.loads(str(arrays["meta"])), **changes}))


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:500]),
        lambda path: path.write_bytes(b""),
        lambda path: rewrite(path, lambda arrays: arrays.pop("meta")),
        lambda path: rewrite(path, lambda arrays: with_meta(arrays, format=2)),
        lambda path: rewrite(path, lambda arrays: with_meta(arrays, classes=11)),
        lambda path: rewrite(path, lambda arrays: arrays.pop("plain/features.3.weight")),
        lambda path: rewrite(path, lambda arrays: arrays.update({"bits/features.2.weight": np.zeros(3, np.uint8)})),
        lambda path: rewrite(path, lambda arrays: arrays.update(meta=np.array([{}], dtype=object))),
    ],
    ids=["cut", "empty", "no meta", "format", "classes", "tensor", "bits", "pickle"],
)
def test_damage_is_one_line(tmp_path, damage):
    path = tmp_path / "net.npz"
    pack(checkpoint(), path)
    damage(path)
    with pytest.raises(
        TrainError, match=r"corrupt, or not a packed network of this version \(\w+\); .*; install"
    ) as caught:
        unpack(path)
    assert "\n" not in str(caught.value)
