"""What ``xnorflow zoo`` does: list the networks that come with the package, and add a trained run to them."""

from __future__ import annotations

import contextlib
import re
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from rich.table import Table

from xnorflow.artifact.errors import ConfigError, InputModelError
from xnorflow.artifact.files import replaced, sha256_of, write_text
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import Progress
from xnorflow.export.stage import export
from xnorflow.flow.commands import data_of_run
from xnorflow.flow.comparison import expect
from xnorflow.flow.config import load_config
from xnorflow.flow.folders import Folders
from xnorflow.flow.progress import print_whole
from xnorflow.flow.session import working_in
from xnorflow.train.checkpoint import Checkpoint, load_checkpoint
from xnorflow.train.config import DatasetName, DataSettings, TrainSettings
from xnorflow.train.evaluate import compute_logits
from xnorflow.train.zoo.catalog import CATALOG, ZooEntry, catalog_text, read_catalog, zoo_folder
from xnorflow.train.zoo.pack import pack, unpack

__all__ = ["add_to_zoo", "show_zoo"]

CONFIGS = Path("training") / "configs"
COLUMNS = ("name", "trained on", "accuracy (float)\ntorch", "accuracy (integer)\ninteger.onnx", "images", "tested on",
           "file", "recipe")  # fmt: skip


def show_zoo() -> None:
    """Print the catalog."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in COLUMNS:
        table.add_column(column, vertical="bottom", justify="right" if column in COLUMNS[2:5] else "left")
    for entry in read_catalog():
        integer = "not lowered yet" if entry.accuracy_integer is None else f"{entry.accuracy_integer:.2%}"
        size = len(zoo_folder().joinpath(entry.file).read_bytes()) / 1024
        table.add_row(
            entry.name, entry.dataset, f"{entry.accuracy_float:.2%}", integer, f"{entry.test_frames:,}",
            entry.tested_on, f"{size:.1f} KiB", entry.recipe,
        )  # fmt: skip
    print_whole(table)


def add_to_zoo(run: Path, name: str | None, data_root: Path | None, *, quiet: bool) -> None:
    """Pack a run's network into the source tree's catalog, with accuracies measured on the whole test set.

    Args:
        run: folder ``runs/<name>``.
        name: in the catalog, where it takes the place of an entry of that name; None: made from data set and network.
        data_root: folder of the data set, in place of the one in the run's configuration.
        quiet: show errors only.

    Raises:
        ConfigError: this is no source tree, no recipe in it is the run's, or the name is none.
        UserError: the network cannot be packed or exported, or the data set is missing.
    """
    folders = Folders.of_run(run)
    data = data_of_run(folders, data_root)
    checkpoint = load_checkpoint(folders.train)
    name = name or _usual_name(checkpoint)
    if not re.fullmatch("[A-Za-z0-9_]+", name):
        raise ConfigError("option --name", repr(name), "letters, digits and '_'", "choose another name")
    folder, recipe = _source_tree(), _find_recipe(folders, checkpoint)
    with working_in(folders.root, quiet=quiet) as session, tempfile.TemporaryDirectory() as temporary:
        with session.progress.task("zoo") as advance:
            packed = Path(temporary) / f"{name.lower()}.npz"
            pack(checkpoint, packed)
            entry = _measure(folders, packed, data, Path(temporary), session.progress)
            entry = replace(entry, name=name, recipe=recipe)
            with replaced(folder / packed.name) as partial:
                partial.write_bytes(packed.read_bytes())
            entries = {known.name: known for known in read_catalog()} | {name: entry}
            write_text(folder / CATALOG, catalog_text(tuple(entries.values())))
            advance(
                0,
                f"{name}, {packed.stat().st_size:,} bytes, {entry.accuracy_float:.2%} of {entry.test_frames:,} (float)",
            )
        if entry.accuracy_integer is None:
            session.progress.say("  this version does not lower the network: no accuracy of integer.onnx")


def _measure(folders: Folders, packed: Path, data: DataSettings, work: Path, progress: Progress) -> ZooEntry:
    """Export the run, and compare what is packed with what is exported; returns an entry that lacks name and recipe."""
    exported = export(folders.train, work / "export", data, progress)
    golden = GoldenVectors.load(exported.golden)
    checkpoint = unpack(packed)
    logits = compute_logits(checkpoint.network(), torch.from_numpy(golden.inputs)).numpy()
    assert np.array_equal(logits, golden.logits), "the packed network is another one"
    tested_on = "held-out training images" if data.hold_out else "test set"
    return ZooEntry(
        name="",
        file=packed.name,
        sha256=sha256_of(packed),
        dataset=data.dataset.value,
        seed=checkpoint.seed,
        recipe="",
        test_frames=len(golden.labels),
        tested_on=tested_on,
        accuracy_float=exported.accuracy_float,
        accuracy_integer=_integer_accuracy(exported.model, golden, work / "build", progress),
    )


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


def _usual_name(checkpoint: Checkpoint) -> str:
    """Return Brevitas's name of the network, with the data set in front where it is not the usual one."""
    settings, network = checkpoint.settings, checkpoint.settings.network
    usual = DatasetName.MNIST if network.topology in ("TFC", "SFC", "LFC") else DatasetName.CIFAR10
    name = network.value if checkpoint.dataset is usual else f"{checkpoint.dataset.value}_{network.value}".upper()
    return f"{name}_8BIT" if usual is DatasetName.MNIST and settings.pixel_bits == 8 else name


def _source_tree() -> Path:
    """Return the zoo's folder in the repository."""
    folder = Path(str(zoo_folder()))
    if not (_root(folder) / CONFIGS).is_dir():
        raise ConfigError(
            f"zoo folder {folder}", "not in a source tree", "a clone of the repository, installed with pip install -e",
            "work in a clone",
        )  # fmt: skip
    return folder


def _root(zoo: Path) -> Path:
    return zoo.parents[3]


def _find_recipe(folders: Folders, checkpoint: Checkpoint) -> str:
    """Return the experiment file that gives this very training."""
    content = tomllib.loads((folders.train / "config.toml").read_text(encoding="utf-8"))
    asked = DataSettings.model_validate(content["data"])
    root = _root(_source_tree())
    for path in sorted((root / CONFIGS).glob("*.toml")):
        with contextlib.suppress(ConfigError):
            config = load_config(path)
            same_data = (config.data.dataset, config.data.hold_out) == (asked.dataset, asked.hold_out)
            if (
                same_data
                and config.seed == checkpoint.seed
                and config.train == TrainSettings.model_validate(content["train"])
            ):
                return path.relative_to(root).as_posix()
    raise ConfigError(
        f"run {folders.root}",
        f"no file in {CONFIGS} has its seed, [data] and [train]",
        "a run of a recipe that others can repeat",
        f"put its experiment file into {CONFIGS}",
    )
