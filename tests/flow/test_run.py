"""``xnorflow run`` and ``build`` for real, on digits and on small perceptrons; what is kept and what is done again."""

import json
import shutil

import numpy as np
import pytest

from xnorflow.artifact.manifest import Manifest


def stages_of(text: str) -> dict[str, str]:
    """Return the note of each stage's line."""
    names = ("train", "export", "reference", "lower", "generate", "simulate", "synthesize")
    lines = (line.split(maxsplit=1) for line in text.splitlines() if line.strip().startswith(names))
    return {name: note for name, note in lines if name in names}


def kept(text: str) -> set[str]:
    return {name for name, note in stages_of(text).items() if note == "unchanged, kept"}


def test_the_whole_path_and_what_is_kept_of_it(cli, experiment, tmp_path, left_behind):
    file, runs = experiment(), tmp_path / "runs"
    build = runs / "tiny" / "build"
    first = cli("run", file, "--runs", runs)
    assert first.code == 0 and first.err == ""
    assert list(stages_of(first.out)) == ["train", "export", "generate", "simulate"]
    assert not kept(first.out)
    simulation = json.loads((build / "report" / "simulation.json").read_text())
    assert (simulation["frames"], simulation["mismatches"]) == (360, 0)
    accuracy = json.loads((build / "report" / "accuracy.json").read_text())
    assert accuracy["accuracy_float"] == accuracy["accuracy_integer"] == accuracy["accuracy_rtl"]
    assert "0 of 360 frames" in first.out and "accuracy, RTL" in first.out
    assert (build / "report" / "report.html").is_file()
    assert not left_behind(tmp_path)
    tools = Manifest.load(build).tools  # and every file is as its hash says
    assert {"python", "torch", "brevitas", "qonnx", "onnx", "finn-plus", "verilator", "g++"} <= set(tools)
    checked = cli("manifest", runs / "tiny")
    assert checked.code == 0 and checked.out.count("files as written: ") == 3

    again = cli("run", file, "--runs", runs)
    assert kept(again.out) == {"train", "export", "generate", "simulate"}

    other_stalls = cli("run", file, "--runs", runs, "--stall", "0.1")
    assert kept(other_stalls.out) == {"train", "export", "generate"}

    (build / "bitfile").mkdir()
    other_folding = cli("run", file, "--runs", runs, "--target-cycles", "20", "--no-simulate")
    assert kept(other_folding.out) == {"train", "export"}
    assert not (build / "report" / "simulation.json").exists()  # it was about the design before
    assert not (build / "bitfile").exists()  # and so was this

    (build / "design.json").write_text("{}", encoding="utf-8")
    damaged = cli("run", file, "--runs", runs, "--target-cycles", "20", "--until", "generate")
    assert kept(damaged.out) == {"train", "export"}

    lowered = cli("run", file, "--runs", runs, "--target-cycles", "30", "--until", "lower")
    assert list(stages_of(lowered.out)) == ["train", "export", "lower"]
    assert not (build / "design.json").exists() and not (build / "rtl").exists()  # of the folding before
    assert cli("run", file, "--runs", runs, "--until", "generate").code == 0

    alone = cli("simulate", runs / "tiny", "--frames", "50")
    assert alone.code == 0 and "0 of 50 frames" in alone.out
    assert cli("simulate", build, "--frames", "20").code == 0

    forced = cli("run", file, "--runs", runs, "--until", "export", "--force")
    assert list(stages_of(forced.out)) == ["train", "export"] and not kept(forced.out)
    assert cli("export", runs / "tiny").code == 0
    assert cli("run", file, "--runs", runs, "--until", "train", "--quiet").out == ""


def test_another_teacher_in_the_same_file_is_another_training(cli, experiment, tmp_path):
    for name, seed in (("first", 1), ("second", 2)):
        assert cli("train", experiment("seed = 3", f"seed = {seed}", name=name), "--runs", tmp_path).code == 0
    teacher = shutil.copy(tmp_path / "first" / "train" / "checkpoint.pt", tmp_path / "teacher.pt")
    stage = '[[train.stages]]\nname = "student"\nteacher = "teacher.pt"\ninit = "teacher.pt"\n[build]'
    file = experiment("[build]", stage)
    notes = []
    for source in ("first", "first", "second"):
        shutil.copy(tmp_path / source / "train" / "checkpoint.pt", teacher)
        notes.append(cli("train", file, "--runs", tmp_path))
        assert notes[-1].code == 0
    assert [kept(outcome.out) for outcome in notes] == [set(), {"train"}, set()]


def test_the_same_seed_gives_the_same_files(cli, experiment, tmp_path):
    for name in ("a", "b"):
        assert cli("run", experiment(), "--runs", tmp_path, "--name", name, "--until", "generate").code == 0
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a" / "build" / "rtl").iterdir())
    assert files
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_model_of_others_is_compared_with_qonnx(cli, perceptron, tmp_path):
    model = perceptron(tmp_path / "net.onnx", (24, 16, 5), input_bits=4, seed=5)
    options = ("--board", "ZCU104", "--output", tmp_path / "built", "--no-synthesize")
    outcome = cli("build", model, *options)
    assert outcome.code == 0 and "0 of 256 frames" in outcome.out
    assert list(stages_of(outcome.out)) == ["reference", "generate", "simulate"]

    inputs = np.random.default_rng(2).random((33, 24)).astype(np.float32)
    np.savez(tmp_path / "given.npz", inputs=inputs, labels=np.zeros(33, np.int64))
    outcome = cli("build", model, *options, "--inputs", tmp_path / "given.npz")
    assert outcome.code == 0 and "0 of 33 frames" in outcome.out
    assert "accuracy, RTL" in outcome.out


def test_a_model_that_ends_in_labels(cli, perceptron, tmp_path):
    model = perceptron(tmp_path / "net.onnx", (24, 16, 5), seed=6, top_k=True)
    outcome = cli("build", model, "--board", "Pynq-Z1", "--output", tmp_path / "b", "--no-synthesize", "--frames", "90")
    assert outcome.code == 0 and "differing labels" in outcome.out and "0 of 90 frames" in outcome.out


@pytest.mark.data
def test_a_test_set_by_name(cli, perceptron, tmp_path, data_root):
    model = perceptron(tmp_path / "net.onnx", (784, 16, 10), seed=7)
    outcome = cli(
        "build", model, "--board", "Pynq-Z2", "--output", tmp_path / "b", "--no-synthesize",
        "--dataset", "mnist", "--data-root", data_root, "--frames", "500",
    )  # fmt: skip
    assert outcome.code == 0 and "0 of 500 frames" in outcome.out and "mnist test set" in outcome.out


def test_a_design_that_differs_from_its_reference_fails(cli, perceptron, tmp_path):
    """Swapped weights between two neurons of the last layer: the simulation must notice, whatever the checks before."""
    model = perceptron(tmp_path / "net.onnx", (24, 16, 5), seed=8)
    built = tmp_path / "built"
    assert (
        cli("build", model, "--board", "Pynq-Z2", "--output", built, "--no-synthesize", "--until", "generate").code == 0
    )
    weights = max((built / "rtl").glob("*weights*.mem"))
    words = weights.read_text().split()
    flipped = [f"{int(word, 16) ^ 1:0{len(word)}x}" for word in words]
    weights.write_text("\n".join(flipped) + "\n", encoding="utf-8")
    outcome = cli("simulate", built)
    assert outcome.code == 2 and "frames differ" in outcome.error_line()
    report = json.loads((built / "report" / "simulation.json").read_text())
    assert report["mismatches"] > 0
    assert f": rtl/{weights.name} was changed; " in cli("manifest", built).error_line()  # and nothing else was


def test_a_small_design_is_synthesized(cli, perceptron, tmp_path):
    model = perceptron(tmp_path / "net.onnx", (16, 8, 4), seed=9)
    outcome = cli("build", model, "--board", "Pynq-Z2", "--output", tmp_path / "built", "--no-simulate")
    assert outcome.code == 0 and " LUT, " in stages_of(outcome.out)["synthesize"]
    content = json.loads((tmp_path / "built" / "report" / "yosys_synth_xc7.json").read_text())
    assert f"{content['total']['LUT']:,} of 53,200" in outcome.out
    page = (tmp_path / "built" / "report" / "report.html").read_text(encoding="utf-8")
    assert "yosys, mapped" in page


def test_a_design_over_budget_is_refused_before_anything_long(cli, perceptron, tmp_path):
    model = perceptron(tmp_path / "net.onnx", (512, 1024, 10), seed=10)
    built = tmp_path / "built"
    outcome = cli("build", model, "--board", "Pynq-Z2", "--output", built, "--target-cycles", "1")
    assert outcome.code == 2 and "of the board's 53,200" in outcome.error_line()
    assert not (built / "design.json").exists() and not (built / "rtl").exists()


def test_a_refused_design_leaves_the_one_before_it(cli, perceptron, tmp_path):
    options = ("--board", "Pynq-Z2", "--output", tmp_path / "built", "--until", "generate", "--frames", "8")
    sizes = {"small": (16, 8, 4), "large": (512, 1024, 10)}
    small, large = (perceptron(tmp_path / f"{name}.onnx", widths) for name, widths in sizes.items())
    assert cli("build", small, *options).code == 0
    before = Manifest.load(tmp_path / "built")
    assert cli("build", large, *options, "--target-cycles", "1").code == 2
    after = Manifest.load(tmp_path / "built")
    assert {name for name in before.files if before.files[name] != after.files[name]} == {"golden.npz"}
