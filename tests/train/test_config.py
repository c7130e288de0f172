from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from xnorflow.train.config import DataSettings, TrainSettings, as_toml

CONFIGS = sorted((Path(__file__).parents[2] / "training" / "configs").glob("*.toml"))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("network", "TFC_4W4A", "'TFC_1W1A', 'TFC_1W2A'"),
        ("hidden", [64, -64], "greater than or equal to 1"),
        ("hidden", [], "at least 1 item"),
        ("input_bits", 4, "1 or 8"),
        ("epochs", 0, "greater than or equal to 1"),
        ("epochs", "many", "valid integer"),
        ("batch_size", 1, "greater than or equal to 2"),
        ("learning_rate", 0.0, "greater than 0"),
        ("learning_rate", float("nan"), "finite number"),
        ("weight_decay", -0.1, "greater than or equal to 0"),
        ("dropout", 1.0, "less than 1"),
        ("threads", 0, "greater than or equal to 1"),
        ("shift", -1, "greater than or equal to 0"),
        ("optimizer", "adamant", "'adam' or 'sgd'"),
        ("scheduler", "cyclic", "'cosine', 'linear', 'step' or 'none'"),
        ("losses", [], "at least 1 item"),
        ("losses", [{"kind": "l1"}], "'cross_entropy', 'squared_hinge'"),
        ("losses", [{"kind": "cross_entropy", "smoothing": 1.0}], "less than 1"),
        ("stages", [{"form": "float"}], "Field required"),
        ("stages", [{"name": "a b"}], "pattern"),
        ("stages", [{"name": "a", "form": "gray"}], "'float', 'tanh'"),
        ("accelerator", "tpu", "'auto', 'cpu' or 'cuda'"),
        ("epoch", 3, "Extra inputs are not permitted"),
    ],
)
def test_a_bad_value_is_refused_and_the_key_named(key, value, message):
    with pytest.raises(ValidationError) as caught:
        TrainSettings.model_validate({"network": "TFC_1W1A", key: value})
    assert caught.value.errors()[0]["loc"][0] == key
    assert message in str(caught.value)


def test_an_unknown_data_set_is_refused_with_the_known_ones():
    with pytest.raises(ValidationError, match="'digits', 'mnist', 'fashion_mnist', 'cifar10' or 'imagenet'"):
        DataSettings.model_validate({"dataset": "cifar"})


def test_the_config_as_run_reads_back_as_the_same_settings():
    data = DataSettings(dataset="mnist", root=Path('/tmp/a "b"/ü'))
    settings = TrainSettings(network="SFC_1W1A", hidden=(8, 16), learning_rate=1e-5, input_bits=8)
    content = tomllib.loads(as_toml(7, data, settings))
    assert content["seed"] == 7
    assert DataSettings.model_validate(content["data"]) == data
    assert TrainSettings.model_validate(content["train"]) == settings


def test_settings_load_without_torch():
    program = "import sys, xnorflow.train.config; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_there_are_configs():
    assert {path.stem for path in CONFIGS} >= {"digits_tfc", "mnist_tfc", "mnist_sfc", "mnist_lfc", "fashion_sfc"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_each_config_is_named_like_its_file_says_its_command_and_holds_valid_tables(path):
    text = path.read_text(encoding="utf-8")
    content = tomllib.loads(text)
    assert content["name"] == path.stem
    verb = "run" if "simulate" in content else "train"  # of the others, the training is the point
    assert f"xnorflow {verb} training/configs/{path.name}" in text.split("\n\n")[0]
    DataSettings.model_validate(content["data"])
    TrainSettings.model_validate(content["train"])
    assert "root" not in content["data"]
