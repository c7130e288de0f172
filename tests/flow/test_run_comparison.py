"""`xnorflow report RUN RUN...`: numbers side by side with their paths, the best marked where they compare, one page."""

import json

import pytest
from canned_run import (
    Checker,
    write,
    write_build,
    write_results,
    write_routed,
    write_training,
    write_virtual_board,
)  # fmt: skip

from xnorflow.flow.comparison_figures import Point, pareto_front
from xnorflow.flow.comparison_page import render_comparison
from xnorflow.flow.folders import Folders
from xnorflow.flow.results import load_results
from xnorflow.flow.run_comparison import Cell, best_of, comparison_lines, comparison_notes

ALL = (write_training, write_build, write_results)


def change(path, **values) -> None:
    """Change entries of a JSON file, those within others named with two underscores."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for key, value in values.items():
        *outer, last = key.split("__")
        table = content
        for name in outer:
            table = table[name]
        table[last] = value
    write(path, content)


@pytest.fixture
def make(tmp_path):
    """A run of a name with the named parts."""

    def call(name, *writers):
        root = tmp_path / name
        (root / "build" / "report").mkdir(parents=True)
        for writer in writers:
            writer(root)
        counts = {"total": {"param_weight_1b": 12928.0, "param_weight_8b": 640.0, "param_threshold_7b": 192.0}}
        write(root / "build" / "report" / "op_and_param_counts.json", counts)
        return root

    return call


@pytest.fixture
def two(make):
    """Runs `a` and `b`: b is more accurate, larger and slower."""
    a, b = make("a", *ALL, write_virtual_board), make("b", *ALL)
    change(b / "build" / "report" / "accuracy.json", accuracy_rtl=0.95)
    change(b / "build" / "report" / "yosys_synth_xc7.json", total__LUT=900)
    change(b / "build" / "report" / "simulation.json", cycles_per_frame_simulated=256, mismatches=3)
    return a, b


def results(*roots):
    return [load_results(Folders.find(root)) for root in roots]


def lines(*roots):
    return {line.quantity: line for line in comparison_lines(results(*roots))}


def test_numbers_with_their_paths(two):
    found = lines(*two)
    shown = {
        name: ([cell and cell.value for cell in line.cells], line.path, set(line.best)) for name, line in found.items()
    }
    assert shown["accuracy"] == (["93.10% of 1,000", "95.00% of 1,000"], "RTL, Verilator", {1})
    assert shown["outputs differing"][0] == ["0 of 1,000", "3 of 1,000"]
    assert [cell.good for cell in found["outputs differing"].cells] == [True, False]
    assert shown["cycles/frame"] == (["128", "256"], "RTL in Verilator", {0})
    path = "cycles of the RTL in Verilator x assumed 10 ns clock"
    assert shown["frames/s, assumed clock"] == (["781,250", "390,625"], path, {0})
    path = "virtual board, simulated: cycles x assumed 10 ns, DMA included"
    assert shown["frames/s, with DMA"] == (["743,716", None], path, set())
    assert shown["latency"] == (["484 cycles", "484 cycles"], "RTL in Verilator", set())
    assert shown["LUT"] == (["547 (1.0%)", "900 (1.7%)"], "yosys, mapped cells, xc7", {0})
    assert shown["LUT, estimate"][:2] == (["570", "570"], "estimate by formula")
    assert shown["weights"] == (["13,568", "13,568"], "12,928 of 1 bit, 640 of 8 bits", set())
    assert comparison_notes(results(*two), "ab") == []


def test_what_a_run_does_not_have_is_a_dash(make):
    roots = make("full", *ALL, write_routed), make("empty"), make("trained", write_training), make("built", write_build)
    found = lines(*roots)
    assert [cell is None for cell in found["LUT"].cells] == [False, True, True, True]
    assert [cell and cell.path for cell in found["accuracy"].cells] == ["RTL, Verilator", None, "float, torch", None]
    assert [cell and cell.path for cell in found["cycles/frame"].cells] == [
        "RTL in Verilator",
        None,
        None,
        "cycle model",
    ]
    assert found["frames/s, routed clock"].cells[0].value == "790,312"  # 101.16 MHz over 128 cycles
    assert found["accuracy"].best == found["cycles/frame"].best == frozenset()
    page = render_comparison(results(*roots), ("full", "empty", "trained", "built"))
    assert page.count('<td class="soft">\u2013</td>') == sum(
        cell is None for line in found.values() for cell in line.cells
    )


def test_a_run_with_nothing_compares_to_nothing(make):
    page = render_comparison(results(make("x"), make("y")), "xy")
    assert "<figure>" not in page and "weights" in page


@pytest.mark.parametrize(
    ("cells", "better", "best"),
    [
        ([Cell("", number=1), Cell("", number=2), Cell("", number=2)], 1, {1, 2}),
        ([Cell("", number=1), Cell("", number=2), None], -1, {0}),
        ([Cell("", number=1), Cell("", number=1)], 1, set()),
        ([Cell("", number=1), Cell("", number=2)], 0, set()),
        ([Cell("", number=1, basis="yosys"), Cell("", number=2, basis="estimate")], 1, set()),
        ([Cell("", number=1), None, Cell("text")], 1, set()),
        ([], 1, set()),
    ],
)
def test_the_best(cells, better, best):
    assert best_of(cells, better) == best


def test_what_does_not_compare_is_pointed_out(two):
    a, b = two
    change(b / "build" / "design.json", board="ZCU104", clock_ns=5.0)
    change(b / "train" / "manifest.json", facts__dataset="digits")
    change(b / "build" / "report" / "yosys_synth_xc7.json", family="xcup", board="ZCU104")
    change(b / "train" / "manifest.json", files={"checkpoint.pt": "new"})
    write(b / "export" / "manifest.json", {"facts": {"checkpoint_sha256": "old"}, "files": {}})
    notes = comparison_notes(results(a, b), "ab")
    assert notes == [
        "Boards differ: Pynq-Z2 (a), ZCU104 (b); shares of the chip do not compare.",
        "Assumed clocks differ: 10 ns (a), 5 ns (b); frames/s differ by that too.",
        "Data sets differ: mnist (a), digits (b); accuracies do not compare, none is marked.",
        "Mapped for different chips: xc7 (a), xcup (b); resources do not compare, none is marked.",
        "b is outdated: the export, and all behind it, is of an earlier training; run `xnorflow run` again.",
    ]
    found = lines(a, b)
    assert found["LUT"].best == found["accuracy"].best == frozenset()
    assert found["frames/s, assumed clock"].cells[1].value == "781,250"
    page = render_comparison(results(a, b), "ab")
    assert all(note in page for note in notes)
    assert "Accuracy against LUTs" not in page and "Frames/s" in page


def test_accuracies_of_other_images_are_not_ranked(two):
    change(two[1] / "build" / "report" / "accuracy.json", frames=500)
    assert lines(*two)["accuracy"].best == frozenset()
    (note,) = comparison_notes(results(*two), "ab")
    assert note.startswith(
        "Accuracies are of different images or paths: mnist, 1,000 images, RTL, Verilator (a), mnist, 500"
    )


def test_the_pareto_front():
    points = [
        Point(*values) for values in (("a", 5, 5), ("b", 1, 1), ("c", 2, 1), ("d", 3, 4), ("e", 6, 5), ("f", 5, 4))
    ]
    assert [point.name for point in pareto_front(points)] == ["b", "d", "a"]
    assert pareto_front([]) == []


def test_the_page_needs_nothing_else_and_is_well_formed(two):
    page = render_comparison(results(*two), "ab")
    assert page == render_comparison(results(*two), "ab")
    checker = Checker()
    checker.feed(page)
    assert (checker.loaded, checker.open) == ([], [])
    assert "http" not in page and "@import" not in page and "url(" not in page.replace("url(#", "")
    assert page.count("<figure>") == 5 and page.count("<svg") == 10  # wide and narrow
    assert page.count('class="best"') == 4
    identifiers = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(identifiers) == len(set(identifiers))


def test_the_command(cli, two, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli("report", *two)
    assert (done.code, done.err, done.out.splitlines()[-1]) == (0, "", "comparison.html")
    assert "547 (1.0%) ★" in done.out and "2 runs compared" in (tmp_path / "comparison.html").read_text(
        encoding="utf-8"
    )
    assert not (two[0] / "build" / "report" / "report.html").exists()
    (two[1] / "export").mkdir()
    done = cli("report", two[0], two[1] / "build", "--output", tmp_path / "other.html", "--quiet")
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "other.html").read_bytes() == (tmp_path / "comparison.html").read_bytes()
    assert cli("report", two[0], "-o", tmp_path / "one.html", "-q").code == 0
    assert "<h1>a</h1>" in (tmp_path / "one.html").read_text(encoding="utf-8")


def test_runs_of_one_name_are_told_apart(cli, make, tmp_path):
    roots = make("x/net", *ALL), make("y/net", *ALL)
    assert cli("report", *roots, "-o", tmp_path / "page.html", "-q").code == 0
    assert "<title>x/net, y/net" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_nothing_to_compare(cli, two, tmp_path):
    page = tmp_path / "page.html"
    assert "folder none: no such folder" in cli("report", two[0], "none", "-o", page).error_line()
    (tmp_path / "other").mkdir()
    done = cli("report", two[0], tmp_path / "other", "-o", page)
    assert done.code == 2 and "other: holds no run and no build" in done.error_line()
    done = cli("report", *two, two[0] / "build", "-o", page)
    assert done.code == 2 and "a/build: given twice; allowed: each run once; leave it out once" in done.error_line()
    assert not page.exists()
    (tmp_path / "file").touch()
    assert "output folder" in cli("report", *two, "-o", tmp_path / "file" / "page.html").error_line()
    (two[1] / "build" / "report" / "accuracy.json").write_text("{", encoding="utf-8")
    assert "accuracy.json: not JSON of the expected form" in cli("report", *two, "-o", page).error_line()
