"""Settings of loss terms: the tables ``[[train.losses]]`` and ``[[train.stages.losses]]``. Imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Adversarial",
    "Attention",
    "AttentionForm",
    "BlockDistillation",
    "CrossEntropy",
    "Distillation",
    "Distributional",
    "KernelRectification",
    "LatentUsage",
    "LatentWeights",
    "PrecisionGating",
    "Rbonn",
    "RbonnForm",
    "SquaredHinge",
    "TermSettings",
]


class _Term(BaseModel):
    """What all terms have.

    Args:
        weight: factor on the term in the loss.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    weight: float = Field(default=1.0, ge=0, le=1e6)


class CrossEntropy(_Term):
    """Cross-entropy with the labels.

    Args:
        smoothing: share of the target that is spread evenly over all classes.
    """

    kind: Literal["cross_entropy"] = "cross_entropy"
    smoothing: float = Field(default=0.0, ge=0, lt=1)


class SquaredHinge(_Term):
    """Squared hinge loss, as in Brevitas's examples."""

    kind: Literal["squared_hinge"] = "squared_hinge"


class Distillation(_Term):
    """Hinton's knowledge distillation on logits.

    Args:
        temperature: divides both networks' logits.
    """

    kind: Literal["distillation"] = "distillation"
    temperature: float = Field(default=1.0, gt=0, le=1000)


class Distributional(_Term):
    """ReActNet's distributional loss: cross-entropy with the teacher's probabilities."""

    kind: Literal["distributional"] = "distributional"


class AttentionForm(StrEnum):
    """How attention maps are normalized and compared."""

    PAPER = "paper"  # each by its Euclidean norm; norm of the difference
    LARQ = "larq"  # each by its largest value; mean squared difference


class Attention(_Term):
    """Attention matching of Real-to-Binary.

    Args:
        form: the paper's, or that of larq's re-implementation.
    """

    kind: Literal["attention"] = "attention"
    form: AttentionForm = AttentionForm.PAPER


class BlockDistance(StrEnum):
    """What the distance between two blocks' outputs counts."""

    RELATIVE = "relative"  # values as they are; the scale is the teacher's energy in a frame
    STANDARDIZED = "standardized"  # each channel less its mean and by its deviation over the batch, both networks'


class BlockDistillation(_Term):
    """Block-wise distillation of Distillation Guided Residual Learning.

    Args:
        distance: of the blocks' outputs. ``standardized`` where features are read by signs, as in VGG-like networks:
            it leaves means and scales, hence the thresholds, to the labels.
        until: share of the stage after which the term is switched off.
    """

    kind: Literal["block_distillation"] = "block_distillation"
    distance: BlockDistance = BlockDistance.RELATIVE
    until: float = Field(default=1.0, gt=0, le=1)


class LatentUsage(StrEnum):
    """How latent weights take part as a real-valued feature extractor."""

    TWO_STREAM = "two_stream"  # a real network beside the binary one, same weights, hard tanh
    IN_LAYER = "in_layer"  # both mixed in every layer, the real share falling to 0
    BINARY_TWIN = "binary_twin"  # a network of binary activations and the latent weights beside the binary one


class LatentWeights(_Term):
    """Latent weights as feature extractors, and the supervision that goes with it.

    Args:
        usage: how they take part.
        own_labels: factor on the real path's own cross-entropy (l1).
        teaching: factor on the divergence of the binary from the real path's probabilities (l2).
        attention: factor on attention matching between the two paths (l3).
        until: for ``in_layer``, share of the stage after which only the binary path is left.
    """

    kind: Literal["latent_weights"] = "latent_weights"
    usage: LatentUsage = LatentUsage.TWO_STREAM
    own_labels: float = Field(default=1.0, ge=0, le=1e3)
    teaching: float = Field(default=1.0, ge=0, le=1e3)
    attention: float = Field(default=0.0, ge=0, le=1e3)
    until: float = Field(default=0.8, gt=0, le=1)


class Adversarial(_Term):
    """Adversarial training of RBCN: discriminators tell the teacher's features from the student's.

    Args:
        hidden: width of the discriminators' hidden layer.
        learning_rate: of the discriminators' Adam.
        warmup: share of the stage before the term is switched on.
    """

    kind: Literal["adversarial"] = "adversarial"
    weight: float = Field(default=0.05, ge=0, le=1e6)
    hidden: int = Field(default=128, ge=1, le=65536)
    learning_rate: float = Field(default=1e-4, gt=0, le=1)
    warmup: float = Field(default=0.1, ge=0, lt=1)


class KernelRectification(_Term):
    """Kernel loss of RBCN: how far latent weights are from ``C (.) sign(W)``; needs a ``rectified_`` weight scale."""

    kind: Literal["kernel_rectification"] = "kernel_rectification"
    weight: float = Field(default=1e-4, ge=0, le=1e6)


class RbonnForm(StrEnum):
    """Where the pieces of RBONN come from."""

    CODE = "code"  # the authors': weights are drawn to the scaled signs, and go back along their gradient
    PAPER = "paper"  # the authors' book: scaled weights are drawn to the signs, and former weights come back


class Rbonn(_Term):
    """Recurrent bilinear optimization; needs ``weight_scale = "rectified_channel"``.

    Args:
        form: of loss and backtracking.
        threshold: share of the channels, those of the largest scales, whose weights do not go back.
        strength: how far weights go back at the start.
        learning_rate: of the strengths' Adam; the code has a tenth of the weights'.
    """

    kind: Literal["rbonn"] = "rbonn"
    weight: float = Field(default=1e-4, ge=0, le=1e6)
    form: RbonnForm = RbonnForm.CODE
    threshold: float = Field(default=0.6, ge=0, le=1)
    strength: float = Field(default=0.2, ge=0, le=10)
    learning_rate: float = Field(default=1e-4, ge=0, le=1)


class PrecisionGating(_Term):
    """FracBNN's hold on the bounds of fractional activations; needs ``activation = "fractional"``.

    Args:
        target: where the bounds are drawn to; the higher, the fewer outputs take the lower bits.
    """

    kind: Literal["precision_gating"] = "precision_gating"
    weight: float = Field(default=1e-5, ge=0, le=1e6)
    target: float = Field(default=0.0, ge=-1e4, le=1e4)


TermSettings = Annotated[
    CrossEntropy | SquaredHinge | Distillation | Distributional | Attention | BlockDistillation | LatentWeights
    | Adversarial | KernelRectification | Rbonn | PrecisionGating,
    Field(discriminator="kind"),
]  # fmt: skip
