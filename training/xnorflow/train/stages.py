"""The stages of a training, one after the other: build, begin from and look up to what came before, fit, keep."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor

from xnorflow.artifact.errors import TrainError
from xnorflow.train.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from xnorflow.train.config import DatasetName, StageSettings, TrainSettings, is_file_name
from xnorflow.train.image_sets import ImageSets
from xnorflow.train.loop import Loop, fit
from xnorflow.train.models.base import Network
from xnorflow.train.models.registry import build_network
from xnorflow.train.resume import Journal
from xnorflow.train.trainee import Trainee

__all__ = ["Classroom", "run_stages"]

SEED_STRIDE = 1_000_003  # stages draw other numbers than each other, whatever the seed


@dataclass(frozen=True)
class Classroom:
    """What all stages share.

    Args:
        fabric: devices and precision.
        dataset: name of the data set.
        images: training and test images.
        settings: the ``[train]`` table.
        seed: of the experiment.
        journal: what is done already.
    """

    fabric: Fabric
    dataset: DatasetName
    images: ImageSets
    settings: TrainSettings
    seed: int
    journal: Journal


def run_stages(room: Classroom, loop: Loop) -> None:
    """Run the stages that the journal does not name as finished; leaves one checkpoint of each beside the journal.

    Args:
        room: data, settings and journal.
        loop: reporting; its seed and restored state are set here, stage by stage.

    Raises:
        TrainError: a checkpoint is missing or another network's, a loss does not fit, or the loss is no number.
    """
    stages = room.settings.all_stages()
    _rehearse(room)
    for index, stage in enumerate(stages):
        if stage.name in room.journal.stages:
            continue
        loop.seed = (room.seed + index * SEED_STRIDE) % 2**63
        loop.restored = room.journal.load_state()
        _run_stage(room, stage, loop)


def _rehearse(room: Classroom) -> None:
    """Build every stage's networks and terms, so that what does not fit is told before hours are spent on a stage."""
    probe = next(iter(room.images.test.test()))
    untrained: dict[str, Network] = {}
    for stage in room.settings.all_stages():
        student = untrained[stage.name] = _on_device(_build(stage, room), room)
        for reference in (stage.init, stage.teacher):
            if reference is not None and is_file_name(reference):
                _check_data(read_checkpoint(Path(reference)), reference, stage.name, room)
        if stage.init is not None:
            _begin_with(student, _weights(stage.init, room, untrained), stage)
        teacher = None
        if stage.teacher is not None:
            known = untrained.get(stage.teacher)
            teacher = known if known is not None else _load_teacher(stage, room)
        Trainee(student, stage.losses, teacher and teacher.eval(), stage.name).attach(*probe)


def _run_stage(room: Classroom, stage: StageSettings, loop: Loop) -> None:
    torch.manual_seed(loop.seed)
    student = _build(stage, room)
    if stage.init is not None:
        _begin_with(student, _weights(stage.init, room, {}), stage)
    teacher = _load_teacher(stage, room)
    student = _on_device(student, room)
    trainee = Trainee(student, stage.losses, teacher, stage.name)
    trainee.attach(*next(iter(room.images.test.test())))
    fit(room.fabric, trainee, room.images.train, room.images.test, stage, loop)
    if room.fabric.is_global_zero:
        images, config = room.images, room.settings.model_dump(mode="json", exclude_none=True)
        checkpoint = Checkpoint(
            stage.network_settings(), stage.form, room.dataset, images.image_shape, images.classes, room.seed,
            stage.name, stage.epochs, config, student.state_dict(),
        )  # fmt: skip
        save_checkpoint(room.journal.checkpoint(stage.name), checkpoint)
        room.journal.finish_stage(stage.name)
    room.fabric.barrier()
    if not room.fabric.is_global_zero:
        room.journal.stages[stage.name] = ""


def _build(stage: StageSettings, room: Classroom) -> Network:
    return build_network(stage.network_settings(), room.images.image_shape, room.images.classes, stage.form)


def _weights(reference: str, room: Classroom, untrained: dict[str, Network]) -> dict[str, Tensor]:
    return untrained[reference].state_dict() if reference in untrained else _read(reference, room).weights


def _begin_with(student: Network, weights: dict[str, Tensor], stage: StageSettings) -> None:
    """Copy the weights of the stage's ``init``; estimators and scales may differ, topology and widths may not."""
    own = student.state_dict()
    weights = {key: value for key, value in weights.items() if ".scaling." not in key or key in own}
    wrong = [key for key in own if ".scaling." not in key
             and (key not in weights or weights[key].shape != own[key].shape)]  # fmt: skip
    if wrong or not weights.keys() <= own.keys():
        key = wrong[0] if wrong else next(key for key in weights if key not in own)
        shapes = [tuple(state[key].shape) if key in state else "absent" for state in (weights, own)]
        raise TrainError(
            f"stage {stage.name}, init {stage.init}",
            f"tensor {key}: {shapes[0]} there, {shapes[1]} here",
            "a checkpoint of the same network and width",
            "give both stages the same network",
        )
    student.load_state_dict({**own, **weights})


def _load_teacher(stage: StageSettings, room: Classroom) -> Network | None:
    if stage.teacher is None:
        return None
    return _on_device(_read(stage.teacher, room).network(), room).requires_grad_(False)


def _on_device(network: Network, room: Classroom) -> Network:
    channels_last: dict[str, Any] = {"memory_format": torch.channels_last}  # torch's own types do not know it here
    return network.to(room.fabric.device).to(**channels_last)


def _read(reference: str, room: Classroom) -> Checkpoint:
    path = Path(reference) if is_file_name(reference) else room.journal.checkpoint(reference)
    return read_checkpoint(path)


def _check_data(checkpoint: Checkpoint, reference: str, stage: str, room: Classroom) -> None:
    found, allowed = (checkpoint.image_shape, checkpoint.classes), (room.images.image_shape, room.images.classes)
    if found != allowed:
        raise TrainError(
            f"stage {stage}, checkpoint {reference}",
            f"images {found[0]}, {found[1]} classes",
            f"those of {room.dataset}: images {allowed[0]}, {allowed[1]} classes",
            "name a checkpoint of the same data set",
        )
