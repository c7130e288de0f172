"""The train stage: data in memory, the loop, and what it leaves in ``<run>/train/``."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from lightning.fabric import Fabric
from lightning.fabric.loggers import TensorBoardLogger
from lightning.fabric.utilities.exceptions import MisconfigurationException

from xnorflow.artifact.errors import TrainError
from xnorflow.artifact.files import stage_directory, write_text
from xnorflow.artifact.manifest import Manifest, tool_versions
from xnorflow.artifact.progress import Advance, Progress
from xnorflow.train.checkpoint import CHECKPOINT, Checkpoint, save_checkpoint
from xnorflow.train.config import DataSettings, TrainSettings, as_toml
from xnorflow.train.data import DataSplits, load_data
from xnorflow.train.loop import EpochMetrics, Samples, fit
from xnorflow.train.models.registry import build_network
from xnorflow.train.quiet import quiet

__all__ = ["TrainSummary", "train"]

METRICS = "metrics.jsonl"
CONFIG = "config.toml"


@dataclass(frozen=True)
class TrainSummary:
    """What training came to.

    Args:
        directory: where its files are.
        network: name of the network.
        dataset: name of the data set.
        epochs: epochs done.
        loss: mean loss of the last epoch.
        accuracy_float: share of test images right after the last epoch, computed by torch.
        test_frames: images in the test set.
        parameters: latent weights and BatchNorm parameters.
        seconds: wall time, reading the data included.
    """

    directory: Path
    network: str
    dataset: str
    epochs: int
    loss: float
    accuracy_float: float
    test_frames: int
    parameters: int
    seconds: float


def train(data: DataSettings, settings: TrainSettings, seed: int, directory: Path, progress: Progress) -> TrainSummary:
    """Train a network and write ``directory`` anew.

    It holds checkpoint.pt, metrics.jsonl (one :class:`EpochMetrics` a line), config.toml (as run), manifest.json and
    tensorboard/. On one kind of CPU the same seed gives the same weights.

    Args:
        data: data set.
        settings: network and recipe.
        seed: seed of weights, order of images, shifts and dropout, in [0, 2**32).
        directory: the run's ``train`` folder; appears when all is done.
        progress: watches one task over the epochs.

    Raises:
        DataError: the data set is missing or damaged.
        TrainError: the loss became NaN or infinite, or the accelerator is not there.
        OutputError: the folder cannot be written.
    """
    started = time.perf_counter()
    splits = load_data(data)
    fabric = _make_fabric(settings)
    fabric.seed_everything(seed, verbose=False)
    metrics: list[EpochMetrics] = []
    label = f"train {settings.network}"
    with _threads(settings), stage_directory(directory) as work, progress.task(label, settings.epochs) as advance:
        network = build_network(settings, splits.image_shape, splits.classes)
        logger = TensorBoardLogger(root_dir=work, name="", version="tensorboard")
        train_set, test_set = _to_device(fabric, splits)
        fit(fabric, network, train_set, test_set, settings, seed, lambda m: _record(m, metrics, logger, advance))
        logger.finalize("success")
        checkpoint = Checkpoint(
            settings, data.dataset, splits.image_shape, splits.classes, seed, settings.epochs, network.state_dict()
        )
        save_checkpoint(work / CHECKPOINT, checkpoint)
        write_text(work / METRICS, "".join(json.dumps(asdict(line)) + "\n" for line in metrics))
        write_text(work / CONFIG, as_toml(seed, data, settings))
        _write_manifest(work, checkpoint, metrics[-1], len(splits.test_labels))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return _summarize(directory, checkpoint, metrics[-1], len(splits.test_labels), parameters, started)


def _summarize(
    directory: Path, checkpoint: Checkpoint, last: EpochMetrics, test_frames: int, parameters: int, started: float
) -> TrainSummary:
    return TrainSummary(
        directory=directory,
        network=checkpoint.settings.network.value,
        dataset=checkpoint.dataset.value,
        epochs=last.epoch,
        loss=last.loss,
        accuracy_float=last.test_accuracy_float,
        test_frames=test_frames,
        parameters=parameters,
        seconds=time.perf_counter() - started,
    )


@contextlib.contextmanager
def _threads(settings: TrainSettings) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _make_fabric(settings: TrainSettings) -> Fabric:
    try:
        with quiet():
            return Fabric(accelerator=settings.accelerator.value, devices=1, precision=settings.precision.value)
    except (MisconfigurationException, RuntimeError, ValueError) as reason:
        raise TrainError(
            f"accelerator {settings.accelerator}", "not found on this machine", "auto, cpu", 'set accelerator = "auto"'
        ) from reason


def _to_device(fabric: Fabric, splits: DataSplits) -> tuple[Samples, Samples]:
    """Move both sets to the device as a whole: with images this small a loader costs more than the step."""
    tensors = [
        torch.from_numpy(array).to(fabric.device)
        for array in (splits.train_images, splits.train_labels, splits.test_images, splits.test_labels)
    ]
    return Samples(tensors[0], tensors[1]), Samples(tensors[2], tensors[3])


def _record(line: EpochMetrics, metrics: list[EpochMetrics], logger: TensorBoardLogger, advance: Advance) -> None:
    metrics.append(line)
    logger.log_metrics({key: value for key, value in asdict(line).items() if key != "epoch"}, step=line.epoch)
    advance(1, f"loss {line.loss:.3f}, test accuracy {line.test_accuracy_float:.2%} (float)")


def _write_manifest(work: Path, checkpoint: Checkpoint, last: EpochMetrics, test_frames: int) -> None:
    facts = {
        "network": checkpoint.settings.network.value,
        "dataset": checkpoint.dataset.value,
        "seed": checkpoint.seed,
        "epochs": checkpoint.epoch,
        "input_bits": checkpoint.settings.input_bits,
        "image_shape": list(checkpoint.image_shape),
        "classes": checkpoint.classes,
        "test_frames": test_frames,
        "accuracy_float": last.test_accuracy_float,
    }
    Manifest.of_folder(
        work,
        [CHECKPOINT, METRICS, CONFIG],
        name=checkpoint.settings.network.value,
        stage="train",
        tools=tool_versions("xnorflow", "brevitas", "torch", "lightning"),
        facts=facts,
    ).save(work)
