"""Each way in which an experiment file or an option can be wrong, and the line that says so."""

import pytest

from xnorflow.artifact.errors import ConfigError
from xnorflow.flow.config import load_config, settings_from_options
from xnorflow.lower.config import BuildSettings


def test_a_good_file_is_read_and_named_after_itself(experiment):
    config = load_config(experiment(name="my-net_1"))
    assert (config.name, config.seed, config.build.target_cycles) == ("my-net_1", 3, 40)
    assert config.train.hidden == (12,)
    assert config.simulate.stall_probability == 0.3


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "epochs = 2", "epoch = 2",
            r"config .*tiny\.toml, \[train\]: unknown key 'epoch'; allowed: .*\bepochs\b.*; did you mean 'epochs'\?",
            id="unknown key",
        ),
        pytest.param(
            "epochs = 2", "target_cycles = 2",
            r"\[train\]: unknown key 'target_cycles'; .*; target_cycles belongs in \[build\]",
            id="key of another table",
        ),
        pytest.param(
            "[data]", "[dats]\nx = 1\n[data]",
            r"the top level: unknown key 'dats'; allowed: build, data, name, .*; did you mean 'data'\?",
            id="unknown table",
        ),
        pytest.param(
            "epochs = 2", "qqqqqqq = 2", r"unknown key 'qqqqqqq'; allowed: .*; remove it", id="unknown key, none near"
        ),
        pytest.param(
            "epochs = 2", 'epochs = "many"',
            r"key train\.epochs: 'many'; allowed: a valid integer, .*; change the value",
            id="wrong type",
        ),
        pytest.param(
            "hidden = [12]", "hidden = [-12]",
            r"key train\.hidden\.0: -12; allowed: greater than or equal to 1; change the value",
            id="negative width",
        ),
        pytest.param(
            "epochs = 2", "dropout = 1.5", r"train\.dropout: 1\.5; allowed: less than 1; change", id="out of range"
        ),
        pytest.param(
            '"TFC_1W1A"', '"TFC_4W4A"', r"train\.network: 'TFC_4W4A'; allowed: 'TFC_1W1A', 'SFC_1W1A'",
            id="unknown network",
        ),
        pytest.param("dataset", 'root = "x"\n#', r"\[data\]: key 'dataset' is missing; add it", id="missing key"),
        pytest.param(
            '[train]\nnetwork = "TFC_1W1A"\nhidden = [12]\nepochs = 2\n', "", r"table \[train\] is missing; add it",
            id="missing table",
        ),
        pytest.param("epochs = 2", "epochs = ", r"not TOML: .*\(at line 8, column 10\)", id="broken TOML"),
        pytest.param(
            "seed = 3", 'name = "a b"', r"key name: 'a b'; allowed: a letter or digit, then letters, digits", id="name"
        ),
        pytest.param(
            'seed = 3\n[data]\ndataset = "digits"', 'data = "digits"', r"key data: 'digits'; allowed: a table; change",
            id="value in place of a table",
        ),
        pytest.param("seed = 3", "seed = -1", r"key seed: -1; allowed: greater than or equal to 0", id="seed"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(experiment, old, new, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(experiment(old, new))
    assert "\n" not in str(caught.value)


def test_further_errors_are_counted(experiment):
    with pytest.raises(ConfigError, match=r"\(and 2 more\)$"):
        load_config(experiment("epochs = 2", 'epochs = "a"\nbatch_size = 0\ndropout = 2'))


@pytest.mark.parametrize(("name", "found"), [("absent.toml", "no such file"), (".", "is a folder")])
def test_a_missing_file_is_named(tmp_path, name, found):
    with pytest.raises(ConfigError, match=f"config .*: {found}; allowed: an experiment file"):
        load_config(tmp_path / name)


def test_a_file_that_is_not_text_is_named(tmp_path):
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="unreadable"):
        load_config(path)


def test_options_lie_over_the_file(experiment):
    config = load_config(
        experiment(),
        [(("build", "board"), "--board", "Pynq-Z1"), (("seed",), "--seed", 9), (("name",), "--name", None)],
    )
    assert (config.build.board, config.seed, config.name) == ("Pynq-Z1", 9, "tiny")


def test_a_wrong_option_is_named_as_the_option(experiment):
    with pytest.raises(ConfigError, match=r"option --stall: 2\.0; allowed: less than or equal to 0\.95"):
        load_config(experiment(), [(("simulate", "stall_probability"), "--stall", 2.0)])
    with pytest.raises(ConfigError, match="option --target-fps: -5; allowed: greater than 0"):
        settings_from_options(BuildSettings, [(("target_fps",), "--target-fps", -5)])


def test_paths_count_from_the_file(experiment, tmp_path):
    config = load_config(experiment("target_cycles = 40", 'folding = "fold.json"'))
    assert config.build.folding == tmp_path / "fold.json"
    config = load_config(experiment('"digits"', '"digits"\nroot = "/data"'))
    assert str(config.data.root) == "/data"
