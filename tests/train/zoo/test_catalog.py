"""The networks that come with the package: found as package data, offline, and as good as the catalog says."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from xnorflow.artifact.errors import ConfigError, TrainError
from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.data import load_data
from xnorflow.train.evaluate import compute_logits
from xnorflow.train.zoo import catalog
from xnorflow.train.zoo.catalog import catalog_text, find_entry, read_catalog, zoo_folder, zoo_name
from xnorflow.train.zoo.load import load_zoo

ENTRIES = read_catalog()
REPOSITORY = Path(__file__).parents[3]
LARGEST = 2**20


def test_there_are_networks():
    assert "DIGITS_TFC_1W1A" in {entry.name for entry in ENTRIES}


def test_names_and_files_are_unique_and_every_file_is_in_the_catalog():
    assert len({entry.name for entry in ENTRIES}) == len({entry.file for entry in ENTRIES}) == len(ENTRIES)
    shipped = {item.name for item in files("xnorflow.train.zoo").iterdir() if item.name.endswith(".npz")}
    assert shipped == {entry.file for entry in ENTRIES}
    assert all(len(zoo_folder().joinpath(entry.file).read_bytes()) < LARGEST for entry in ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_each_network_is_the_one_that_its_recipe_makes(entry):
    checkpoint = load_zoo(entry.name)
    recipe = tomllib.loads((REPOSITORY / entry.recipe).read_text(encoding="utf-8"))
    assert TrainSettings.model_validate(checkpoint.config) == TrainSettings.model_validate(recipe["train"])
    assert checkpoint.dataset == entry.dataset == recipe["data"]["dataset"]
    assert checkpoint.seed == entry.seed == recipe["seed"]
    held_out = recipe["data"].get("hold_out", 0)
    assert entry.tested_on == ("held-out training images" if held_out else "test set")


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.dataset == "digits"], ids=lambda entry: entry.name
)
def test_the_float_accuracy_is_the_catalog_s(entry):
    splits = load_data(DataSettings(dataset=entry.dataset))
    right = compute_logits(load_zoo(entry.name).network(), torch.from_numpy(splits.test_images)).argmax(1)
    assert len(splits.test_labels) == entry.test_frames
    assert float(np.mean(right.numpy() == splits.test_labels)) == entry.accuracy_float


@pytest.mark.parametrize(("name", "fix"), [("DIGITS_TFC_1W1", "did you mean"), ("digits_tfc_1w1a", "did you mean")])
def test_an_unknown_name_lists_the_names_and_the_nearest(name, fix):
    known = ", ".join(entry.name for entry in ENTRIES)
    message = rf"^zoo network '{name}': unknown; allowed: {known}; {fix} 'DIGITS_TFC_1W1A'\?$"
    with pytest.raises(ConfigError, match=message):
        load_zoo(name)
    with pytest.raises(ConfigError, match=r"; `xnorflow zoo` lists them$"):
        find_entry("%%%")


def another_zoo(tmp_path, monkeypatch, damage: bytes | None):
    """Have the zoo in a folder of the test's own, its first file damaged or missing."""
    text = catalog_text(ENTRIES)
    (tmp_path / "catalog.toml").write_text(text, encoding="utf-8")
    if damage is not None:
        (tmp_path / ENTRIES[0].file).write_bytes(damage)
    monkeypatch.setattr(catalog, "zoo_folder", lambda: tmp_path)
    monkeypatch.setattr("xnorflow.train.zoo.load.zoo_folder", lambda: tmp_path)


def test_another_file_is_found_by_its_hash(tmp_path, monkeypatch):
    another_zoo(tmp_path, monkeypatch, b"something else")
    message = (
        r"^zoo network 'DIGITS_TFC_1W1A', file .*: its SHA-256 differs from the one in catalog\.toml; allowed: the"
    )
    with pytest.raises(TrainError, match=message):
        load_zoo("DIGITS_TFC_1W1A")


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    another_zoo(tmp_path, monkeypatch, None)
    with pytest.raises(TrainError, match=r"digits_tfc_1w1a\.npz: no such file"):
        load_zoo("DIGITS_TFC_1W1A")


def test_the_catalog_is_written_as_it_is_read(tmp_path, monkeypatch):
    another_zoo(tmp_path, monkeypatch, None)
    assert read_catalog() == ENTRIES
    assert catalog_text(ENTRIES) == files("xnorflow.train.zoo").joinpath("catalog.toml").read_text(encoding="utf-8")


def test_names_have_a_prefix_where_a_file_might_stand():
    assert (zoo_name("zoo:TFC_1W1A"), zoo_name("net.onnx"), zoo_name("zoo.onnx")) == ("TFC_1W1A", None, None)


def test_the_catalog_is_read_without_torch():
    program = "import sys; from xnorflow.train.zoo.catalog import read_catalog; read_catalog(); "
    program += "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
