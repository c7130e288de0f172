"""What ``xnorflow summary`` does: layers, products and stages of a network, before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from xnorflow.artifact.errors import InputModelError
from xnorflow.flow.config import load_config
from xnorflow.flow.progress import print_whole
from xnorflow.train.checkpoint import CHECKPOINT, Checkpoint, read_checkpoint
from xnorflow.train.config import StageSettings, TrainSettings, classes_of, image_shape_of
from xnorflow.train.models.card import NetworkCard, bits_in_form, make_card
from xnorflow.train.models.config import NetworkSettings
from xnorflow.train.models.counts import LayerKind
from xnorflow.train.zoo.catalog import zoo_name
from xnorflow.train.zoo.load import load_zoo

__all__ = ["Subject", "read_subject", "render_card", "summarize"]

KINDS = {LayerKind.CONVOLUTION: "conv", LayerKind.NORMALIZATION: "norm"}
BUILT_TOPOLOGIES = ("TFC", "SFC", "LFC")
COLUMNS = ("layer", "kind", "bits\nw x a", "output", "binary\nMACs", "few-bit\nMACs", "real\nMACs", "weight\nbits",
           "popcount\nwidth", "thres-\nholds")  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """What a summary is about.

    Args:
        name: as the user named it.
        settings: of the network.
        image_shape: channels, height, width.
        classes: number of logits.
        stages: of its training.
    """

    name: str
    settings: NetworkSettings
    image_shape: tuple[int, int, int]
    classes: int
    stages: tuple[StageSettings, ...]


def summarize(source: Path) -> None:
    """Print the summary of an experiment file, a run, a checkpoint or a network of the zoo.

    Raises:
        ConfigError: the experiment file is wrong.
        InputModelError: the source is none of these.
        TrainError: the network cannot be built, or the checkpoint is corrupt.
    """
    subject = read_subject(source)
    print_whole(render_card(subject, make_card(subject.settings, subject.image_shape, subject.classes)))


def read_subject(source: Path) -> Subject:
    """Find out what is to be summarized; reads no data set. For errors see :func:`summarize`."""
    name = zoo_name(str(source))
    if name is not None:
        return _of_checkpoint(name, load_zoo(name))
    if source.suffix == ".pt":
        return _of_checkpoint(str(source), read_checkpoint(source))
    if source.is_dir():
        places = (source / "train" / CHECKPOINT, source / CHECKPOINT)
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise InputModelError(
                f"folder {source}", "holds no trained network", "runs/<name> with train/checkpoint.pt",
                "train first, or give the experiment file",
            )  # fmt: skip
        return _of_checkpoint(str(source), read_checkpoint(found))
    config = load_config(source)
    dataset, train = config.data.dataset, config.train
    shape, classes = image_shape_of(dataset), classes_of(dataset)
    return Subject(config.name, train.network_settings(), shape, classes, train.all_stages())


def _of_checkpoint(name: str, checkpoint: Checkpoint) -> Subject:
    stages = TrainSettings.model_validate(checkpoint.config).all_stages() if checkpoint.config else ()
    return Subject(name, checkpoint.settings, checkpoint.image_shape, checkpoint.classes, stages)


def render_card(subject: Subject, card: NetworkCard) -> RenderableType:
    """Lay the card out for a terminal."""
    shape = "x".join(map(str, subject.image_shape))
    title = Text.assemble(
        (subject.name, "bold"), f"  {card.settings.network}, images {shape}, {subject.classes} classes"
    )
    parts: list[RenderableType] = [title, _layers(card), "", *_totals(card), f"hardware  {_hardware(card)}"]
    if subject.stages:
        parts += ["", _stages(subject.stages)]
    return Group(*(Text(part) if isinstance(part, str) else part for part in parts))


def _layers(card: NetworkCard) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if index < 2 else "right", vertical="bottom", no_wrap=True)
    for row in card.rows:
        layer = row.layer
        macs = (layer.binary_macs, layer.few_bit_macs, layer.real_macs)
        bits = f"{layer.weight_bits} x {layer.activation_bits}" if any(macs) else ""
        numbers = (*macs, row.storage_bits, layer.popcount_width, row.thresholds)
        output = "x".join(map(str, layer.output_shape))
        table.add_row(
            layer.name,
            "thresholds" if row.thresholds else KINDS.get(layer.kind, layer.kind.value),
            bits,
            output,
            *map(_number, numbers),
        )
    totals = card.totals
    storage = sum(row.storage_bits for row in card.rows)
    numbers = (totals.binary_macs, totals.few_bit_macs, totals.real_macs, storage, 0, card.thresholds)
    table.add_section()
    table.add_row("total", "", "", "", *map(_number, numbers), style="bold")
    return table


def _totals(card: NetworkCard) -> list[str]:
    totals = card.totals
    products = f"products  {totals.published_flops:,.0f} a frame, binary ones counted as 1/64"
    storage = (
        f"storage   {totals.weight_bits:,} bits of binary and few-bit weights, {totals.weight_bits / 8192:,.1f} KiB"
    )
    return [products, storage + (f"; {card.real_parameters:,} real parameters" if card.real_parameters else "")]


def _hardware(card: NetworkCard) -> str:
    if card.obstacle is not None:
        return f"does not stream: {card.obstacle}"
    name = card.settings.network
    if name.topology in BUILT_TOPOLOGIES and name.weight_bits == name.activation_bits == 1:
        return "streams, and this version builds it"
    return "streams, but this version builds perceptrons with weights and activations of one bit only"


def _stages(stages: tuple[StageSettings, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("stage", "network", "form", "bits, w x a", "epochs", "begins with", "teacher", "losses"):
        table.add_column(column, justify="right" if column == "epochs" else "left")
    for stage in stages:
        bits = " x ".join(map(str, bits_in_form(stage, stage.form)))
        losses = ", ".join(
            loss.kind if loss.weight == 1.0 else f"{loss.weight:g} {loss.kind}" for loss in stage.losses
        )  # fmt: skip
        table.add_row(
            stage.name, stage.network.value, stage.form.value, bits, str(stage.epochs), escape(stage.init or "random"),
            escape(stage.teacher or ""), losses,
        )  # fmt: skip
    return table


def _number(value: int) -> str:
    return f"{value:,}" if value else "-"
