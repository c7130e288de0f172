"""The report from canned files: every number with its path, gaps where a stage is absent, one file of its own."""

import io
import json
import re

import pytest
from canned_run import (
    SIMULATION,
    Checker,
    write,
    write_build,
    write_results,
    write_routed,
    write_training,
    write_virtual_board,
)
from rich.console import Console

from xnorflow.artifact.errors import InputModelError
from xnorflow.flow.figures import share_bar
from xnorflow.flow.folders import Folders
from xnorflow.flow.progress import RichProgress
from xnorflow.flow.report import path_steps, render_page, write_report
from xnorflow.flow.results import load_results
from xnorflow.flow.summary import summary_rows


@pytest.fixture
def run(tmp_path):
    """Folders of a run with the named parts."""

    def make(*writers) -> Folders:
        root = tmp_path / "net"
        (root / "build" / "report").mkdir(parents=True)
        for writer in writers:
            writer(root)
        return Folders.of_run(root)

    return make


def shown(folders, **options) -> str:
    stream = io.StringIO()
    write_report(folders, RichProgress(Console(file=stream, width=120)), **options)
    return stream.getvalue()


def test_every_number_stands_with_its_path(run):
    rows = {
        row.quantity: (row.value, row.path)
        for row in summary_rows(load_results(run(write_training, write_build, write_results)))
    }
    assert rows["accuracy, float"] == ("93.10% of 1,000", "torch")
    assert rows["accuracy, integer"] == ("93.10% of 1,000", "integer.onnx")
    assert rows["accuracy, RTL"] == ("93.10% of 1,000", "Verilator")
    assert rows["RTL: differing logits"] == ("0 of 1,000 frames", "Verilator, 30% stalls")
    assert rows["cycles/frame, predicted"] == ("128", "cycle model, no stalls")
    assert rows["cycles/frame, simulated"] == ("128", "RTL in Verilator, no stalls")
    assert rows["frames/s"] == ("781,250", "cycles x assumed 10 ns clock")
    assert rows["LUT"] == ("547 of 53,200 (1.0%)", "yosys, mapped cells, xc7")
    assert rows["LUT, packed"] == ("425 of 53,200 (0.8%)", "yosys, packed estimate + carry slots, xc7")
    assert rows["BRAM36"] == ("1.5 of 140 (1.1%)", "yosys, mapped cells, xc7")
    assert rows["LUT, estimate"] == ("570", "estimate by formula")


def test_what_was_routed_for_ecp5(run):
    rows = {row.quantity: row for row in summary_rows(load_results(run(write_build, write_routed)))}
    path = "routed, nextpnr-ecp5, LFE5U-85F, speed grade 6"
    assert (rows["Fmax, ECP5"].value, rows["Fmax, ECP5"].path) == ("101.16 MHz for 50 MHz", path)
    assert rows["Fmax, ECP5"].good is True
    assert (rows["LUT4, ECP5"].value, rows["LUT4, ECP5"].path) == ("2,762 of 83,640 (3.3%)", path)
    assert rows["DP16KD, ECP5"].value == "14 of 208 (6.7%)"


def test_terminal_and_page_show_the_same_rows(run):
    folders = run(write_training, write_build, write_results, write_routed)
    terminal = shown(folders)
    page = (folders.report / "report.html").read_text(encoding="utf-8")
    for row in summary_rows(load_results(folders)):
        for text in (row.quantity, row.value, row.path):
            assert text in terminal and text in page
    assert len(terminal.splitlines()) <= 40


def test_functions_are_shown_where_asked_for_and_on_the_page(run):
    folders = run(write_training, write_build, write_results)
    assert "matrix units" not in shown(folders)
    lines = [line.split() for line in shown(folders, functions=True).splitlines()]
    assert ["matrix", "units", "2", "516", "94.3", "%", "20", "1"] in lines
    assert ["FIFOs", "1", "31", "5.7", "%", "10", "0.5"] in lines
    page = (folders.report / "report.html").read_text(encoding="utf-8")
    assert "matrix units: 516 (94 %)" in page  # the picture
    assert '<td class="n">94.3 %</td>' in page and "FIFOs" in page


def test_a_synthesis_of_an_earlier_version_has_no_functions(run):
    folders = run(write_build, write_results)
    path = folders.report / "yosys_synth_xc7.json"
    synthesis = json.loads(path.read_text())
    del synthesis["functions"]
    write(path, synthesis)
    assert "where the mapped cells go" not in shown(folders, functions=True)
    assert render_page(load_results(folders)).count("<figure>") == 3


def test_the_page_needs_nothing_else_and_is_well_formed(run):
    page = render_page(load_results(run(write_training, write_build, write_results)))
    checker = Checker()
    checker.feed(page)
    assert (checker.loaded, checker.open) == ([], [])
    assert "http" not in page and "@import" not in page and "url(" not in page.replace("url(#", "")
    assert page.count("<figure>") == 5
    identifiers = re.findall(r' id="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_equal_results_give_equal_bytes(run):
    results = load_results(run(write_training, write_build, write_results))
    assert render_page(results) == render_page(results)


@pytest.mark.parametrize(
    ("writers", "done", "figures"),
    [
        ((), set(), 0),
        ((write_training,), {"train", "export"}, 1),
        ((write_build,), {"export", "lower", "generate"}, 2),
        ((write_build, write_results), {"export", "lower", "generate", "simulate", "synthesize"}, 4),
    ],
)
def test_absent_stages_leave_gaps(run, writers, done, figures):
    folders = run(*writers)
    results = load_results(folders)
    assert {step.verb for step in path_steps(results) if step.done} == done
    assert render_page(results).count("<figure>") == figures
    assert str(folders.report / "report.html") in shown(folders).replace("\n", "")


def test_a_mismatch_is_shown_as_bad(run):
    folders = run(write_build, write_results)
    first = {"phase": "with stalls", "frame": 7, "element": 3, "expected": -2, "found": 4, "frames": 12}
    write(folders.report / "simulation.json", {**SIMULATION, "mismatches": 12, "first_mismatch": first})
    page = render_page(load_results(folders))
    assert '<td class="bad">12 of 1,000 frames</td>' in page
    assert "frame 7, element 3:\nexpected -2, found 4; 12 frames differ" in page


def test_over_budget_is_shown_as_bad(run):
    folders = run(write_build, write_results)
    path = folders.report / "yosys_synth_xc7.json"
    synthesis = json.loads(path.read_text())
    synthesis["total"]["LUT"] = 60000
    write(path, synthesis)
    assert '<td class="bad">60,000 of 53,200 (112.8%)</td>' in render_page(load_results(folders))


def test_another_family_has_no_budget(run):
    folders = run(write_build)
    synthesis = {"family": "xcup", "board": None, "total": {"LUT": 500}, "budget": None, "layers": {}}
    write(folders.report / "yosys_synth_xcup.json", synthesis)
    rows = [row for row in summary_rows(load_results(folders)) if row.quantity == "LUT"]
    assert [(row.value, row.path) for row in rows] == [("500", "yosys, mapped cells, xcup")]


def test_what_is_outdated_is_told(run):
    folders = run(write_training, write_build)
    assert load_results(folders).outdated == ()
    write(folders.train / "manifest.json", {"facts": {}, "files": {"checkpoint.pt": "new"}})
    write(folders.export / "manifest.json", {"facts": {"checkpoint_sha256": "old"}, "files": {"model.onnx": "ab" * 32}})
    assert "outdated: the export, and all behind it, is of an earlier training; run" in shown(folders)
    write(folders.export / "manifest.json", {"facts": {"checkpoint_sha256": "new"}, "files": {"model.onnx": "cd" * 32}})
    assert "outdated: the build is of an earlier export; run" in shown(folders)
    assert "Outdated: the build is of an earlier export" in render_page(load_results(folders))


def test_names_are_escaped(run):
    folders = run(write_training)
    facts = {"network": "<b>[red]net", "dataset": "d", "accuracy_float": 0.5}
    write(folders.train / "manifest.json", {"facts": facts})
    assert "<b>[red]" not in render_page(load_results(folders))
    assert "<b>[red]net" in shown(folders)


@pytest.mark.parametrize("content", ["{", "[1, 2]"])
def test_a_damaged_file_is_named(run, content):
    folders = run(write_build)
    (folders.report / "simulation.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputModelError, match=r"simulation\.json: not JSON of the expected form; run the stage"):
        load_results(folders)


def test_shares_below_one_percent_are_put_together():
    text = share_bar({"a": 900.0, "b": 95.0, "c": 3.0, "d": 2.0}, "shares")
    assert "a: 900 (90 %)" in text and "others: 5 (0 %)" in text and "c: 3" not in text


def test_a_run_is_found_from_its_parts(run):
    folders = run(write_training, write_build)
    (folders.root / "export").mkdir()
    assert Folders.find(folders.root) == folders
    assert Folders.find(folders.root / "build") == Folders.of_run(folders.root.resolve())


def test_figures_of_a_virtual_board_are_of_this_design(run):
    folders = run(write_training, write_build, write_results, write_virtual_board)
    rows = {row.quantity: row for row in summary_rows(load_results(folders))}
    row = rows["frames/s, with DMA"]
    assert (row.value, row.path) == ("743,716", "virtual board, simulated: cycles x assumed 10 ns, DMA included")
    assert rows["golden frames equal"].value == "20 of 20"
    assert "20 equal, virtual board" in [step.fact for step in path_steps(load_results(folders))]
    path = folders.design
    path.write_text(path.read_text(encoding="utf-8").replace('"latency_cycles": 300', '"latency_cycles": 301'))
    assert load_results(folders).virtual_board == {}
