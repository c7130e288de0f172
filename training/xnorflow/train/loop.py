"""The training loop. The last epoch's weights are kept: none is chosen by its test accuracy."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler

from xnorflow.artifact.errors import TrainError
from xnorflow.train.augment import random_shift
from xnorflow.train.config import OptimizerName, SchedulerName, TrainSettings
from xnorflow.train.evaluate import accuracy
from xnorflow.train.losses import make_loss

__all__ = ["EpochMetrics", "Samples", "fit"]


@dataclass(frozen=True)
class Samples:
    """Images and labels on the device of training: float32 (frames, channels, height, width), int64 (frames,)."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class EpochMetrics:
    """One line of metrics.jsonl.

    Args:
        epoch: counts from 1.
        loss: mean over the steps of the epoch.
        train_accuracy_float: share of training images that came out right during the epoch, dropout and shifts at work.
        test_accuracy_float: share of test images that come out right in eval mode after the epoch.
        learning_rate: at the last step of the epoch.
        seconds: wall time of the epoch, the test included.
    """

    epoch: int
    loss: float
    train_accuracy_float: float
    test_accuracy_float: float
    learning_rate: float
    seconds: float


def fit(
    fabric: Fabric,
    network: nn.Module,
    train: Samples,
    test: Samples,
    settings: TrainSettings,
    seed: int,
    record: Callable[[EpochMetrics], None],
) -> None:
    """Train ``network`` in place for all epochs; ``seed`` orders and moves images, ``record`` hears of each epoch.

    Raises:
        TrainError: the loss became NaN or infinite.
    """
    generator = torch.Generator().manual_seed(seed)
    batch_size = min(settings.batch_size, len(train.labels))
    steps = len(train.labels) // batch_size
    loss_of = make_loss(settings.loss)
    model, optimizer = fabric.setup(network, _make_optimizer(network, settings))
    scheduler = _make_scheduler(optimizer, settings, steps)
    last: EpochMetrics | None = None
    for epoch in range(1, settings.epochs + 1):
        started, loss_sum, correct, rate = time.perf_counter(), 0.0, 0, 0.0
        model.train()
        for step, rows in enumerate(_batches(len(train.labels), batch_size, generator)):
            images, labels = random_shift(train.images[rows], settings.shift, generator), train.labels[rows]
            rate = optimizer.param_groups[0]["lr"]
            logits = model(images)
            loss = loss_of(logits, labels)
            optimizer.zero_grad()
            fabric.backward(loss)
            optimizer.step()
            scheduler.step()
            loss_sum += _finite(loss.item(), (epoch - 1) * steps + step + 1, rate, last)
            correct += int((logits.argmax(1) == labels).sum())
        test_accuracy = accuracy(model, test.images, test.labels)
        seconds = time.perf_counter() - started
        last = EpochMetrics(epoch, loss_sum / steps, correct / (steps * batch_size), test_accuracy, rate, seconds)
        record(last)


def _batches(count: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the row numbers of each full batch of a random order."""
    for rows in torch.split(torch.randperm(count, generator=generator), batch_size):
        if len(rows) == batch_size:
            yield rows


def _finite(loss: float, step: int, rate: float, last: EpochMetrics | None) -> float:
    if math.isfinite(loss):
        return loss
    before = (
        f"epoch {last.epoch}: loss {last.loss:.4g}, test accuracy {last.test_accuracy_float:.4f}" if last else "none"
    )
    raise TrainError(
        f"training step {step}",
        f"the loss is {loss} at learning rate {rate:.4g} (last finite epoch: {before})",
        "a finite loss",
        "lower learning_rate",
    )


def _make_optimizer(network: nn.Module, settings: TrainSettings) -> Optimizer:
    if settings.optimizer is OptimizerName.ADAM:
        return Adam(network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    return SGD(network.parameters(), settings.learning_rate, momentum=0.9, weight_decay=settings.weight_decay)


def _make_scheduler(optimizer: Optimizer, settings: TrainSettings, steps: int) -> LRScheduler:
    if settings.scheduler is SchedulerName.COSINE:
        return CosineAnnealingLR(optimizer, settings.epochs * steps)
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
