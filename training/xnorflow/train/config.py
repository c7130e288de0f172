"""Settings of training: the ``[data]`` and ``[train]`` tables of an experiment. Imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xnorflow.train.binarize.form import Form
from xnorflow.train.distill.config import CrossEntropy, TermSettings
from xnorflow.train.models.config import NetworkName, NetworkSettings

__all__ = ["Accelerator", "DataSettings", "DatasetName", "NetworkName", "OptimizerName", "Precision", "RecipeSettings",
           "SchedulerName", "StageSettings", "TrainSettings", "as_toml", "classes_of", "image_shape_of",
           "is_file_name"]  # fmt: skip


class DatasetName(StrEnum):
    """Data sets of labeled images."""

    DIGITS = "digits"  # 1,797 images of 8x8 that scikit-learn carries: no download, no root
    MNIST = "mnist"
    FASHION_MNIST = "fashion_mnist"
    CIFAR10 = "cifar10"
    IMAGENET = "imagenet"  # read from files while training; for `xnorflow train` only


IMAGES = {
    DatasetName.DIGITS: ((1, 8, 8), 10),
    DatasetName.MNIST: ((1, 28, 28), 10),
    DatasetName.FASHION_MNIST: ((1, 28, 28), 10),
    DatasetName.CIFAR10: ((3, 32, 32), 10),
    DatasetName.IMAGENET: ((3, 224, 224), 1000),
}


def image_shape_of(dataset: DatasetName) -> tuple[int, int, int]:
    """Return channels, height and width of a data set's images as networks get them; needs no files."""
    return IMAGES[dataset][0]


def classes_of(dataset: DatasetName) -> int:
    """Return the number of classes of a data set; needs no files."""
    return IMAGES[dataset][1]


class OptimizerName(StrEnum):
    """Rules by which the latent real weights move."""

    ADAM = "adam"
    SGD = "sgd"  # with momentum 0.9


class SchedulerName(StrEnum):
    """Course of the learning rate, step by step."""

    COSINE = "cosine"  # from learning_rate to 0 over all steps
    LINEAR = "linear"  # likewise, in a straight line
    STEP = "step"  # times gamma after each of the milestones
    NONE = "none"


class Accelerator(StrEnum):
    """Where training runs, in Lightning Fabric's words."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Precision(StrEnum):
    """Number format of training, in Lightning Fabric's words. Export always computes in float32."""

    FULL = "32-true"
    BFLOAT16_MIXED = "bf16-mixed"
    FLOAT16_MIXED = "16-mixed"


class DataSettings(BaseModel):
    """The ``[data]`` table of an experiment.

    Args:
        dataset: which data set.
        root: folder with the files in torchvision's layout, ``<root>/MNIST/raw/...``, or with
            ``cifar-10-batches-bin``; unused for digits.
        hold_out: take the last so many training images out and test on them, not on the data set's test images: for
            choosing a recipe, or where the test images are not the original ones.
        workers: processes that read the files of ImageNet; the others are read at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    dataset: DatasetName
    root: Path | None = None
    hold_out: int = Field(default=0, ge=0, le=10_000_000)
    workers: int = Field(default=4, ge=0, le=1024)


class RecipeSettings(NetworkSettings):
    """What each stage of a training has: a network, and how it is trained.

    Args:
        epochs: passes over the training images.
        batch_size: images a step; an incomplete last batch of an epoch is left out, as BatchNorm needs company.
        learning_rate: at the first step, or after warm-up.
        scale_learning_rate: the same for all parameters but the weights of binary layers: for BatchNorms, scales,
            slopes and side branches. Absent: ``learning_rate``. Latent weights want large steps, since only their signs
            count; these numbers do not.
        weight_decay: L2 penalty. It pulls latent weights to 0, where their signs flip at random: usually 0.
        optimizer: how weights move.
        scheduler: how the learning rate falls.
        warmup_epochs: epochs over which the learning rate rises from 0 in a straight line, part of ``epochs``.
        milestones: epochs after which the scheduler ``step`` multiplies the learning rate by ``gamma``.
        gamma: that factor.
        clip_gradient: largest Euclidean norm of all gradients together; 0: no limit.
        adaptive_clip: largest ratio of a unit's gradient norm to its weight norm (adaptive gradient clipping); 0: none.
        update_norms: after each epoch, one more in which only BatchNorms learn (RBCN's update strategy B).
        losses: what is made small, each term times its weight.
    """

    epochs: int = Field(default=30, ge=1, le=100_000)
    batch_size: int = Field(default=128, ge=2, le=1_000_000)
    learning_rate: float = Field(default=0.01, gt=0, le=10)
    scale_learning_rate: float | None = Field(default=None, gt=0, le=10)
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    optimizer: OptimizerName = OptimizerName.ADAM
    scheduler: SchedulerName = SchedulerName.COSINE
    warmup_epochs: int = Field(default=0, ge=0, le=10_000)
    milestones: tuple[Annotated[int, Field(ge=1)], ...] = ()
    gamma: float = Field(default=0.1, gt=0, le=1)
    clip_gradient: float = Field(default=0.0, ge=0, le=1e6)
    adaptive_clip: float = Field(default=0.0, ge=0, le=10)
    update_norms: bool = False
    losses: Annotated[tuple[TermSettings, ...], Field(min_length=1, max_length=16)] = (CrossEntropy(),)

    @model_validator(mode="after")
    def _schedule_fits(self) -> Self:
        if self.warmup_epochs >= self.epochs and self.warmup_epochs:
            raise ValueError(f"warmup_epochs = {self.warmup_epochs} leaves nothing of {self.epochs} epochs")
        if self.milestones and self.scheduler is not SchedulerName.STEP:
            raise ValueError(f"milestones are for the scheduler 'step', not {self.scheduler.value!r}")
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones {list(self.milestones)} do not rise")
        return self

    def network_settings(self) -> NetworkSettings:
        """Return the part that a network is made from."""
        return NetworkSettings.model_validate(self.model_dump(include=set(NetworkSettings.model_fields)))


class StageSettings(RecipeSettings):
    """A ``[[train.stages]]`` table. Keys of ``[train]`` hold for every stage that does not set them anew.

    Args:
        name: letters, digits, ``-`` and ``_``; other stages refer to it.
        form: what is binary.
        init: stage whose weights this one begins with, or a checkpoint file; absent: random.
        teacher: stage, or checkpoint file, whose network the losses look up to.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=80)]
    form: Form = Form.BINARY
    init: str | None = None
    teacher: str | None = None


class TrainSettings(RecipeSettings):
    """The ``[train]`` table of an experiment: a recipe, and stages that vary it.

    Args:
        stages: in order; the last one is deployed. Absent: one stage, ``binary``.
        shift: training images move by up to this many pixels in x and y, anew each epoch.
        flip: half of the training images are mirrored left to right, anew each epoch.
        distort: training images are bent elastically, anew each epoch: root mean square of the displacements in pixels.
        accelerator: where to train.
        devices: how many accelerators, or processes on the CPU, of one machine share the batches.
        nodes: how many machines.
        precision: number format of training.
        threads: CPU threads. More of them help networks of 1024 neurons and convolutions; smaller ones they slow down,
            by a factor of ten on a busy machine. Float sums are added in an order that depends on it: other numbers,
            other weights.
    """

    stages: Annotated[tuple[StageSettings, ...], Field(max_length=16)] = ()
    shift: int = Field(default=0, ge=0, le=8)
    flip: bool = False
    distort: float = Field(default=0.0, ge=0, le=8)
    accelerator: Accelerator = Accelerator.AUTO
    devices: int = Field(default=1, ge=1, le=1024)
    nodes: int = Field(default=1, ge=1, le=1024)
    precision: Precision = Precision.FULL
    threads: int = Field(default=1, ge=1, le=1024)

    @model_validator(mode="before")
    @classmethod
    def _stages_inherit(cls, content: Any) -> Any:
        """Lay each stage's keys over those of ``[train]``."""
        stages = content.get("stages") if isinstance(content, dict) else None
        if not isinstance(stages, list | tuple) or not all(isinstance(stage, dict) for stage in stages):
            return content
        common = {key: value for key, value in content.items() if key in RecipeSettings.model_fields}
        return {**content, "stages": [{**common, **stage} for stage in stages]}

    @model_validator(mode="after")
    def _stages_fit(self) -> Self:
        seen: list[str] = []
        for stage in self.stages:
            if stage.name in seen:
                raise ValueError(f"two stages are called {stage.name!r}")
            for key, value in (("init", stage.init), ("teacher", stage.teacher)):
                if value is not None and value not in seen and not is_file_name(value):
                    known = ", ".join(seen) or "none"
                    raise ValueError(
                        f"stage {stage.name!r}: {key} = {value!r} is no earlier stage ({known}) and no .pt file"
                    )
            seen.append(stage.name)
        if self.stages and self.stages[-1].form is not Form.BINARY:
            raise ValueError(f"the last stage {seen[-1]!r} has form = {self.stages[-1].form.value!r}, not 'binary'")
        return self

    def all_stages(self) -> tuple[StageSettings, ...]:
        """Return the stages; the only one, ``binary``, where none were given."""
        if self.stages:
            return self.stages
        common = self.model_dump(include=set(RecipeSettings.model_fields))
        return (StageSettings.model_validate({**common, "name": "binary"}),)

    def network_settings(self) -> NetworkSettings:
        """Return the settings of the network that the last stage trains."""
        return self.all_stages()[-1].network_settings()


def is_file_name(reference: str) -> bool:
    """Whether a stage's ``init`` or ``teacher`` names a checkpoint file, not a stage."""
    return reference.endswith(".pt")


def as_toml(seed: int, data: DataSettings, settings: TrainSettings) -> str:
    """Return the settings as TOML that reads back as the same settings; defaults are spelled out."""
    import tomli_w

    tables = {"data": data, "train": settings}
    content: dict[str, Any] = {"seed": seed}
    for table, model in tables.items():
        content[table] = model.model_dump(mode="json", exclude_none=True)
    return tomli_w.dumps(content)
