"""What ``xnorflow zoo check`` does: measure the shipped networks anew, in floats and in integers."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.table import Table

from xnorflow.artifact.errors import InputModelError, TrainError
from xnorflow.artifact.files import write_text
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import Progress
from xnorflow.export.stage import GOLDEN, MODEL, export_test_set
from xnorflow.flow.comparison import expect
from xnorflow.flow.progress import print_whole
from xnorflow.flow.session import working_in
from xnorflow.flow.zoo_tree import source_tree
from xnorflow.train.checkpoint import Checkpoint
from xnorflow.train.config import DatasetName, DataSettings
from xnorflow.train.data import DataSplits, load_data
from xnorflow.train.zoo.catalog import CATALOG, HELD_OUT, ZooEntry, catalog_text, find_entry, read_catalog
from xnorflow.train.zoo.load import load_zoo

__all__ = ["Accuracies", "check_zoo", "measure"]


@dataclass(frozen=True)
class Accuracies:
    """What a network gets right of a test set.

    Args:
        frames: test images, all of them.
        accuracy_float: share by torch, whose logits QONNX execution gives too.
        accuracy_integer: share by integer.onnx; None where this version does not lower such a network.
    """

    frames: int
    accuracy_float: float
    accuracy_integer: float | None


def measure(checkpoint: Checkpoint, splits: DataSplits, progress: Progress) -> Accuracies:
    """Export and lower a network, and count what it gets right of the whole test set.

    Raises:
        ExportError: the network has no hardware form, or its export gives other logits than torch.
        LowerError: lowering changes the network.
    """
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        accuracy = export_test_set(checkpoint, splits, work, progress)
        golden = GoldenVectors.load(work / GOLDEN)
        integer = _integer_accuracy(work / MODEL, golden, work / "build", progress)
    return Accuracies(len(splits.test_labels), accuracy, integer)


def check_zoo(names: Sequence[str], data_root: Path | None, *, update: bool, quiet: bool) -> None:
    """Measure shipped networks anew and compare with the catalog; prints both.

    Args:
        names: of the catalog; none: all of them.
        data_root: folder of the data sets.
        update: write what was measured into the source tree's catalog.
        quiet: show errors only.

    Raises:
        ConfigError: a name is unknown, or ``update`` is asked for outside a source tree.
        DataError: a data set is missing.
        TrainError: a network's file is damaged, or an accuracy is not the catalog's and ``update`` is not asked for.
    """
    entries = [find_entry(name) for name in names] or list(read_catalog())
    tree = source_tree() if update else None
    measured: dict[str, Accuracies] = {}
    with tempfile.TemporaryDirectory() as temporary, working_in(Path(temporary), quiet=quiet) as session:
        for entry in entries:
            with session.progress.task(entry.name) as advance:
                found = measure(load_zoo(entry.name), load_data(_data(entry, data_root)), session.progress)
                measured[entry.name] = found
                advance(0, f"{found.accuracy_float:.2%} of {found.frames:,} (float)")
    if not quiet:
        _show(entries, measured)
    if tree is not None:
        known = tuple(_updated(entry, measured.get(entry.name)) for entry in read_catalog())
        write_text(tree / CATALOG, catalog_text(known))
        return
    for entry in entries:
        if _updated(entry, measured[entry.name]) != entry:
            raise TrainError(
                f"zoo network {entry.name!r}",
                f"{_pair(measured[entry.name])} of {measured[entry.name].frames:,}, {CATALOG} says {_pair(entry)}",
                "what the catalog says",
                "look for what changed; `xnorflow zoo check --update` writes the catalog of a source tree",
            )


def _data(entry: ZooEntry, root: Path | None) -> DataSettings:
    hold_out = entry.test_frames if entry.tested_on == HELD_OUT else 0
    return DataSettings(dataset=DatasetName(entry.dataset), root=root, hold_out=hold_out)


def _updated(entry: ZooEntry, found: Accuracies | None) -> ZooEntry:
    if found is None:
        return entry
    return replace(
        entry,
        test_frames=found.frames,
        accuracy_float=found.accuracy_float,
        accuracy_integer=found.accuracy_integer,
    )


def _pair(found: Accuracies | ZooEntry) -> str:
    """Say both accuracies, by path."""
    integer = "not lowered" if found.accuracy_integer is None else f"{found.accuracy_integer:.2%} (integer)"
    return f"{found.accuracy_float:.2%} (float), {integer}"


def _show(entries: Sequence[ZooEntry], measured: dict[str, Accuracies]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("name", "measured", "catalog", "images", "tested on"):
        table.add_column(column, justify="right" if column == "images" else "left")
    for entry in entries:
        found = measured[entry.name]
        table.add_row(entry.name, _pair(found), _pair(entry), f"{found.frames:,}", f"{entry.dataset} {entry.tested_on}")
    print_whole(table)


def _integer_accuracy(model: Path, golden: GoldenVectors, work: Path, progress: Progress) -> float | None:
    """Return the share that integer.onnx gets right; None for a network that this version does not lower."""
    from xnorflow.lower.config import BuildSettings
    from xnorflow.lower.integer_onnx import run_integer
    from xnorflow.lower.stage import lower

    work.mkdir()
    try:
        lowered = lower(model, work, BuildSettings(), golden, progress)
    except InputModelError:
        return None
    results = run_integer(work / "integer.onnx", lowered.codec.quantize(golden.inputs), progress)
    return float(np.mean(expect(golden, lowered.codec, results).classes == golden.labels))
