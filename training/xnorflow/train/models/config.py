"""Settings of networks: topology, bit widths, and what stands in for the gradient of a sign. Imports nothing heavy."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["ActivationKind", "BlockSettings", "Downsample", "Ends", "Estimator", "Gate", "InputEncoding", "Interaction",
           "NetworkName", "NetworkSettings", "Order", "Padding", "Slope", "WeightScale"]  # fmt: skip

Width = Annotated[int, Field(ge=1, le=65536)]


class NetworkName(StrEnum):
    """Networks by the names of Brevitas's bnn_pynq examples: topology, weight bits, activation bits."""

    TFC_1W1A = "TFC_1W1A"
    TFC_1W2A = "TFC_1W2A"
    TFC_2W2A = "TFC_2W2A"
    SFC_1W1A = "SFC_1W1A"
    SFC_1W2A = "SFC_1W2A"
    SFC_2W2A = "SFC_2W2A"
    LFC_1W1A = "LFC_1W1A"
    LFC_1W2A = "LFC_1W2A"
    CNV_1W1A = "CNV_1W1A"
    CNV_1W2A = "CNV_1W2A"
    CNV_2W2A = "CNV_2W2A"
    RESNET8_1W1A = "RESNET8_1W1A"  # the small residual net for 32x32 images
    RESNET18_1W1A = "RESNET18_1W1A"
    RESNET20_1W1A = "RESNET20_1W1A"
    RESNET34_1W1A = "RESNET34_1W1A"

    @property
    def topology(self) -> str:
        """The part before the bit widths: TFC, SFC, LFC, CNV, RESNET8..."""
        return self.value.split("_")[0]

    @property
    def weight_bits(self) -> int:
        """Bits of a weight."""
        return int(self.value[-4])

    @property
    def activation_bits(self) -> int:
        """Bits of an activation between layers."""
        return int(self.value[-2])


class Estimator(StrEnum):
    """Gradient of a sign, whose true one is 0; forward is the same for all."""

    STE = "ste"  # 1 inside [-1, 1]
    APPROX_SIGN = "approx_sign"  # Bi-Real Net's triangle 2 - 2|x| inside [-1, 1]
    EDE = "ede"  # IR-Net's error decay estimator, which sharpens as training goes on


class WeightScale(StrEnum):
    """Real factor of a layer's binary weights in training. All but the last four fold into the BatchNorm behind it."""

    NONE = "none"
    MEAN = "mean"  # XNOR-Net: mean|W| of each output channel
    SHIFT = "shift"  # IR-Net: standardized weights, scale a power of two near mean|W|
    ADABIN_CENTERED = "adabin_centered"  # AdaBin without its center: standardized weights, scale their deviation
    RECTIFIED_CHANNEL = "rectified_channel"  # RBCN: learned, one for each output channel
    RECTIFIED_KERNEL = "rectified_kernel"  # RBCN: learned, one for each tap, shared by all kernels of the layer
    RECTIFIED_FULL = "rectified_full"  # RBCN: learned, one for each weight
    SPATIAL = "spatial"  # XNOR-Net++: learned, outer product of channel, row and column factors of the output
    ADABIN = "adabin"  # AdaBin: deviation * sign + mean


class ActivationKind(StrEnum):
    """What the convolutions of CNV and the residual networks read."""

    SIGN = "sign"
    FRACTIONAL = "fractional"  # FracBNN: two bits, the lower one used where the sum over the upper one is large


class InputEncoding(StrEnum):
    """How pixels enter CNV and the residual networks."""

    PIXELS = "pixels"  # numbers of 8 bits
    THERMOMETER = "thermometer"  # FracBNN: 32 binary planes a color


class Order(StrEnum):
    """Order of operations around a binary convolution with a shortcut."""

    REAL_TO_BINARY = "real_to_binary"  # BatchNorm, sign, conv, BatchNorm, PReLU, + shortcut
    REACT = "react"  # RSign, conv, BatchNorm, + shortcut, RPReLU
    BIREAL = "bireal"  # sign, conv, BatchNorm, + shortcut
    BBCU = "bbcu"  # RSign, scaled conv, RPReLU, + shortcut; no BatchNorm
    NORM_FREE = "norm_free"  # BNN-without-BN: RSign, standardized conv, RPReLU, + shortcut


class Padding(StrEnum):
    """What stands around a binary feature map."""

    MINUS_ONE = "minus_one"
    ZERO = "zero"  # a third level: two bits in hardware


class Slope(StrEnum):
    """Slopes that a PReLU may learn for negative inputs."""

    NONNEGATIVE = "nonnegative"  # monotone: thresholds suffice
    FREE = "free"


class Downsample(StrEnum):
    """Shortcut where the map shrinks and channels double."""

    AVERAGE_DUPLICATE = "average_duplicate"  # average-pool, then every channel twice: no multiplier
    CONVOLUTION = "convolution"  # average-pool, then a real 1x1 convolution and BatchNorm


class Ends(StrEnum):
    """Weights of the first convolution and of the classifier."""

    BINARY = "binary"
    REAL = "real"


class Gate(StrEnum):
    """Scaling of a convolution's channels (Real-to-Binary, section 3.3 of the paper)."""

    NONE = "none"
    STATIC = "static"  # learned constants: fold
    POWER_OF_TWO = "power_of_two"  # computed from popcounts of the input, rounded to 1, 1/2, 1/4, 1/8: a shift
    PUBLISHED = "published"  # sigmoid(W2 relu(W1 mean(x))), real


class Interaction(StrEnum):
    """Squeeze-and-Interaction branch (Distillation Guided Residual Learning)."""

    NONE = "none"
    STREAMING = "streaming"  # static power-of-two channel factors, ternary kernel on the popcount over channels
    PUBLISHED = "published"  # max over the frame, real weights


class BlockSettings(BaseModel):
    """The ``[train.block]`` table: blocks of residual networks. The defaults stream on hardware.

    Args:
        order: order of operations.
        padding: around binary maps.
        slope: of PReLU and RPReLU.
        trunk_bits: bits of the shortcut's integers; "real": real numbers.
        downsample: shortcut between stages.
        ends: weights of first convolution and classifier.
        gate: channel scaling.
        gate_reduction: the gate's hidden layer has 1/this of the channels.
        interaction: side branch.
        interaction_branches: how many of them, K.
        link: Elastic-Link around each convolution, its factor learned.
        maxout: two slopes a channel, for both signs (AdaBin), in place of PReLU.
        second_norm: BatchNorm between convolution and PReLU in the order real_to_binary; the paper has none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    order: Order = Order.REAL_TO_BINARY
    padding: Padding = Padding.MINUS_ONE
    slope: Slope = Slope.NONNEGATIVE
    trunk_bits: Annotated[int, Field(ge=4, le=8)] | Literal["real"] = 8
    downsample: Downsample = Downsample.AVERAGE_DUPLICATE
    ends: Ends = Ends.BINARY
    gate: Gate = Gate.NONE
    gate_reduction: int = Field(default=8, ge=1, le=64)
    interaction: Interaction = Interaction.NONE
    interaction_branches: int = Field(default=1, ge=1, le=8)
    link: bool = False
    maxout: bool = False
    second_norm: bool = True


class NetworkSettings(BaseModel):
    """What a network is made from.

    Args:
        network: topology and bit widths.
        hidden: widths of the hidden layers of TFC, SFC and LFC in place of the network's own.
        width: factor on the channels of CNV and the residual networks, e.g. 0.25.
        input_bits: bits of a pixel as the network sees it: 1 (at least 1/2 or not) or 8. CNV and the residual networks
            take 8.
        dropout: share of activations set to 0 in training, at the input and after each hidden layer of TFC, SFC, LFC.
        estimator: gradient of the activations' sign.
        weight_estimator: gradient of the weights' sign.
        weight_scale: real factor of binary weights in training.
        kernel_bits: each binary 3x3 convolution but the first has at most 2**this different kernels; absent: any.
        activation: what convolutions read.
        input_encoding: how pixels enter.
        initial_range: latent weights of the binary form begin uniform in [-this, this]. What counts is its ratio to the
            learning rate: how many steps a weight takes to change its sign.
        hardware: whether the network must have a streaming form; a paper's own form may need ``false``.
        block: blocks of residual networks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    network: NetworkName
    hidden: Annotated[tuple[Width, ...], Field(min_length=1, max_length=32)] | None = None
    width: float = Field(default=1.0, gt=0, le=8)
    input_bits: Literal[1, 8] | None = None
    dropout: float = Field(default=0.2, ge=0, lt=1)
    estimator: Estimator = Estimator.STE
    weight_estimator: Estimator = Estimator.STE
    weight_scale: WeightScale = WeightScale.NONE
    kernel_bits: Annotated[int, Field(ge=4, le=8)] | None = None
    activation: ActivationKind = ActivationKind.SIGN
    input_encoding: InputEncoding = InputEncoding.PIXELS
    initial_range: float = Field(default=1.0, gt=0, le=1)
    hardware: bool = True
    block: BlockSettings = BlockSettings()

    @model_validator(mode="after")
    def _fits_the_network(self) -> Self:
        topology = self.network.topology
        perceptron = topology in ("TFC", "SFC", "LFC")
        if self.hidden is not None and not perceptron:
            raise ValueError(f"hidden is for TFC, SFC and LFC; {self.network} takes width")
        if self.width != 1.0 and perceptron:
            raise ValueError(f"width is for CNV and residual networks; {self.network} takes hidden")
        if self.input_bits == 1 and not perceptron:
            raise ValueError(f"input_bits = 1 is for TFC, SFC and LFC; {self.network} takes pixels of 8 bits")
        if self.block != BlockSettings() and not topology.startswith("RESNET"):
            raise ValueError(f"block is for residual networks; {self.network} has no shortcuts")
        if self.weight_scale is WeightScale.SPATIAL and not topology.startswith("RESNET"):
            raise ValueError(f"weight_scale = 'spatial' is for residual networks, not {self.network}")
        return self

    @model_validator(mode="after")
    def _methods_fit(self) -> Self:
        fractional = self.activation is ActivationKind.FRACTIONAL
        chosen = {
            f"kernel_bits = {self.kernel_bits}": self.kernel_bits is not None,
            "activation = 'fractional'": fractional,
            "input_encoding = 'thermometer'": self.input_encoding is InputEncoding.THERMOMETER,
        }
        for setting in (setting for setting, is_set in chosen.items() if is_set):
            if self.network.topology in ("TFC", "SFC", "LFC"):
                raise ValueError(f"{setting} is for CNV and residual networks, not {self.network}")
        if self.kernel_bits is not None and self.network.weight_bits > 1:
            raise ValueError(f"kernel_bits = {self.kernel_bits} is for weights of 1 bit, not those of {self.network}")
        if fractional and self.network.activation_bits > 1:
            raise ValueError(f"activation = 'fractional' takes the place of signs, which {self.network} has not")
        if fractional and self.estimator is not Estimator.STE:
            raise ValueError(f"activation = 'fractional' has a gradient of its own, not {self.estimator.value!r}")
        return self

    @property
    def pixel_bits(self) -> int:
        """Bits of a pixel, the network's own where none were chosen: 1 for TFC, SFC and LFC, else 8."""
        if self.input_bits is not None:
            return self.input_bits
        return 1 if self.network.topology in ("TFC", "SFC", "LFC") else 8
