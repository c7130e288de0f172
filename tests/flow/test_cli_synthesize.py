"""``xnorflow synthesize --target ecp5``: its options, its errors and its table."""

from __future__ import annotations

import pytest

from xnorflow.artifact.manifest import Manifest
from xnorflow.boards.ecp5_catalog import load_ecp5_board
from xnorflow.flow import commands, route, vendor
from xnorflow.synthesize.bitstream import BitstreamReport
from xnorflow.synthesize.ecp5_report import Amount, CriticalPath, Routed, RouteReport
from xnorflow.synthesize.vivado import OOC_REPORT
from xnorflow.synthesize.vivado_report import OocReport, Timing

REPORT = RouteReport(
    design="xnorflow_top",
    node=None,
    board=load_ecp5_board("ulx3s-25f"),
    clock_mhz=50.0,
    baud=115_200,
    frames_per_second={"accelerator": 390_625.0, "serial line": 102.9},
    seed=1,
    routed=Routed(
        101.16,
        {"LUT4": Amount(2762, 24288), "FF": Amount(1592, 24288)},
        CriticalPath(
            "i_serial.i_accelerator.i_fc0.gen_a.sum_q", "i_serial.i_accelerator.i_fc0.gen_b[1].u.x", 3.1, 6.79, 9
        ),
    ),
    bitstream="bitfile/xnorflow_ulx3s-25f.bit",
    tools={"yosys": "1", "nextpnr-ecp5": "2"},
    seconds={"yosys": 12.2, "nextpnr": 29.9},
)


@pytest.fixture
def folder(tmp_path):
    """A folder that passes for a build."""
    (tmp_path / "out" / "report").mkdir(parents=True)
    return tmp_path / "out"


@pytest.fixture
def routed(monkeypatch):
    """Have nothing routed; returns the settings that it would have been routed with."""
    settings = []

    def record(build, given, progress):
        settings.append(given)
        for name in ("report/ecp5_route.json", REPORT.bitstream):
            (build / name).parent.mkdir(exist_ok=True)
            (build / name).write_text("made", encoding="utf-8")
        return REPORT

    monkeypatch.setattr(route, "route_ecp5", record)
    return settings


def test_options_lie_over_the_settings(cli, folder, routed):
    options = ("--ecp5-board", "ecp5-evn", "--frequency", "33.5", "--baud", "9600", "--seed", "7", "--node", "fc0_mvau")
    assert cli("synthesize", folder, "--target", "ecp5", *options).code == 0
    assert routed[0].model_dump() == {
        "board": "ecp5-evn", "frequency_mhz": 33.5, "baud": 9600, "seed": 7, "node": "fc0_mvau"
    }  # fmt: skip


def test_the_table(cli, folder, routed):
    outcome = cli("synthesize", folder, "--target", "ecp5")
    assert routed[0].model_dump() == {
        "board": "ulx3s-85f", "frequency_mhz": 50.0, "baud": 115200, "seed": 1, "node": None
    }  # fmt: skip
    shown = {line.split("  ")[1].strip(): line for line in outcome.out.splitlines() if line.startswith("  ")}
    for quantity, value in (
        ("board", "ulx3s-25f"), ("Fmax", "101.16 MHz"), ("clock", "50 MHz"), ("LUT4", "2,762 of 24,288 (11.4%)"),
        ("frames/s, accelerator", "390,625"), ("frames/s, serial line", "103"), ("time", "42 s"),
    ):  # fmt: skip
        assert value in shown[quantity], quantity
    manifest = Manifest.load(folder)
    assert set(manifest.files) == {"report/ecp5_route.json", REPORT.bitstream}
    assert (manifest.tools["yosys"], manifest.tools["nextpnr-ecp5"]) == ("1", "2")
    assert "LFE5U-25F, CABGA381, speed grade 6" in shown["board"]
    assert "routed, nextpnr-ecp5" in shown["Fmax"] and "met" in shown["clock"]
    assert "i_fc0.sum_q" in outcome.out and "i_fc0.gen_b[1].u.x" in outcome.out
    assert outcome.out.splitlines()[-1] == f"{folder}/bitfile/xnorflow_ulx3s-25f.bit"


def test_yosys_alone_is_the_default(cli, folder, routed, monkeypatch):
    called = []
    monkeypatch.setattr(commands, "synthesize", lambda directory, quiet: called.append(directory))
    assert cli("synthesize", folder).code == 0 and cli("synthesize", folder, "--target", "yosys").code == 0
    assert called == [folder, folder] and not routed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seed", "3"), "option --seed: given without --target ecp5; add --target ecp5"),
        (("--target", "yosys", "--node", "a"), "option --node: given without --target ecp5; add --target ecp5"),
        (
            ("--frequency", "5"),
            "option --frequency: given without --target ecp5 or --target vivado; add --target ecp5 or --target vivado",
        ),
        (("--resume",), "option --resume: given without --target vivado; add --target vivado"),
        (
            ("--target", "ecp5", "--out-of-context"),
            "option --out-of-context: given without --target vivado; add --target vivado",
        ),
        (("--target", "vivado", "--baud", "9600"), "option --baud: given without --target ecp5; add --target ecp5"),
        (("--target", "vivado", "--frequency", "0.5"), "option --frequency: 0.5; allowed: greater than or equal to 1"),
        (("--shell", "finn"), "option --shell: given without --target vivado; add --target vivado"),
        (
            ("--target", "vivado", "--shell", "finn", "--out-of-context"),
            "option --shell: given with --out-of-context; leave one of them out",
        ),
        (("--target", "vivado", "--jobs", "0"), "option --jobs: 0; allowed: greater than or equal to 1"),
        (("--target", "ecp5", "--frequency", "5"), "option --frequency: 5.0; allowed: greater than or equal to 10"),
        (("--target", "ecp5", "--baud", "1"), "option --baud: 1; allowed: greater than or equal to 300"),
        (
            ("--target", "ecp5", "--ecp5-board", "ulx3s"),
            "ECP5 board 'ulx3s': unknown; allowed: colorlight-i5, ecp5-evn",
        ),
        (("--target", "ice40"), "Invalid value for '--target': "),
        (("--target", "ecp5"), "design "),
    ],
)
def test_what_is_refused(cli, folder, options, message):
    outcome = cli("synthesize", folder, *options)
    assert outcome.code == 2 and outcome.error_line().startswith(f"error: {message}")


TIMING = Timing(0.25, 0.03, True, ("i_fc0/a_q[3]/C", "i_fc1/b_q/D"))
PLACED = OocReport(
    "xnorflow_top", "Pynq-Z2", "xc7z020clg400-1", 5.0,
    {"LUT": 1602, "FF": 1385, "BRAM": 7, "DSP": 0, "LUTRAM": 112, "fmax_mhz": 210.526, "vivado_version": "2022.2",
     "estimated_throughput_fps": 1644736.8},
    TIMING, {"synthesize": 60.0},
)  # fmt: skip


def rows(outcome):
    return {line.split("  ")[1].strip(): line for line in outcome.out.splitlines() if line.startswith("  ")}


def stand_in(settings, report, files):
    """Return what stands for Vivado: takes the settings down, and writes the files that the report is about."""

    def run(build, given, progress):
        settings.append(given)
        for name in files:
            (build / name).parent.mkdir(parents=True, exist_ok=True)
            (build / name).write_text("stand-in")
        return report

    return run


def test_the_table_of_vivado_out_of_context(cli, folder, monkeypatch):
    settings = []
    monkeypatch.setattr(vendor, "place_out_of_context", stand_in(settings, PLACED, [f"report/{OOC_REPORT}"]))
    options = ("--out-of-context", "--frequency", "200", "--resume", "--jobs", "3")
    outcome = cli("synthesize", folder, "--target", "vivado", *options)
    assert outcome.code == 0 and settings[0].model_dump() == {
        "frequency_mhz": 200.0, "out_of_context": True, "shell": "xnorflow", "resume": True, "jobs": 3
    }  # fmt: skip
    shown, path = rows(outcome), "routed out of context, Vivado 2022.2, xc7z020clg400-1"
    for quantity, value, origin in (
        ("board", "Pynq-Z2", "the design alone"), ("Fmax", "210.53 MHz", path), ("clock", "200 MHz", "met"),
        ("setup slack", "0.25 ns", path), ("hold slack", "0.03 ns", path), ("LUT", "1,602", path),
        ("FF", "1,385", path),
        ("BRAM", "7", path), ("frames/s", "1,644,737", "cycle model x Fmax"),
    ):  # fmt: skip
        assert value in shown[quantity] and origin in shown[quantity], quantity
    assert (
        "i_fc0/a_q[3]/C" in outcome.out and outcome.out.splitlines()[-1] == f"{folder}/report/ooc_synth_and_timing.json"
    )


def test_the_table_of_a_bitstream(cli, folder, monkeypatch):
    settings, name = [], "bitfile/finn-accel.bit"
    made = BitstreamReport("KV260", "xck26-sfvc784-2LV-c", 5.0, "2024.2", TIMING, (folder / name,))
    monkeypatch.setattr(vendor, "build_bitstream", stand_in(settings, made, [name]))
    outcome = cli("synthesize", folder, "--target", "vivado", "--shell", "finn")
    assert outcome.code == 0 and settings[0].model_dump() == {
        "frequency_mhz": None, "out_of_context": False, "shell": "finn", "resume": False, "jobs": 2
    }  # fmt: skip
    shown = rows(outcome)
    assert "KV260" in shown["board"] and "routed, Vivado 2024.2, whole chip" in shown["setup slack"]
    assert outcome.out.splitlines()[-1] == f"{folder}/{name}"
