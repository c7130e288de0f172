"""``xnorflow zoo`` and ``xnorflow build zoo:NAME``: from shipped weights to a design, offline; how weights get in."""

import json
import shutil
from pathlib import Path

import pytest

from xnorflow.artifact.errors import InputModelError, LowerError
from xnorflow.train.zoo import catalog
from xnorflow.train.zoo.catalog import find_entry, read_catalog

REPOSITORY = Path(__file__).parents[2]
NAME = "DIGITS_TFC_1W1A"
RECIPE = """
seed = 3
[data]
dataset = "digits"
[train]
network = "{network}"
hidden = [12]
epochs = 2
"""


def test_the_list_says_by_which_path_each_accuracy_came(cli):
    outcome = cli("zoo")
    assert outcome.code == 0
    head, titles, *rows = outcome.out.splitlines()
    assert head.split() == ["accuracy", "(float)", "accuracy", "(integer)"]
    assert "torch" in titles and "integer.onnx" in titles
    entry = find_entry(NAME)
    row = next(row for row in rows if row.startswith(NAME))
    assert row.split()[1:4] == ["digits", f"{entry.accuracy_float:.2%}", f"{entry.accuracy_integer:.2%}"]
    assert "training/configs/digits_tfc.toml" in row and "test set" in row


def test_a_network_of_the_zoo_is_built_offline(cli, tmp_path, left_behind, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("the network was used")

    monkeypatch.setattr("socket.socket.connect", refuse)
    built = tmp_path / "built"
    options = ("--board", "Pynq-Z2", "--output", built, "--no-synthesize")
    outcome = cli("build", f"zoo:{NAME}", *options, "--dataset", "digits")
    entry = find_entry(NAME)
    assert outcome.code == 0 and outcome.err == ""
    assert f"{NAME}, {entry.accuracy_float:.2%} of 360 digits test set (float)" in outcome.out
    assert "0 of 360 frames" in outcome.out
    accuracy = json.loads((built / "report" / "accuracy.json").read_text())
    assert accuracy["accuracy_integer"] == accuracy["accuracy_rtl"] == entry.accuracy_integer
    assert accuracy["accuracy_float"] == entry.accuracy_float
    assert not left_behind(tmp_path)

    again = cli("build", f"zoo:{NAME}", *options, "--dataset", "digits")
    assert again.out.count("unchanged, kept") == 4
    noise = cli("build", f"zoo:{NAME}", *options, "--frames", "30")
    assert noise.code == 0 and "0 of 30 frames" in noise.out


def test_an_unknown_network_makes_no_folder(cli, tmp_path):
    outcome = cli("build", "zoo:DIGITS_TFC", "--board", "Pynq-Z2", "--output", tmp_path / "built")
    assert outcome.code == 2
    assert f"zoo network 'DIGITS_TFC': unknown; allowed: {NAME}" in outcome.error_line()
    assert f"did you mean '{NAME}'?" in outcome.err
    assert not (tmp_path / "built").exists()


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A source tree of the test's own: an empty zoo, and recipes of two networks."""
    folder = tmp_path / "tree" / "training" / "xnorflow" / "train" / "zoo"
    folder.mkdir(parents=True)
    shutil.copy(REPOSITORY / "training/xnorflow/train/zoo/catalog.toml", folder)
    for entry in read_catalog():
        shutil.copy(REPOSITORY / "training/xnorflow/train/zoo" / entry.file, folder)
    configs = tmp_path / "tree" / "training" / "configs"
    configs.mkdir()
    for network in ("TFC_1W1A", "TFC_1W2A"):
        (configs / f"{network.lower()}.toml").write_text(RECIPE.format(network=network), encoding="utf-8")
    for module in (
        "xnorflow.train.zoo.catalog",
        "xnorflow.train.zoo.load",
        "xnorflow.flow.zoo",
        "xnorflow.flow.zoo_tree",
    ):
        __import__(module)
        monkeypatch.setattr(f"{module}.zoo_folder", lambda: folder)
    return tmp_path / "tree"


def trained(cli, tree, runs, network="tfc_1w1a"):
    assert cli("train", tree / "training" / "configs" / f"{network}.toml", "--runs", runs).code == 0
    return runs / network


def test_a_run_is_added_with_measured_accuracies(cli, tree, tmp_path, left_behind):
    before = catalog.read_catalog()
    run = trained(cli, tree, tmp_path / "runs")
    outcome = cli("zoo", "add", run, "--name", "SMALL")
    assert outcome.code == 0 and outcome.err == "" and "SMALL, " in outcome.out
    *others, entry = catalog.read_catalog()
    assert tuple(others) == before
    facts = json.loads((run / "train" / "manifest.json").read_text())["facts"]
    assert (entry.name, entry.dataset, entry.seed, entry.test_frames) == ("SMALL", "digits", 3, 360)
    assert (entry.recipe, entry.tested_on) == ("training/configs/tfc_1w1a.toml", "test set")
    assert entry.accuracy_float == entry.accuracy_integer == facts["accuracy_float"]
    assert cli("summary", "zoo:SMALL").code == 0
    assert cli("zoo", "add", run, "--name", "SMALL").code == 0  # in place of itself
    assert len(catalog.read_catalog()) == len(before) + 1
    assert not left_behind(tmp_path)


@pytest.mark.parametrize("error", [InputModelError, LowerError])
def test_only_what_is_not_lowered_yet_goes_without_integer_accuracy(cli, tree, tmp_path, monkeypatch, error):
    """A network that lowering refuses, as it does convolutions; one that it changes is an error."""

    def refuse(*arguments):
        raise error("node Conv_0", "Conv")

    monkeypatch.setattr("xnorflow.lower.stage.lower", refuse)
    before = len(catalog.read_catalog())
    outcome = cli("zoo", "add", trained(cli, tree, tmp_path / "runs"), "--name", "SMALL")
    if error is LowerError:
        assert outcome.code == 2 and "node Conv_0: Conv" in outcome.error_line()
        assert len(catalog.read_catalog()) == before
        return
    assert outcome.code == 0 and "this version does not lower the network: no accuracy of integer.onnx" in outcome.out
    assert catalog.read_catalog()[-1].accuracy_integer is None
    assert "not lowered yet" in cli("zoo").out


def test_the_usual_name_is_brevitas_s_behind_the_data_set_s(cli, tree, tmp_path):
    assert cli("zoo", "add", trained(cli, tree, tmp_path / "runs")).code == 0
    named = {entry.name: entry.recipe for entry in catalog.read_catalog()}
    assert named[NAME] == "training/configs/tfc_1w1a.toml"


def test_a_run_without_recipe_is_refused(cli, tree, tmp_path):
    run = trained(cli, tree, tmp_path / "runs")
    recipe = tree / "training" / "configs" / "tfc_1w1a.toml"
    recipe.write_text(recipe.read_text().replace("epochs = 2", "epochs = 3"), encoding="utf-8")
    outcome = cli("zoo", "add", run)
    assert outcome.code == 2
    assert (
        "no file in training/configs has its seed, [data] and [train]; allowed: a run of a recipe"
        in outcome.error_line()
    )


def test_a_network_of_two_bits_is_refused(cli, tree, tmp_path):
    outcome = cli("zoo", "add", trained(cli, tree, tmp_path / "runs", "tfc_1w2a"))
    assert outcome.code == 2 and "network TFC_1W2A: 1-bit weights, 2-bit activations" in outcome.error_line()
    assert len(list((tree / "training/xnorflow/train/zoo").iterdir())) == 1 + len(read_catalog())


def test_an_installed_package_is_not_written_to(cli, tree, tmp_path):
    run = trained(cli, tree, tmp_path / "runs")
    shutil.rmtree(tree / "training" / "configs")
    outcome = cli("zoo", "add", run)
    assert outcome.code == 2 and "not in a source tree; allowed: a clone of the repository" in outcome.error_line()


def test_other_mistakes_of_adding_are_one_line(cli, tree, tmp_path):
    outcome = cli("zoo", "add", tmp_path)
    assert outcome.code == 2 and "holds no trained network" in outcome.error_line()
    run = trained(cli, tree, tmp_path / "runs")
    outcome = cli("zoo", "add", run, "--name", "my net")
    assert outcome.code == 2 and "option --name: 'my net'; allowed: letters, digits and '_'" in outcome.error_line()
    outcome = cli("zoo", "ad", run)
    assert outcome.code == 2 and "No such command 'ad'" in outcome.error_line()


def test_check_measures_what_the_catalog_says(cli):
    outcome = cli("zoo", "check", NAME)
    assert outcome.code == 0 and outcome.err == ""
    row = next(line for line in outcome.out.splitlines() if line.startswith(NAME) and "(integer)" in line)
    entry = find_entry(NAME)
    pair = f"{entry.accuracy_float:.2%} (float), {entry.accuracy_integer:.2%} (integer)"
    assert row.count(pair) == 2 and row.split()[-4:] == ["360", "digits", "test", "set"]


def test_another_accuracy_is_told_and_on_demand_written(cli, tree):
    """Of the digits network alone; the others' entries, whose data sets are not there, stay as they are."""
    file = tree / "training" / "xnorflow" / "train" / "zoo" / catalog.CATALOG
    right = file.read_text()
    before = catalog.read_catalog()
    entry = find_entry(NAME)
    file.write_text(right.replace(f"accuracy_integer = {entry.accuracy_integer}", "accuracy_integer = 0.5", 1))
    assert file.read_text() != right
    outcome = cli("zoo", "check", NAME)
    assert outcome.code == 2
    assert outcome.error_line().startswith(f"error: zoo network '{NAME}': {entry.accuracy_float:.2%} (float)")
    assert "of 360, catalog.toml says" in outcome.error_line() and "50.00% (integer)" in outcome.error_line()
    assert catalog.read_catalog() != before
    assert cli("zoo", "check", NAME, "--update").code == 0
    assert catalog.read_catalog() == before


def test_mistakes_of_checking_are_one_line(cli, tree, tmp_path):
    outcome = cli("zoo", "check", "TFC_1W1", "--data-root", tmp_path)
    assert outcome.code == 2 and "zoo network 'TFC_1W1': unknown" in outcome.error_line()
    outcome = cli("zoo", "check", "TFC_1W1A", "--data-root", tmp_path)
    assert outcome.code == 2 and "MNIST" in outcome.error_line()
    shutil.rmtree(tree / "training" / "configs")
    outcome = cli("zoo", "check", NAME, "--update")
    assert outcome.code == 2 and "not in a source tree" in outcome.error_line()
