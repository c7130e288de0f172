"""The train stage: data in memory, the stages of the training, and what it leaves in ``<run>/train/``."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from lightning.fabric import Fabric
from lightning.fabric.loggers import TensorBoardLogger
from lightning.fabric.utilities.exceptions import MisconfigurationException

from xnorflow.artifact.errors import TrainError
from xnorflow.artifact.files import stage_directory, write_text
from xnorflow.artifact.manifest import Manifest, tool_versions
from xnorflow.artifact.progress import Advance, Progress
from xnorflow.train.checkpoint import CHECKPOINT, Checkpoint, read_checkpoint, save_checkpoint
from xnorflow.train.config import Accelerator, DataSettings, TrainSettings, as_toml
from xnorflow.train.deploy import deploy
from xnorflow.train.evaluate import accuracy
from xnorflow.train.image_sets import ImageSets, open_images
from xnorflow.train.loop import EpochMetrics, Loop
from xnorflow.train.quiet import quiet
from xnorflow.train.resume import Journal, discard, journal_key
from xnorflow.train.stages import Classroom, run_stages

__all__ = ["PARTIAL", "TrainSummary", "train"]

METRICS = "metrics.jsonl"
CONFIG = "config.toml"
STAGES = "stages"
TENSORBOARD = "tensorboard"
PARTIAL = "train.partial"


@dataclass(frozen=True)
class TrainSummary:
    """What training came to.

    Args:
        directory: where its files are.
        network: name of the network.
        dataset: name of the data set.
        epochs: epochs done, over all stages.
        loss: mean loss of the last epoch.
        accuracy_float: share of test images that the deployed network gets right, computed by torch.
        test_frames: images in the test set.
        held_out: whether the test images were taken out of the training set.
        parameters: weights and BatchNorm parameters of the deployed network.
        seconds: wall time of the epochs, those before an interruption included.
        cpu_seconds: CPU time of all threads over the same.
    """

    directory: Path
    network: str
    dataset: str
    epochs: int
    loss: float
    accuracy_float: float
    test_frames: int
    held_out: bool
    parameters: int
    seconds: float
    cpu_seconds: float


def train(
    data: DataSettings, settings: TrainSettings, seed: int, directory: Path, progress: Progress, *, resume: bool = True
) -> TrainSummary:
    """Train a network and write ``directory`` anew.

    It holds checkpoint.pt (the deployed network), stages/ (every stage's network as trained), metrics.jsonl (one
    :class:`EpochMetrics` a line), config.toml (as run), manifest.json and tensorboard/. On one kind of CPU the same
    seed gives the same weights, also when the training was interrupted, even killed, and called again.

    Args:
        data: data set.
        settings: network and recipe.
        seed: seed of weights, order of images, shifts and dropout, in [0, 2**32).
        directory: the run's ``train`` folder; appears when all is done. Until then, ``train.partial`` beside it keeps
            what an interrupted training needs to go on.
        progress: watches one task over the epochs.
        resume: whether to go on with an interrupted training of the same settings.

    Raises:
        DataError: the data set is missing or damaged.
        TrainError: settings do not fit together, a checkpoint is missing or corrupt, the loss became NaN or infinite,
            or the accelerator is not there.
        OutputError: the folder cannot be written.
    """
    fabric = _make_fabric(settings)
    images = open_images(data, settings, fabric.device)
    partial = directory.with_name(PARTIAL)
    if not resume and fabric.is_global_zero:
        discard(partial)
    epochs = sum(stage.epochs for stage in settings.all_stages())
    with _threads(settings), progress.task(f"train {settings.network}", epochs) as advance:
        room = _open(data, settings, seed, images, fabric, partial)
        if room.journal.metrics:
            last = room.journal.metrics[-1]
            advance(len(room.journal.metrics), f"resumed after epoch {last.epoch} of stage {last.stage}")
        with _reporting(room, partial, advance) as loop:
            run_stages(room, loop)
        return _finish(room, data, directory)


def _open(
    data: DataSettings, settings: TrainSettings, seed: int, images: ImageSets, fabric: Fabric, partial: Path
) -> Classroom:
    key = journal_key(settings.model_dump(mode="json"), data.dataset, data.hold_out, seed, torch.__version__)
    if fabric.is_global_zero:
        journal = Journal.open(partial, key)
    fabric.barrier()
    if not fabric.is_global_zero:
        journal = Journal.open(partial, key)
    return Classroom(fabric, data.dataset, images, settings, seed, journal)


@contextlib.contextmanager
def _reporting(room: Classroom, partial: Path, advance: Advance) -> Iterator[Loop]:
    """Yield a loop that tells TensorBoard and the progress bar of each epoch and keeps its state on disk."""
    logger = TensorBoardLogger(root_dir=partial, name="", version=TENSORBOARD)
    first = room.fabric.is_global_zero

    def record(line: EpochMetrics) -> None:
        if not first:
            return
        values = {key: value for key, value in asdict(line).items() if isinstance(value, float)}
        values |= {f"losses/{kind}": value for kind, value in line.losses.items()}
        logger.log_metrics({f"{line.stage}/{key}": value for key, value in values.items()}, step=line.epoch)
        advance(1, f"{line.stage}: loss {line.loss:.3f}, test accuracy {line.test_accuracy_float:.2%} (float)")

    def save(state: dict[str, object], line: EpochMetrics) -> None:
        if first:
            room.journal.save_state(state, line)
        else:
            room.journal.metrics.append(line)

    yield Loop(room.seed, record=record, save=save)
    logger.finalize("success")


def _finish(room: Classroom, data: DataSettings, directory: Path) -> TrainSummary:
    """Write the final folder from what the journal's folder holds."""
    stage = room.settings.all_stages()[-1].name
    trained = read_checkpoint(room.journal.checkpoint(stage))
    network, plain = deploy(trained.network(), trained.settings, trained.image_shape, trained.classes)
    right = accuracy(network.to(room.fabric.device), room.images.test)
    checkpoint = replace(trained, settings=plain, weights=network.state_dict())
    metrics = room.journal.metrics
    summary = TrainSummary(
        directory=directory,
        network=plain.network.value,
        dataset=data.dataset.value,
        epochs=len(metrics),
        loss=metrics[-1].loss,
        accuracy_float=right,
        test_frames=room.images.test.frames,
        held_out=room.images.held_out,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        seconds=sum(line.seconds for line in metrics),
        cpu_seconds=sum(line.cpu_seconds for line in metrics),
    )
    if room.fabric.is_global_zero:
        _write(directory, room, data, checkpoint, summary)
    room.fabric.barrier()  # every process has read what goes now
    if room.fabric.is_global_zero:
        room.journal.remove()
    return summary


def _write(directory: Path, room: Classroom, data: DataSettings, checkpoint: Checkpoint, summary: TrainSummary) -> None:
    with stage_directory(directory) as work:
        save_checkpoint(work / CHECKPOINT, checkpoint)
        (work / STAGES).mkdir()
        files = [CHECKPOINT, METRICS, CONFIG]
        for stage in room.journal.stages:
            shutil.copyfile(room.journal.checkpoint(stage), work / STAGES / f"{stage}.pt")
            files.append(f"{STAGES}/{stage}.pt")
        shutil.copytree(room.journal.folder / TENSORBOARD, work / TENSORBOARD, dirs_exist_ok=True)
        write_text(work / METRICS, "".join(json.dumps(asdict(line)) + "\n" for line in room.journal.metrics))
        write_text(work / CONFIG, as_toml(room.seed, data, room.settings))
        facts = {
            "network": summary.network,
            "dataset": summary.dataset,
            "seed": room.seed,
            "epochs": summary.epochs,
            "input_bits": checkpoint.settings.pixel_bits,
            "image_shape": list(checkpoint.image_shape),
            "classes": checkpoint.classes,
            "test_frames": summary.test_frames,
            "held_out": summary.held_out,
            "accuracy_float": summary.accuracy_float,
            "seconds": summary.seconds,
            "cpu_seconds": summary.cpu_seconds,
        }
        tools = tool_versions("xnorflow", "brevitas", "torch", "lightning")
        Manifest.of_folder(work, files, name=summary.network, stage="train", tools=tools, facts=facts).save(work)


@contextlib.contextmanager
def _threads(settings: TrainSettings) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _make_fabric(settings: TrainSettings) -> Fabric:
    several = settings.devices * settings.nodes > 1
    try:
        with quiet():
            fabric = Fabric(
                accelerator=settings.accelerator.value, devices=settings.devices, num_nodes=settings.nodes,
                precision=settings.precision.value, strategy="ddp_find_unused_parameters_true" if several else "auto",
            )  # fmt: skip
        if several:
            fabric.launch()
    except (MisconfigurationException, RuntimeError, ValueError) as reason:
        raise TrainError(
            f"accelerator {settings.accelerator}, devices {settings.devices}",
            "not found on this machine",
            ", ".join(kind.value for kind in Accelerator if kind is not Accelerator.CUDA),
            'set accelerator = "auto" and devices = 1',
        ) from reason
    return fabric
