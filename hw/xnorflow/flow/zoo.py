"""What ``xnorflow zoo`` does: list the networks that come with the package, and add a trained run to them."""

from __future__ import annotations

import contextlib
import re
import tempfile
import tomllib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.table import Table

from xnorflow.artifact.errors import ConfigError
from xnorflow.artifact.files import replaced, sha256_of, write_text
from xnorflow.flow.commands import data_of_run
from xnorflow.flow.config import load_config
from xnorflow.flow.folders import Folders
from xnorflow.flow.progress import print_whole
from xnorflow.flow.session import working_in
from xnorflow.flow.zoo_check import measure
from xnorflow.flow.zoo_tree import CONFIGS, repository, source_tree
from xnorflow.train.checkpoint import Checkpoint, load_checkpoint
from xnorflow.train.config import DatasetName, DataSettings, TrainSettings
from xnorflow.train.data import load_data
from xnorflow.train.evaluate import compute_logits
from xnorflow.train.zoo.catalog import CATALOG, HELD_OUT, TEST_SET, ZooEntry, catalog_text, read_catalog, zoo_folder
from xnorflow.train.zoo.pack import pack, unpack

__all__ = ["add_to_zoo", "show_zoo"]

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
    folder, recipe = source_tree(), _find_recipe(folders, checkpoint)
    with working_in(folders.root, quiet=quiet) as session, tempfile.TemporaryDirectory() as temporary:
        with session.progress.task("zoo") as advance:
            packed = Path(temporary) / f"{name.lower()}.npz"
            pack(checkpoint, packed)
            shipped, splits = unpack(packed), load_data(data)
            _expect_same(checkpoint, shipped, splits.test_images)
            measured = measure(shipped, splits, session.progress)
            entry = ZooEntry(
                name=name,
                file=packed.name,
                sha256=sha256_of(packed),
                dataset=data.dataset.value,
                seed=checkpoint.seed,
                recipe=recipe,
                test_frames=measured.frames,
                tested_on=HELD_OUT if data.hold_out else TEST_SET,
                accuracy_float=measured.accuracy_float,
                accuracy_integer=measured.accuracy_integer,
            )
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


def _expect_same(run: Checkpoint, shipped: Checkpoint, images: NDArray[np.float32]) -> None:
    of_run, of_file = (compute_logits(one.network(), torch.from_numpy(images)) for one in (run, shipped))
    assert torch.equal(of_run, of_file), "the packed network is another one"


def _usual_name(checkpoint: Checkpoint) -> str:
    """Return Brevitas's name of the network, with the data set in front where it is not the usual one."""
    settings, network = checkpoint.settings, checkpoint.settings.network
    usual = DatasetName.MNIST if network.topology in ("TFC", "SFC", "LFC") else DatasetName.CIFAR10
    name = network.value if checkpoint.dataset is usual else f"{checkpoint.dataset.value}_{network.value}".upper()
    return f"{name}_8BIT" if usual is DatasetName.MNIST and settings.pixel_bits == 8 else name


def _find_recipe(folders: Folders, checkpoint: Checkpoint) -> str:
    """Return the experiment file that gives this very training."""
    content = tomllib.loads((folders.train / "config.toml").read_text(encoding="utf-8"))
    asked = DataSettings.model_validate(content["data"])
    root = repository(source_tree())
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
