"""Settings of training: the ``[data]`` and ``[train]`` tables of an experiment. Imports nothing heavy."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Accelerator",
    "DataSettings",
    "DatasetName",
    "LossName",
    "NetworkName",
    "OptimizerName",
    "Precision",
    "SchedulerName",
    "TrainSettings",
    "as_toml",
]

Width = Annotated[int, Field(ge=1, le=65536)]


class DatasetName(StrEnum):
    """Data sets of labeled gray images."""

    DIGITS = "digits"  # 1,797 images of 8x8 that scikit-learn carries: no download, no root
    MNIST = "mnist"
    FASHION_MNIST = "fashion_mnist"


class NetworkName(StrEnum):
    """Networks by the names of Brevitas's bnn_pynq examples: size, weight bits, activation bits."""

    TFC_1W1A = "TFC_1W1A"
    SFC_1W1A = "SFC_1W1A"
    LFC_1W1A = "LFC_1W1A"


class OptimizerName(StrEnum):
    """Rules by which the latent real weights move."""

    ADAM = "adam"
    SGD = "sgd"  # with momentum 0.9


class SchedulerName(StrEnum):
    """Course of the learning rate, step by step."""

    COSINE = "cosine"  # from learning_rate to 0 over all steps
    NONE = "none"


class LossName(StrEnum):
    """What training makes small."""

    CROSS_ENTROPY = "cross_entropy"
    SQUARED_HINGE = "squared_hinge"


class Accelerator(StrEnum):
    """Where training runs, in Lightning Fabric's words."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Precision(StrEnum):
    """Number format of training, in Lightning Fabric's words. Export always computes in float32."""

    FULL = "32-true"
    BFLOAT16_MIXED = "bf16-mixed"


class DataSettings(BaseModel):
    """The ``[data]`` table of an experiment.

    Args:
        dataset: which data set.
        root: folder with the files in torchvision's layout, ``<root>/MNIST/raw/...``; unused for digits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dataset: DatasetName
    root: Path | None = None


class TrainSettings(BaseModel):
    """The ``[train]`` table of an experiment.

    Args:
        network: topology and bit widths.
        hidden: widths of the hidden layers in place of the network's own.
        input_bits: bits of a pixel as the network sees it: 1 (at least 1/2 or not) or 8.
        epochs: passes over the training images.
        batch_size: images a step; an incomplete last batch of an epoch is left out, as BatchNorm needs company.
        learning_rate: at the first step.
        weight_decay: L2 penalty. It pulls latent weights to 0, where their signs flip at random: usually 0.
        optimizer: how weights move.
        scheduler: how the learning rate falls.
        dropout: share of activations set to 0 in training, at the input and after each hidden layer.
        loss: what is made small.
        shift: training images move by up to this many pixels in x and y, anew each epoch.
        accelerator: where to train.
        precision: number format of training.
        threads: CPU threads. More of them help networks of 1024 neurons; smaller ones they slow down, by a factor of
            ten on a busy machine. Float sums are added in an order that depends on it: other numbers, other weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    network: NetworkName
    hidden: Annotated[tuple[Width, ...], Field(min_length=1, max_length=32)] | None = None
    input_bits: Literal[1, 8] = 1
    epochs: int = Field(default=30, ge=1, le=100_000)
    batch_size: int = Field(default=128, ge=2, le=1_000_000)
    learning_rate: float = Field(default=0.01, gt=0, le=10)
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    optimizer: OptimizerName = OptimizerName.ADAM
    scheduler: SchedulerName = SchedulerName.COSINE
    dropout: float = Field(default=0.2, ge=0, lt=1)
    loss: LossName = LossName.CROSS_ENTROPY
    shift: int = Field(default=0, ge=0, le=8)
    accelerator: Accelerator = Accelerator.AUTO
    precision: Precision = Precision.FULL
    threads: int = Field(default=1, ge=1, le=1024)


def as_toml(seed: int, data: DataSettings, settings: TrainSettings) -> str:
    """Return the settings as TOML that reads back as the same settings; defaults are spelled out."""
    lines = [f"seed = {seed}"]
    for table, model in (("data", data), ("train", settings)):
        lines += ["", f"[{table}]"]
        content: dict[str, Any] = model.model_dump(mode="json", exclude_none=True)
        # JSON's numbers, flat lists and strings are TOML's, provided that non-ASCII letters stay as they are.
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in content.items()]
    return "\n".join(lines) + "\n"
