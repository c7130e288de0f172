"""``xnorflow summary``: what a network is made of, from any place that names one, without its data set."""

import pytest

from xnorflow.artifact.progress import SilentProgress
from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.stage import train

STAGED = """
[data]
dataset = "mnist"
[train]
network = "TFC_1W1A"
hidden = [40]
epochs = 7
[[train.stages]]
name = "teacher"
form = "float"
network = "SFC_1W1A"
hidden = [50]
[[train.stages]]
name = "binary"
teacher = "teacher"
init = "[nets]/first.pt"
losses = [{ kind = "cross_entropy" }, { kind = "distillation", weight = 0.5 }]
"""


@pytest.fixture
def staged(tmp_path):
    """An experiment of two stages on a data set that is not there."""
    path = tmp_path / "staged.toml"
    path.write_text(STAGED, encoding="utf-8")
    return path


def row_of(text: str, name: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])


def test_an_experiment_is_summed_up_without_its_data(cli, staged):
    outcome = cli("summary", staged)
    assert outcome.code == 0 and outcome.err == ""
    assert outcome.out.splitlines()[0] == "staged  TFC_1W1A, images 1x28x28, 10 classes"
    assert row_of(outcome.out, "features.2") == [
        "features.2", "linear", "1", "x", "1", "40", "31,360", "-", "-", "31,360", "784", "-"
    ]  # fmt: skip
    assert row_of(outcome.out, "features.3") == ["features.3", "thresholds", "40", "-", "-", "-", "-", "-", "40"]
    assert row_of(outcome.out, "total") == ["total", "31,760", "-", "-", "31,760", "-", "40"]
    assert "products  496 a frame, binary ones counted as 1/64" in outcome.out
    assert "storage   31,760 bits of binary and few-bit weights, 3.9 KiB\n" in outcome.out
    assert "hardware  streams, and this version builds it\n" in outcome.out
    assert row_of(outcome.out, "teacher") == [
        "teacher", "SFC_1W1A", "float", "32", "x", "32", "7", "random", "cross_entropy"
    ]  # fmt: skip
    row = row_of(outcome.out, "binary")
    assert row[:7] == ["binary", "TFC_1W1A", "binary", "1", "x", "1", "7"]
    assert row[7].endswith("[nets]/first.pt") and row[8:] == ["teacher", "cross_entropy,", "0.5", "distillation"]


def test_a_run_a_checkpoint_and_a_stage_are_summed_up(cli, tmp_path):
    settings = TrainSettings(network="TFC_1W1A", hidden=(12,), epochs=1, accelerator="cpu")
    train(DataSettings(dataset="digits"), settings, 1, tmp_path / "run" / "train", SilentProgress())
    tables = set()
    for place in ("run", "run/train", "run/train/checkpoint.pt", "run/train/stages/binary.pt"):
        outcome = cli("summary", tmp_path / place)
        assert outcome.code == 0 and row_of(outcome.out, "total")[1] == "888"
        tables.add(outcome.out.split("\n", 1)[1])
    assert len(tables) == 1


def test_a_network_of_the_zoo_is_summed_up(cli):
    outcome = cli("summary", "zoo:DIGITS_TFC_1W1A")
    assert outcome.code == 0 and row_of(outcome.out, "total")[1] == "12,928"


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ('"mnist"', '"cifar10"', "streams, and this version builds it"),
        (
            'hidden = [40]', 'weight_scale = "adabin"\nhardware = false',
            "does not stream: network TFC_1W1A, layer features.2: weight_scale = 'adabin' does not fold into",
        ),
        (
            'network = "TFC_1W1A"\nhidden = [40]', 'network = "TFC_1W2A"',
            "streams, but this version builds perceptrons with weights and activations of one bit only",
        ),
    ],
)  # fmt: skip
def test_it_is_said_whether_the_network_streams(cli, staged, old, new, verdict):
    assert old in STAGED
    staged.write_text(STAGED.replace(old, new, 1), encoding="utf-8")
    outcome = cli("summary", staged)
    assert outcome.code == 0 and f"hardware  {verdict}" in outcome.out


def test_no_number_is_cut_off_on_a_narrow_terminal(cli, staged, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert "…" not in cli("summary", staged).out


def test_a_network_that_does_not_fit_the_images_is_one_line(cli, experiment):
    outcome = cli("summary", experiment('"TFC_1W1A"\nhidden = [12]', '"CNV_1W1A"'))
    assert outcome.code == 2
    assert "network CNV_1W1A, layer conv_features.0: images of 8x8 pixels; allowed: 32x32" in outcome.error_line()


def test_what_is_no_network_is_named(cli, tmp_path):
    outcome = cli("summary", tmp_path)
    assert outcome.code == 2 and "holds no trained network" in outcome.error_line()
    outcome = cli("summary", tmp_path / "none.toml")
    assert outcome.code == 2 and "none.toml: no such file; allowed: an experiment file" in outcome.error_line()
    outcome = cli("summary", tmp_path / "none.pt")
    assert outcome.code == 2 and "checkpoint" in outcome.error_line() and "no such file" in outcome.err
    outcome = cli("summary", "zoo:NONE")
    assert outcome.code == 2 and "zoo network 'NONE': unknown; allowed: DIGITS_TFC_1W1A" in outcome.error_line()
