"""Which residual networks stream on hardware, and which settings contradict one another: told at construction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from xnorflow.artifact.errors import TrainError
from xnorflow.train.models.config import (
    ActivationKind,
    Downsample,
    Ends,
    Gate,
    Interaction,
    NetworkSettings,
    Order,
    Padding,
    Slope,
    WeightScale,
)

__all__ = ["check_settings"]

FIRST = "stages.0.0.first"
SHRINKING = "stages.1.0.first"
STREAMING_SCALES = (
    WeightScale.NONE, WeightScale.MEAN, WeightScale.SHIFT, WeightScale.ADABIN_CENTERED, WeightScale.RECTIFIED_CHANNEL,
)  # fmt: skip


class _Refusal(NamedTuple):
    applies: bool
    layer: str
    found: str
    allowed: str
    fix: str


def check_settings(settings: NetworkSettings) -> None:
    """Refuse what cannot be built, and with ``settings.hardware`` what cannot be streamed.

    The orders bbcu and norm_free do stream: a threshold on the trunk's integers, an accumulator of signs, a table from
    the accumulator to the trunk's integers in each channel, and a saturating addition. Their scales are constants.

    Raises:
        TrainError: names the network and the first layer concerned.
    """
    for refusal in (*_contradictions(settings), *(_not_streaming(settings) if settings.hardware else ())):
        if refusal.applies:
            where = f"network {settings.network}, layer {refusal.layer}"
            raise TrainError(where, refusal.found, refusal.allowed, refusal.fix)


def _contradictions(settings: NetworkSettings) -> Iterator[_Refusal]:
    block, scale = settings.block, settings.weight_scale
    yield from _method_contradictions(settings)
    found_scale = f"weight_scale = {scale.value!r} with order = {block.order.value!r}"
    yield _Refusal(
        block.order in (Order.BBCU, Order.NORM_FREE) and scale is not WeightScale.NONE,
        f"{FIRST}.conv", f"{found_scale}, whose convolutions bring their own scale", "'none'",
        "leave weight_scale out, or choose another order",
    )  # fmt: skip
    yield _Refusal(
        block.maxout and block.order is Order.BIREAL,
        f"{FIRST}.activation", f"maxout = true with order = {block.order.value!r}, which has no PReLU",
        "maxout = false", "leave maxout out, or choose another order",
    )  # fmt: skip
    yield _Refusal(
        not block.second_norm and block.order is not Order.REAL_TO_BINARY,
        f"{FIRST}.norm", f"second_norm = false with order = {block.order.value!r}", "second_norm = true",
        "leave second_norm out, or choose order = 'real_to_binary'",
    )  # fmt: skip
    yield _Refusal(
        not block.second_norm and scale not in (WeightScale.NONE, WeightScale.SPATIAL),
        f"{FIRST}.conv", f"weight_scale = {scale.value!r} with second_norm = false, so that no BatchNorm can take it",
        "'none' or 'spatial'", "choose one of these, or leave second_norm out",
    )  # fmt: skip


def _method_contradictions(settings: NetworkSettings) -> Iterator[_Refusal]:
    """Yield what codebooks and fractional activations do not go with."""
    block, fractional = settings.block, settings.activation is ActivationKind.FRACTIONAL
    own_scale = block.order in (Order.BBCU, Order.NORM_FREE)
    found, fix = "activation = 'fractional'", "choose activation = 'sign', or change it"
    yield _Refusal(
        own_scale and settings.kernel_bits is not None, f"{FIRST}.conv",
        f"kernel_bits = {settings.kernel_bits} with order = {block.order.value!r}, whose scale is the latent weights'",
        "'real_to_binary', 'react' or 'bireal'", "leave kernel_bits out, or choose one of these orders",
    )  # fmt: skip
    for applies, part, with_what, allowed in (
        (own_scale, "conv", f"order = {block.order.value!r}, whose convolutions read signs",
         "'real_to_binary', 'react' or 'bireal'"),
        (block.padding is Padding.ZERO, "pad", "padding = 'zero', which is none of its levels", "'minus_one'"),
        (block.link, "link", "link = true, which reads signs", "link = false"),
        (block.interaction is Interaction.STREAMING, "interaction", "interaction = 'streaming', which counts signs",
         "'none', 'published'"),
        (block.gate is Gate.POWER_OF_TWO, "gate", "gate = 'power_of_two', which counts signs",
         "'none', 'static', 'published'"),
    ):  # fmt: skip
        yield _Refusal(fractional and applies, f"{FIRST}.{part}", f"{found} with {with_what}", allowed, fix)


def _not_streaming(settings: NetworkSettings) -> Iterator[_Refusal]:
    block, scale = settings.block, settings.weight_scale
    legal = "choose {}, or set hardware = false".format
    yield _Refusal(
        block.padding is Padding.ZERO, f"{FIRST}.pad", "padding = 'zero', a third level beside +1 and -1",
        "'minus_one'", legal("padding = 'minus_one'"),
    )  # fmt: skip
    yield _Refusal(
        block.slope is Slope.FREE and block.order is not Order.BIREAL, f"{FIRST}.activation",
        "slope = 'free', which need not be monotone", "'nonnegative'", legal("slope = 'nonnegative'"),
    )  # fmt: skip
    yield _Refusal(block.trunk_bits == "real", f"{FIRST}.sum", "trunk_bits = 'real'", "4 to 8", legal("trunk_bits = 8"))
    yield _Refusal(
        block.downsample is Downsample.CONVOLUTION, f"{SHRINKING}.shortcut",
        "downsample = 'convolution', a real 1x1 convolution", "'average_duplicate'",
        legal("downsample = 'average_duplicate'"),
    )  # fmt: skip
    yield _Refusal(
        block.ends is Ends.REAL, "stem.conv", "ends = 'real', real weights", "'binary'", legal("ends = 'binary'")
    )
    yield _Refusal(
        block.gate is Gate.PUBLISHED, f"{FIRST}.gate", "gate = 'published', real factors from averages over a frame",
        "'none', 'static', 'power_of_two'", legal("gate = 'power_of_two'"),
    )  # fmt: skip
    yield _Refusal(
        block.interaction is Interaction.PUBLISHED, f"{FIRST}.side",
        "interaction = 'published', real products with maxima over a frame", "'none', 'streaming'",
        legal("interaction = 'streaming'"),
    )  # fmt: skip
    yield _Refusal(
        scale not in STREAMING_SCALES, f"{FIRST}.conv",
        f"weight_scale = {scale.value!r}, which does not fold into the BatchNorm behind it",
        ", ".join(repr(one.value) for one in STREAMING_SCALES), legal("one of these"),
    )  # fmt: skip
    yield _Refusal(
        not block.second_norm, f"{FIRST}.norm",
        "second_norm = false: nothing brings accumulators into the trunk's range", "second_norm = true",
        "leave second_norm out, or set hardware = false",
    )  # fmt: skip
