"""The export stage: from ``<run>/train/`` to ``<run>/export/``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from xnorflow.artifact.errors import ExportError
from xnorflow.artifact.files import sha256_of, stage_directory
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.manifest import Manifest, tool_versions
from xnorflow.artifact.progress import Progress
from xnorflow.export.check import check_equal
from xnorflow.export.qonnx_run import run_qonnx
from xnorflow.export.settle import check_numbers, settle_thresholds
from xnorflow.export.to_qonnx import export_network
from xnorflow.train.checkpoint import CHECKPOINT, Checkpoint, load_checkpoint
from xnorflow.train.config import DataSettings
from xnorflow.train.data import DataSplits, load_data
from xnorflow.train.evaluate import compute_logits
from xnorflow.train.models.base import Network
from xnorflow.train.models.card import streaming_obstacle

__all__ = ["GOLDEN", "MODEL", "ExportSummary", "export", "export_checkpoint", "export_test_set"]

MODEL = "model.onnx"
GOLDEN = "golden.npz"
CHECKED_FRAMES = 100


@dataclass(frozen=True)
class ExportSummary:
    """What export came to.

    Args:
        directory: where its files are.
        model: the ONNX file.
        golden: the golden vectors.
        network: name of the network.
        frames: test images on which torch and QONNX gave the same logits, all of them.
        accuracy_float: share of test images that torch's logits get right.
        seconds: wall time.
    """

    directory: Path
    model: Path
    golden: Path
    network: str
    frames: int
    accuracy_float: float
    seconds: float


def export(train_directory: Path, directory: Path, data: DataSettings, progress: Progress) -> ExportSummary:
    """Export a trained network and write ``directory`` anew: model.onnx, golden.npz, manifest.json.

    The golden vectors are the whole test set. Torch and QONNX execution must agree on every logit of it, exactly.

    Args:
        train_directory: what :func:`xnorflow.train.stage.train` wrote.
        directory: the run's ``export`` folder; appears when all is done.
        data: data set of the training, at the place where it lies now.
        progress: watches one task over the test images.

    Raises:
        InputModelError: a file of ``train_directory`` is missing or was changed.
        TrainError: the checkpoint is corrupt.
        DataError: the data set is missing or damaged.
        ExportError: the network has no hardware form, or its export gives other logits than torch.
        OutputError: the folder cannot be written.
    """
    started = time.perf_counter()
    checkpoint, splits = _read(train_directory, data)
    with stage_directory(directory) as work:
        accuracy = export_test_set(checkpoint, splits, work, progress)
        frames = len(splits.test_labels)
        _write_manifest(work, train_directory, checkpoint, frames, accuracy)
    return ExportSummary(
        directory=directory,
        model=directory / MODEL,
        golden=directory / GOLDEN,
        network=checkpoint.settings.network.value,
        frames=frames,
        accuracy_float=accuracy,
        seconds=time.perf_counter() - started,
    )


def export_test_set(checkpoint: Checkpoint, splits: DataSplits, directory: Path, progress: Progress) -> float:
    """Write model.onnx and golden.npz into ``directory``; returns the share of test images that the network gets right.

    Torch and QONNX execution must agree on every logit of the whole test set, exactly.

    Args:
        checkpoint: of a deployed network.
        splits: the data set that it was trained on.
        directory: an existing folder.
        progress: watches one task over the test images.

    Raises:
        ExportError: the network has no hardware form, or its export gives other logits than torch.
    """
    network, images = _prepare(checkpoint), splits.test_images
    with progress.task("export: torch = QONNX", len(images)) as advance:
        export_network(network, checkpoint.image_shape, directory / MODEL)
        logits = compute_logits(network, torch.from_numpy(images)).numpy()
        check_equal(logits, run_qonnx(directory / MODEL, images, advance=advance))
        GoldenVectors(images, logits, splits.test_labels).save(directory / GOLDEN)
    return float(np.mean(logits.argmax(axis=1) == splits.test_labels))


def export_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Export a network whose data set is not at hand. Torch and QONNX execution must agree on random images, exactly.

    Args:
        checkpoint: of a deployed network.
        path: ONNX file to write.

    Raises:
        ExportError: the network has no hardware form, or its export gives other logits than torch.
    """
    network = _prepare(checkpoint)
    export_network(network, checkpoint.image_shape, path)
    images = torch.rand(CHECKED_FRAMES, *checkpoint.image_shape, generator=torch.Generator().manual_seed(0))
    check_equal(compute_logits(network, images).numpy(), run_qonnx(path, images.numpy()))


def _prepare(checkpoint: Checkpoint) -> Network:
    """Return the network with settled thresholds, after refusing what has no hardware form."""
    obstacle = streaming_obstacle(checkpoint.settings, checkpoint.image_shape, checkpoint.classes)
    if obstacle is not None:
        raise ExportError(obstacle.where, obstacle.found, obstacle.allowed, obstacle.fix) from obstacle
    network = checkpoint.network()
    check_numbers(network)
    settle_thresholds(network)
    return network


def _read(train_directory: Path, data: DataSettings) -> tuple[Checkpoint, DataSplits]:
    Manifest.load(train_directory)
    checkpoint = load_checkpoint(train_directory)
    splits = load_data(data)
    if data.dataset is not checkpoint.dataset or splits.image_shape != checkpoint.image_shape:
        raise ExportError(
            f"data set {data.dataset}",
            f"the checkpoint was trained on {checkpoint.dataset}, images {checkpoint.image_shape}",
            checkpoint.dataset.value,
            "export with the data set of the training",
        )
    return checkpoint, splits


def _write_manifest(work: Path, train_directory: Path, checkpoint: Checkpoint, frames: int, accuracy: float) -> None:
    Manifest.of_folder(
        work,
        [MODEL, GOLDEN],
        name=checkpoint.settings.network.value,
        stage="export",
        tools=tool_versions("xnorflow", "brevitas", "qonnx", "onnx", "onnxruntime", "torch"),
        facts={
            "network": checkpoint.settings.network.value,
            "dataset": checkpoint.dataset.value,
            "seed": checkpoint.seed,
            "epochs": checkpoint.epoch,
            "input_bits": checkpoint.settings.pixel_bits,
            "input_shape": list(checkpoint.image_shape),
            "classes": checkpoint.classes,
            "frames": frames,
            "accuracy_float": accuracy,
            "differing_logits_torch_qonnx": 0,
            "checkpoint_sha256": sha256_of(train_directory / CHECKPOINT),
        },
    ).save(work)
