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
            "epochs = 2", 'name = "x"', r"\[train\]: unknown key 'name'; .*; name belongs at the top, before the",
            id="key of the top",
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
            r"key train\.hidden\[0\]: -12; allowed: greater than or equal to 1; change",
            id="negative width",
        ),
        pytest.param(
            "epochs = 2", "dropout = 1.5", r"train\.dropout: 1\.5; allowed: less than 1; change", id="out of range"
        ),
        pytest.param(
            '"TFC_1W1A"', '"TFC-1W1A"',
            r"train\.network: 'TFC-1W1A'; allowed: 'TFC_1W1A', 'TFC_1W2A', .*; did you mean 'TFC_1W1A'\?",
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


STAGES = """
[[train.stages]]
name = "teacher"
form = "float"
[[train.stages]]
name = "student"
teacher = "teacher"
[[train.stages.losses]]
kind = "cross_entropy"
[[train.stages.losses]]
kind = "distillation"
temperature = 4.0
[build]"""

KINDS = "'cross_entropy', 'squared_hinge', 'distillation', "


def staged(experiment, old, new):
    assert old in STAGES
    return experiment("[build]", STAGES.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            'teacher = "teacher"', "epochs = 0",
            r"key train\.stages\[1\]\.epochs \(stage 'student'\): 0; allowed: greater .* equal to 1; change the value",
            id="value in a stage",
        ),
        pytest.param(
            'form = "float"', 'from = "float"',
            r", train\.stages\[0\] \(stage 'teacher'\): unknown key 'from'; .*\bform\b.*; did you mean 'form'\?",
            id="unknown key in a stage",
        ),
        pytest.param(
            'form = "float"', "shift = 1", r"\(stage 'teacher'\): unknown key 'shift'; .*; shift belongs in \[train\]",
            id="key of train in a stage",
        ),
        pytest.param(
            'form = "float"', "temperature = 2",
            r"unknown key 'temperature'; .*; temperature belongs in \[\[train\.losses\]\] of kind 'distillation'",
            id="key of a loss in a stage",
        ),
        pytest.param(
            'form = "float"', 'form = "flaot"',
            r"train\.stages\[0\]\.form \(stage 'teacher'\): 'flaot'; allowed: 'float', .*; did you mean 'float'\?",
            id="unknown form",
        ),
        pytest.param(
            'name = "teacher"\n', "", r", train\.stages\[0\]: key 'name' is missing; add it", id="stage without a name"
        ),
        pytest.param(
            'name = "teacher"', 'name = "the teacher"',
            r"stages\[0\]\.name \(stage 'the teacher'\): 'the teacher'; allowed: a letter or digit, then letters",
            id="stage with a bad name",
        ),
        pytest.param(
            '"distillation"', '"destillation"',
            rf"key train\.stages\[1\]\.losses\[1\]\.kind: 'destillation'; allowed: {KINDS}.*; "
            r"did you mean 'distillation'\?",
            id="unknown kind of loss",
        ),
        pytest.param(
            'kind = "distillation"\n', "",
            rf", train\.stages\[1\]\.losses\[1\] \(stage 'student'\): key 'kind' is missing; .* {KINDS}.*; add it$",
            id="loss without a kind",
        ),
        pytest.param(
            "temperature", "temparature",
            r"losses\[1\] \(stage 'student', loss 'distillation'\): unknown key 'temparature'; allowed: kind, "
            r"temperature, weight; did you mean 'temperature'\?$",
            id="unknown key in a loss",
        ),
        pytest.param(
            "temperature = 4.0", "learning_rate = 0.1",
            r"unknown key 'learning_rate'; allowed: kind, temperature, weight; learning_rate belongs in \[train\]$",
            id="key of train in a loss",
        ),
        pytest.param(
            "4.0", "-4.0",
            r"key train\.stages\[1\]\.losses\[1\]\.temperature \(stage 'student', loss 'distillation'\): -4\.0; "
            r"allowed: greater than 0; change the value$",
            id="value in a loss",
        ),
        pytest.param(
            'form = "float"', 'losses = ["cross_entropy"]',
            r"key train\.stages\[0\]\.losses\[0\] \(stage 'teacher'\): 'cross_entropy'; allowed: a table; change",
            id="word in place of a loss",
        ),
        pytest.param(
            'form = "float"', "losses = []",
            r"key train\.stages\[0\]\.losses \(stage 'teacher'\): \[\]; allowed: at least 1 item; change the value$",
            id="no loss",
        ),
        pytest.param(
            'teacher = "teacher"', 'teacher = "tutor"',
            r", \[train\]: stage 'student': teacher = 'tutor' is no earlier stage \(teacher\) and no \.pt file; ch",
            id="unknown teacher",
        ),
        pytest.param(
            'name = "student"', 'name = "teacher"', r", \[train\]: two stages are called 'teacher'; change one of",
            id="two stages of one name",
        ),
        pytest.param(
            'teacher = "teacher"', 'form = "tanh"',
            r", \[train\]: the last stage 'student' has form = 'tanh', not 'binary'; change one of",
            id="last stage not binary",
        ),
        pytest.param(
            'form = "float"', "warmup_epochs = 2",
            r", train\.stages\[0\] \(stage 'teacher'\): warmup_epochs = 2 leaves nothing of 2 epochs; change one of",
            id="keys of a stage at odds",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_stage_is_named(experiment, old, new, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(staged(experiment, old, new))
    assert "\n" not in str(caught.value) and " more)" not in str(caught.value)


def test_stages_are_read(experiment):
    teacher, student = load_config(staged(experiment, "4.0", "3.0")).train.stages
    assert (teacher.form, teacher.epochs, teacher.losses[0].kind) == ("float", 2, "cross_entropy")
    assert (student.teacher, student.losses[1].temperature) == ("teacher", 3.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'stages = { name = "a" }',
            r"key train\.stages: a table; allowed: tables, each headed \[\[train\.stages\]\]; cha",
        ),
        ('losses = "cross_entropy"', r"key train\.losses: 'cross_entropy'; allowed: a list; change the value$"),
        ("losses = [{}]", r", train\.losses\[0\]: key 'kind' is missing; allowed: 'cross_entropy', .*; add it$"),
        ('losses = [{ kind = "hinge" }]', r"train\.losses\[0\]\.kind: 'hinge'; .*; did you mean 'squared_hinge'\?$"),
        ("smoothing = 0.1", r"\[train\]: .*smoothing belongs in \[\[train\.losses\]\] of kind 'cross_entropy'$"),
        ('teacher = "a"', r"\[train\]: unknown key 'teacher'; .*; teacher belongs in \[\[train\.stages\]\]$"),
        ("trunk_bits = 8", r"\[train\]: unknown key 'trunk_bits'; .*; trunk_bits belongs in \[train\.block\]$"),
        (
            "[train.block]\norder = 'bireal'",
            r", \[train\]: block is for residual networks; TFC_1W1A has no shortcuts; cha",
        ),
        (
            "[train.block]\nordre = 'react'",
            r", \[train\.block\]: unknown key 'ordre'; allowed: .*; did you mean 'order'\?$",
        ),
        (
            "[train.block]\norder = 'reakt'",
            r"key train\.block\.order: 'reakt'; allowed: .*'react'.*; did you mean 'react'",
        ),
        (
            "[train.block]\ntrunk_bits = 3",
            r"key train\.block\.trunk_bits: 3; allowed: greater .* to 4, or 'real'; change",
        ),
        ("block = 'react'", r"key train\.block: 'react'; allowed: a table; change the value$"),
    ],
)
def test_what_is_wrong_in_an_inner_table_is_named(experiment, text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(experiment("epochs = 2", f"epochs = 2\n{text}"))
    assert "\n" not in str(caught.value)


def test_a_wrong_key_that_stages_inherit_is_one_error(experiment):
    path = staged(experiment, "4.0", "4.0")
    path.write_text(path.read_text().replace("epochs = 2", "epochs = 'two'"))
    with pytest.raises(
        ConfigError, match=r"key train\.epochs: 'two'; allowed: a valid integer[^(]*; change the value$"
    ):
        load_config(path)


def test_checkpoints_of_stages_count_from_the_file(experiment, tmp_path):
    path = staged(experiment, 'teacher = "teacher"', 'teacher = "nets/teacher.pt"\ninit = "/nets/first.pt"')
    stage = load_config(path).train.stages[1]
    assert (stage.teacher, stage.init) == (str(tmp_path / "nets" / "teacher.pt"), "/nets/first.pt")


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
