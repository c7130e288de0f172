"""The training loop. The last epoch's weights are kept: none is chosen by its test accuracy."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from xnorflow.artifact.errors import TrainError
from xnorflow.train.binarize.layers import in_form
from xnorflow.train.config import StageSettings
from xnorflow.train.evaluate import accuracy
from xnorflow.train.schedule import clip_adaptively, make_optimizer, make_scheduler
from xnorflow.train.sources import Images, Share
from xnorflow.train.trainee import Trainee

__all__ = ["EpochMetrics", "Loop", "fit"]

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


@dataclass(frozen=True)
class EpochMetrics:
    """One line of metrics.jsonl.

    Args:
        stage: name of the stage.
        epoch: counts from 1 in each stage.
        loss: mean over the steps of the epoch.
        losses: mean of each term, times its weight, and of what terms observe.
        train_accuracy_float: share of training images that came out right during the epoch, dropout and shifts at work.
        test_accuracy_float: share of test images that come out right in eval mode after the epoch.
        learning_rate: at the last step of the epoch.
        seconds: wall time of the epoch, the test included.
        cpu_seconds: time of all this process's threads on the CPU.
    """

    stage: str
    epoch: int
    loss: float
    losses: dict[str, float]
    train_accuracy_float: float
    test_accuracy_float: float
    learning_rate: float
    seconds: float
    cpu_seconds: float


@dataclass
class Loop:
    """What :func:`fit` works with besides networks and data.

    Args:
        seed: orders and moves images.
        restored: state that a former :func:`fit` of the same stage handed to ``save``, or None.
        record: hears of each epoch.
        save: is given the state after each epoch, to continue from bit for bit.
    """

    seed: int
    restored: dict[str, Any] | None = None
    record: Callable[[EpochMetrics], None] = field(default=lambda metrics: None)
    save: Callable[[dict[str, Any], EpochMetrics], None] = field(default=lambda state, metrics: None)


def fit(fabric: Fabric, trainee: Trainee, train: Images, test: Images, stage: StageSettings, loop: Loop) -> None:
    """Train ``trainee`` in place for all epochs of a stage.

    Raises:
        TrainError: the loss became NaN or infinite.
    """
    generator = torch.Generator().manual_seed(loop.seed)
    batch_size = min(stage.batch_size, train.frames)
    phases = 2 if stage.update_norms else 1
    steps = train.frames // batch_size * phases
    model, optimizer = fabric.setup(trainee, make_optimizer(fabric.to_device(trainee), stage))
    scheduler = make_scheduler(optimizer, stage, steps)
    share = Share(fabric.global_rank, fabric.world_size)
    first, last = _restore(loop.restored, trainee, optimizer, scheduler, generator), None
    for epoch in range(first, stage.epochs + 1):
        clock, sums, rate = _Clock(), _Sums(), 0.0
        trainee.train()
        batches = chain.from_iterable(_phase(train, phase, batch_size, generator, share) for phase in range(phases))
        for step, (phase, images, labels) in enumerate(batches, (epoch - 1) * steps):
            rate = optimizer.param_groups[0]["lr"]
            loss, logits, parts = model(images, labels, step / (stage.epochs * steps))
            optimizer.zero_grad()
            fabric.backward(loss)
            _tend_gradients(fabric, trainee, optimizer, stage, norms_only=phase == 1)
            optimizer.step()
            scheduler.step()
            trainee.after_step()
            sums.add(_finite(loss.item(), stage.name, step + 1, rate, last), parts, logits, labels)
        with in_form(trainee.student, stage.form):  # a term may have left it between two forms
            test_accuracy = accuracy(trainee.student, test)
        last = sums.metrics(fabric, stage.name, epoch, test_accuracy, rate, clock)
        loop.record(last)
        loop.save(_state(epoch, trainee, optimizer, scheduler, generator), last)
    trainee.end_stage()


def _phase(
    train: Images, phase: int, size: int, generator: torch.Generator, share: Share
) -> Iterator[tuple[int, Tensor, Tensor]]:
    for images, labels in train.epoch(size, generator, share):
        yield phase, images, labels


def _tend_gradients(
    fabric: Fabric, trainee: Trainee, optimizer: Any, stage: StageSettings, *, norms_only: bool
) -> None:
    if norms_only:
        kept = {id(weight) for layer in trainee.modules() if isinstance(layer, NORMS) for weight in layer.parameters()}
        for weight in trainee.parameters():
            weight.grad = weight.grad if id(weight) in kept else None
    if stage.adaptive_clip:
        clip_adaptively(trainee.parameters(), stage.adaptive_clip)
    if stage.clip_gradient:
        fabric.clip_gradients(trainee, optimizer, max_norm=stage.clip_gradient)


def _state(epoch: int, trainee: Trainee, optimizer: Any, scheduler: Any, generator: torch.Generator) -> dict[str, Any]:
    """Return all that the next epoch depends on."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"epoch": epoch, "trainee": trainee.state_dict(), "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(), "order": generator.get_state(), "torch": torch.get_rng_state(),
            "cuda": cuda}  # fmt: skip


def _restore(
    state: dict[str, Any] | None, trainee: Trainee, optimizer: Any, scheduler: Any, generator: torch.Generator
) -> int:
    """Put ``state`` back; returns the epoch to go on with."""
    if state is None:
        return 1
    trainee.load_state_dict(state["trainee"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    generator.set_state(state["order"])
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    return int(state["epoch"]) + 1


class _Clock:
    """Wall time and CPU time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Return both in seconds."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


class _Sums:
    """Running sums of an epoch."""

    def __init__(self) -> None:
        self._steps, self._loss, self._correct, self._frames = 0, 0.0, 0, 0
        self._parts: dict[str, float] = {}

    def add(self, loss: float, parts: dict[str, Tensor], logits: Tensor, labels: Tensor) -> None:
        self._steps += 1
        self._loss += loss
        self._correct += int((logits.argmax(1) == labels).sum())
        self._frames += len(labels)
        for kind, part in parts.items():
            self._parts[kind] = self._parts.get(kind, 0.0) + float(part.detach())

    def metrics(self, fabric: Fabric, stage: str, epoch: int, test: float, rate: float, clock: _Clock) -> EpochMetrics:
        """Return the means over all processes."""
        values = [self._loss, *self._parts.values(), self._correct, self._frames]
        if fabric.world_size > 1:
            total = torch.tensor(values, dtype=torch.float64, device=fabric.device)
            values = fabric.all_reduce(total, reduce_op="sum").tolist()
        count = self._steps * fabric.world_size
        losses = {kind: value / count for kind, value in zip(self._parts, values[1:], strict=False)}
        train = values[-2] / values[-1]
        seconds, cpu_seconds = clock.read()
        return EpochMetrics(stage, epoch, values[0] / count, losses, train, test, rate, seconds, cpu_seconds)


def _finite(loss: float, stage: str, step: int, rate: float, last: EpochMetrics | None) -> float:
    if math.isfinite(loss):
        return loss
    before = (
        f"epoch {last.epoch}: loss {last.loss:.4g}, test accuracy {last.test_accuracy_float:.4f}" if last else "none"
    )
    raise TrainError(
        f"stage {stage}, training step {step}",
        f"the loss is {loss} at learning rate {rate:.4g} (last finite epoch: {before})",
        "a finite loss",
        "lower learning_rate",
    )
