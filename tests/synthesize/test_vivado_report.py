"""Vivado's reports, in its documented format, into FINN's keys; what is not in them is never made up."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from xnorflow.artifact.errors import SynthesizeError
from xnorflow.synthesize.bitstream import check_bitstream, part_of
from xnorflow.synthesize.vivado_report import Timing, check_timing, read_ooc, read_timing

sys.path.insert(0, str(Path(__file__).parent))

from bit_files import bit_file

REPORTS = Path(__file__).parent / "vivado_reports"
PATH = ("i_fc0_mvau/i_xnor_unit/sum_q_reg[3]/C", "i_fc1_mvau/i_mvau/acc_q_reg[7]/D")


@pytest.fixture
def folder(tmp_path):
    """What the second script leaves, for an XC7Z020."""
    for name, report in (("utilization", "xc7_utilization"), ("timing", "timing_met"), ("power", "power")):
        shutil.copyfile(REPORTS / f"{report}.rpt", tmp_path / f"ooc_{name}.rpt")
    (tmp_path / "ooc_metadata.txt").write_text("clk_period_ns=10.0\nvivado_version=2022.2\n")
    return tmp_path


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_design_on_a_7_series_chip(folder):
    found, timing = read_ooc(folder, cycles_per_frame=128)
    fmax = 1000 / (10 - 4.75)
    assert found == {
        "LUT": 1602, "FF": 1385, "DSP": 3, "BRAM_36K": 6, "BRAM_18K": 2, "SRL": 16, "LUTRAM": 112, "BRAM": 7,
        "WNS": 4.75, "total_power_W": 0.142, "clk_period_ns": 10.0, "vivado_version": "2022.2", "fmax_mhz": fmax,
        "estimated_throughput_fps": fmax * 1e6 / 128,
    }  # fmt: skip
    assert timing == Timing(4.75, 0.034, True, PATH)


def test_a_design_on_an_ultrascale_chip(folder):
    """FINN cuts half a tile off; the numbers of both sizes stand beside it."""
    shutil.copyfile(REPORTS / "xcup_utilization.rpt", folder / "ooc_utilization.rpt")
    found, _ = read_ooc(folder, cycles_per_frame=128)
    keys = ("LUT", "FF", "DSP", "BRAM", "BRAM_36K", "BRAM_18K", "URAM", "LUTRAM")
    assert [found[key] for key in keys] == [1555, 1385, 0, 6, 6, 1, 0, 112]


@pytest.mark.parametrize("key", ["Slice Registers", "Block RAM Tile", "DSPs"])
def test_a_report_that_lacks_a_row_is_refused(folder, key):
    edit(folder / "ooc_utilization.rpt", key, "Slices")
    for name in ("Register as Flip Flop",):
        edit(folder / "ooc_utilization.rpt", name, "Something")
    with pytest.raises(SynthesizeError, match=rf"report {folder}/ooc_utilization.rpt: no (FF|BRAM|DSP).* in it or"):
        read_ooc(folder, 128)


@pytest.mark.parametrize("name", ["ooc_utilization.rpt", "ooc_metadata.txt", "ooc_timing.rpt"])
def test_a_missing_report_is_refused(folder, name):
    (folder / name).unlink()
    with pytest.raises(SynthesizeError, match=rf"report {folder}/ooc_\w+.rpt: no .* in it|No such file"):
        read_ooc(folder, 128)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("      4.750        0.000                      0                 3977        0.034", "NA " * 5, "no slack"),
        ("WNS(ns)      TNS(ns)", "nothing", "no slack"),
        ("All user specified timing constraints are met.", "", "no verdict"),
        ("All user specified timing constraints are met.", "There are no timing constraints.", "no verdict"),
    ],
)  # fmt: skip
def test_timing_without_a_figure_is_refused(tmp_path, old, new, found):
    """FINN's own reader takes a missing slack for 0, and so the clock asked for as the one that was reached."""
    path = Path(shutil.copyfile(REPORTS / "timing_met.rpt", tmp_path / "timing.rpt"))
    edit(path, old, new)
    with pytest.raises(SynthesizeError, match=f"report {path}: {found}"):
        read_timing(path)


def test_a_design_that_is_too_slow(tmp_path):
    timing = read_timing(REPORTS / "timing_missed.rpt")
    assert timing == Timing(-0.25, 0.034, False, PATH)
    with pytest.raises(SynthesizeError) as caught:
        check_timing(timing, 10.0, "design x", tmp_path / "a.rpt")
    assert str(caught.value) == (
        f"design x: setup slack -0.25 ns at 10 ns, from {PATH[0]} to {PATH[1]}: timing not met; allowed: a clock of at "
        f"most 97.56 MHz; give a lower --frequency, or build with a longer --clock-ns; see {tmp_path}/a.rpt"
    )


@pytest.mark.parametrize("timing", [Timing(1.0, -0.01, False, None), Timing(1.0, 0.1, False, None)])
def test_hold_or_another_check_that_fails(timing, tmp_path):
    with pytest.raises(SynthesizeError, match=r"design x: hold slack .* setup slack 1 ns at 10 ns: timing not met; "):
        check_timing(timing, 10.0, "design x", tmp_path)
    check_timing(Timing(0.0, 0.0, True, None), 10.0, "design x", tmp_path)


def test_a_bitstream_is_one_of_its_chip(tmp_path):
    path = tmp_path / "a.bit"
    path.write_bytes(bit_file(b"7z020clg400"))
    assert part_of(path.read_bytes()) == "7z020clg400"
    check_bitstream(path, "xc7z020clg400-1", tmp_path)
    with pytest.raises(SynthesizeError, match=f"bitstream {path}: is for 7z020clg400; allowed: one for xczu7ev"):
        check_bitstream(path, "xczu7ev-ffvc1156-2-e", tmp_path)
    path.write_bytes(bit_file(b"xczu7ev-ffvc1156-2-e"))
    check_bitstream(path, "xczu7ev-ffvc1156-2-e", tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"STAND-IN for tests", bit_file(b"7z020clg400")[:40], b"\0" + bit_file(b"7z020clg400"),
     bit_file(b"7z020clg400", start=bytes(13))],
)  # fmt: skip
def test_what_is_no_bitstream(content, tmp_path):
    path = tmp_path / "a.bit"
    path.write_bytes(content)
    with pytest.raises(SynthesizeError, match=f"bitstream {path}: no header of a .bit file; allowed: a bitstream for"):
        check_bitstream(path, "xc7z020clg400-1", tmp_path)
