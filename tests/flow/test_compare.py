"""``xnorflow compare`` on digits: results, table and plot; what is kept, repeated, and refused."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

PROGRAM = Path(sys.executable).with_name("xnorflow")
COMPARISON = """
title = "Methods on digits"
seeds = [1, 2]
baseline = "none"
results = "results/tiny.json"
[data]
dataset = "digits"
[train]
epochs = 2
accelerator = "cpu"
[teacher]
epochs = 1
[[networks]]
name = "TFC_1W1A"
hidden = [16]
[[methods]]
name = "none"
title = "nothing"
[[methods]]
name = "kd"
title = "distilled"
losses = [{ kind = "cross_entropy" }, { kind = "distillation" }]
"""
MARKS = "# Mine\n\n<!-- comparison: tiny -->\n<!-- end comparison -->\n\nthe rest\n"
VOLATILE = {"seconds", "cpu_seconds", "date"}


class Place:
    """A folder with a comparison, a file for its table, and the command for both."""

    def __init__(self, folder: Path, cli: Callable):
        self.folder, self.cli = folder, cli
        self.results, self.readme = folder / "results" / "tiny.json", folder / "README.md"
        self.runs = folder / "runs"
        self.readme.write_text(MARKS, encoding="utf-8")
        self.write()

    def write(self, old: str = "", new: str = "", method: str = "") -> None:
        """Write the comparison with ``new`` in place of ``old``, and ``method`` in that of the first method's name."""
        assert old in COMPARISON
        text = COMPARISON.replace(old, new) if old else COMPARISON
        first = '[[methods]]\nname = "none"'
        (self.folder / "tiny.toml").write_text(text.replace(first, method) if method else text, encoding="utf-8")

    @property
    def arguments(self) -> list[str]:
        return ["compare", str(self.folder / "tiny.toml"), "--readme", str(self.readme), "--runs", str(self.runs)]

    def compare(self, *more: str):
        return self.cli(*self.arguments, *more)

    def content(self) -> dict:
        return json.loads(self.results.read_text(encoding="utf-8"))

    def records(self) -> dict[tuple[str, int], dict]:
        return {(record["method"], record["seed"]): record for record in self.content()["records"]}


def lasting(records: dict) -> dict:
    """Leave out what another run on the same machine may give otherwise."""
    return {key: {name: record[name] for name in record.keys() - VOLATILE} for key, record in records.items()}


def trained(text: str) -> list[str]:
    """Return the trainings that an output tells of, in order."""
    return [line.split("  ")[1] for line in text.splitlines() if line.startswith("  TFC_1W1A")]


@pytest.fixture
def place(tmp_path, cli):
    return Place(tmp_path, cli)


@pytest.mark.full
def test_a_comparison_from_end_to_end(place, left_behind):
    first = place.compare()
    assert (first.code, first.err) == (0, "")
    runs = [f"TFC_1W1A {method} seed {seed}" for seed in (1, 2) for method in ("none", "kd")]
    assert trained(first.out) == ["TFC_1W1A teacher seed 0", *runs]
    assert "5 trainings to do" in first.out and "none left" in first.out
    assert not left_behind(place.folder)

    content, records = place.content(), place.records()
    assert sorted(records) == [("kd", 1), ("kd", 2), ("none", 1), ("none", 2)]
    teacher = content["teachers"][0]
    assert (len(content["teachers"]), teacher["epochs"], teacher["seed"]) == (1, 1, 0)
    for (method, seed), record in records.items():
        folder = place.runs / "tiny" / "TFC_1W1A" / method / f"seed-{seed}" / "train"
        facts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["facts"]
        assert record["accuracy_float"] == facts["accuracy_float"] and record["epochs"] == facts["epochs"] == 2
        assert (record["test_frames"], record["held_out"], facts["seed"]) == (360, False, seed)
        assert record["teacher_accuracy_float"] == (teacher["accuracy_float"] if method == "kd" else None)
        assert record["settings"] in content["settings"] and record["cpu"] and "torch" in record["tools"]
    lines = (place.runs / "tiny" / "TFC_1W1A" / "teacher" / "train" / "metrics.jsonl").read_text().splitlines()
    assert teacher["accuracy_float"] == json.loads(lines[0])["test_accuracy_float"]

    text = place.readme.read_text(encoding="utf-8")
    assert text.startswith("# Mine\n\n<!-- comparison: tiny -->\n") and text.endswith("-->\n\nthe rest\n")
    mean = 50 * (records["none", 1]["accuracy_float"] + records["none", 2]["accuracy_float"])
    assert f"| nothing | 2 | {mean:.2f} ± " in text and "| distilled | 2 | " in text
    assert "[results/tiny.json](results/tiny.json), from `xnorflow compare tiny.toml`" in text
    assert "<svg" in (place.folder / "results" / "tiny.svg").read_text(encoding="utf-8")

    before = place.results.read_bytes()
    again = place.compare()
    assert trained(again.out) == [] and "0 trainings to do, 4 of 4 runs are done already" in again.out
    assert place.results.read_bytes() == before and place.readme.read_text(encoding="utf-8") == text

    place.readme.write_text(MARKS, encoding="utf-8")
    assert place.compare("--table-only", "--quiet").out == ""
    assert place.readme.read_text(encoding="utf-8") == text

    check_that_a_lost_record_is_made_again(place)
    check_that_other_settings_are_noticed(place)


def check_that_a_lost_record_is_made_again(place):
    """The same one but for its times: the teacher is still there, and everything random has a seed."""
    before, content = place.records(), place.content()
    content["records"] = [record for record in content["records"] if (record["method"], record["seed"]) != ("kd", 2)]
    place.results.write_text(json.dumps(content), encoding="utf-8")
    assert trained(place.compare().out) == ["TFC_1W1A kd seed 2"]
    assert lasting(place.records()) == lasting(before)


def check_that_other_settings_are_noticed(place):
    place.write('title = "distilled"', 'title = "distilled"\nlearning_rate = 0.02')
    assert "†" in place.compare("--table-only").out + place.readme.read_text(encoding="utf-8")
    before = place.records()
    some = place.compare("--only", "kd", "--seeds", "2,3")
    assert trained(some.out) == ["TFC_1W1A kd seed 2", "TFC_1W1A kd seed 3"]
    assert some.out.count("dropped the former record of ") == 1
    assert "dropped the former record of TFC_1W1A kd seed 2: it was of other settings" in some.out
    after = place.records()
    assert after["kd", 1] == before["kd", 1] and after["kd", 2]["settings"] == after["kd", 3]["settings"]
    assert after["kd", 2]["settings"] != before["kd", 2]["settings"]
    assert "(2) †" in place.readme.read_text(encoding="utf-8")  # two seeds count, the stale one does not


@pytest.mark.full
def test_only_its_pupils_wait_for_a_teacher(place):
    """A plain run ends while the teacher is at its many epochs; the others go on as soon as it is there."""
    place.write("[teacher]\nepochs = 1", "[teacher]\nepochs = 100")
    outcome = place.compare("--seeds", "1", "--jobs", "2")
    assert outcome.code == 0, outcome.err
    ended = [line.split()[1:4] for line in outcome.out.splitlines() if " seed " in line]
    assert ended == [["none", "seed", "1"], ["teacher", "seed", "0"], ["kd", "seed", "1"]]


def test_failing_trainings_are_told_at_the_end_and_the_others_are_done(place):
    """No layer has the scale that the loss is about: found out when a training begins."""
    fails = '\nlosses = [{ kind = "kernel_rectification" }]'
    bad = f'[[methods]]\nname = "bad"\ntitle = "bad"{fails}\n'
    place.write("[teacher]", f"[teacher]{fails}", f'{bad}[[methods]]\nname = "none"')
    outcome = place.compare("--seeds", "1", "--jobs", "2")
    assert outcome.code == 2
    line = outcome.error_line()
    assert "comparison tiny: 3 trainings failed, of a plan of 3 runs: " in line
    assert line.endswith("; the same command tries them again")
    for part in (
        "TFC_1W1A teacher seed 0: loss kernel_rectification: no layer of the network has a learned scale",
        "TFC_1W1A kd seed 1: its teacher's training failed",
        "TFC_1W1A bad seed 1: loss kernel_rectification: ",
    ):
        assert part in line
    assert outcome.out.count("FAILED: ") == 2
    assert sorted(place.records()) == [("none", 1)]
    assert "| bad | 2 | not yet |" in place.readme.read_text(encoding="utf-8")


def wait_for(what, seconds: float = 120.0):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def interrupt(place, number: signal.Signals, seed: int, epoch: int) -> tuple[int, str, str]:
    """Start the comparison's first method, send a signal after an epoch of a run; return code and outputs."""
    partial = place.runs / "tiny" / "TFC_1W1A" / "none" / f"seed-{seed}" / "train.partial"
    command = [PROGRAM, *place.arguments, "--only", "none"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: reached(partial, epoch) or process.poll() is not None)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    wait_for(lambda: not alive(family), 30)
    return process.returncode, out, error


def reached(partial: Path, epoch: int) -> bool:
    return any(int(path.stem.split("-")[-1]) >= epoch for path in partial.glob("state-*.pt"))


@pytest.mark.full
def test_an_interrupted_comparison_goes_on(place, left_behind):
    """Killed in the first run, then stopped by Ctrl-C in the second; both go on where they were."""
    place.write("epochs = 2", "epochs = 60")
    code, out, _ = interrupt(place, signal.SIGKILL, seed=1, epoch=5)
    assert code == -signal.SIGKILL and trained(out) == [] and not place.results.exists()

    code, out, error = interrupt(place, signal.SIGINT, seed=2, epoch=5)
    assert (code, error) == (130, "interrupted\n")
    assert trained(out) == ["TFC_1W1A none seed 1"] and sorted(place.records()) == [("none", 1)]
    assert "interrupted with 1 trainings to do; the same command goes on" in out

    outcome = place.compare("--only", "none")
    assert outcome.code == 0 and trained(outcome.out) == ["TFC_1W1A none seed 2"]
    assert sorted(place.records()) == [("none", 1), ("none", 2)]
    for seed in (1, 2):
        folder = place.runs / "tiny" / "TFC_1W1A" / "none" / f"seed-{seed}"
        assert len((folder / "train" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()) == 60
        assert len(list((folder / "train" / "tensorboard").iterdir())) == 2  # one file before, one after
        assert not (folder / "train.partial").exists()
    assert not left_behind(place.folder)


def test_a_missing_place_for_the_table_is_found_before_anything_is_trained(place):
    place.readme.write_text("# Mine\n", encoding="utf-8")
    outcome = place.compare()
    assert outcome.code == 2
    assert "README.md: no mark `<!-- comparison: tiny -->`; allowed: " in outcome.error_line()
    place.readme.unlink()
    outcome = place.compare("--table-only")
    assert outcome.code == 2 and "README.md: no such file; allowed: " in outcome.error_line()
    place.readme.mkdir()
    assert "README.md: unreadable: " in place.compare().error_line()
    assert not place.runs.exists() and not place.results.exists()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("seeds =", "seed =", "the top level: unknown key 'seed'; allowed: "),
        ("epochs = 2", "epoch = 2", "[train]: unknown key 'epoch'; allowed: "),
        ("[teacher]\nepochs", "[teacher]\nepoch", "[teacher]: unknown key 'epoch'; allowed: "),
        ("hidden", "hiden", "unknown key 'hiden'; allowed: "),
        ('title = "distilled"', 'titel = "distilled"', "'title'"),
        (
            "epochs = 2",
            'epochs = "two"',
            "tiny.toml, network TFC_1W1A, method none, key epochs: 'two'; allowed: a valid",
        ),
        ("hidden = [16]", "hidden = [0]", "network TFC_1W1A, its teacher, key hidden[0]: 0; allowed: greater than"),
        ('"distillation"', '"destillation"', "network TFC_1W1A, method kd, key "),
        ('"none"\nresults', '"best"\nresults', "baseline: no method is called 'best', but none, kd"),
        ("seeds = [1, 2]", "seeds = []", "key seeds: []; allowed: "),
        ("seeds = [1, 2]", "seeds = [1, -2]", "key seeds[1]: -2; allowed: greater than or equal to 0"),
        ('title = "nothing"', 'title = "a|b"', "'a|b' is empty, or holds '|' or the end of a line"),
        ("epochs = 2", "epochs == 2", "not TOML"),
    ],
)
def test_a_file_that_is_wrong(place, old, new, found):
    place.write(old, new)
    outcome = place.compare()
    assert outcome.code == 2 and found in outcome.error_line()
    assert not place.runs.exists()


def test_the_nearest_key_is_named(place):
    place.write("epochs = 2", "epoch = 2")
    assert "did you mean 'epochs'?" in place.compare().error_line()


def test_options_that_are_wrong(place, tmp_path, cli):
    assert "no such file; allowed: a comparison file such as" in cli("compare", tmp_path / "none.toml").error_line()
    for text in ("1,b", "", "1,,2", "1,1", "-1", str(2**32)):
        outcome = place.compare(f"--seeds={text}")
        assert (
            outcome.code == 2 and f"option --seeds: {text!r}; allowed: different whole numbers" in outcome.error_line()
        )
    outcome = place.compare("--only", "LFC")
    assert outcome.code == 2 and "option --only: 'LFC'; allowed: part of TFC_1W1A/kd, TFC" in outcome.error_line()
    assert place.compare("--jobs", "0").code == 2
    assert not place.runs.exists()


def test_missing_data_are_found_before_the_first_training(place, tmp_path):
    place.write('"digits"', '"mnist"')
    outcome = place.compare("--data-root", str(tmp_path / "nothing"))
    assert outcome.code == 2 and str(tmp_path / "nothing") in outcome.error_line()
    assert "--data-root" in place.compare().error_line()
    assert not place.runs.exists()


def test_help_of_the_command_is_instant_and_loads_nothing_heavy():
    program = (
        "import sys\nfrom xnorflow.flow.cli import main\nmain(['compare', '--help'])\n"
        "print(sorted({'torch', 'numpy', 'pydantic', 'joblib', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.splitlines()[-1] == "[]" and "--table-only" in done.stdout
