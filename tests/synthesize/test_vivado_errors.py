"""What can be wrong with AMD's tools, on the command line: one line, exit code 2, earlier results as they were."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from xnorflow.artifact.errors import OutputError, SynthesizeError, ToolError
from xnorflow.synthesize import vivado as stage
from xnorflow.synthesize.vivado_errors import explain, newest_failure
from xnorflow.synthesize.vivado_tools import vivado_location

EARLIER = ("report/ooc_synth_and_timing.json", "bitfile/finn-accel.bit", "report/post_synth_resources.json")
OOC = ("--target", "vivado", "--out-of-context")
WHOLE = ("--target", "vivado", "--shell", "finn")

# As the tools' users report them, and AMD's answer records.
LICENSE = (
    "ERROR: [Common 17-345] A valid license was not found for feature 'Synthesis' and/or device 'xczu7ev'. Please run"
)
BOARD = (
    "ERROR: [Board 49-71] The board_part definition was not found for tul.com.tw:pynq-z2:part0:1.0. The project's "
    "board_part property was not set, but the project's part property was set to xc7z020clg400-1."
)
PART = "ERROR: [Coretcl 2-106] Specified part could not be found."
CPP = "ERROR: [HLS 207-3776] use of undeclared identifier 'lanes' (/a/b/fc0_mvau.hpp:31:7)"
SYNTHESIS = "INFO: a\nERROR: [Synth 8-439] module 'xnorflow_fifo' not found [/a/b.sv:12]\nINFO: [Common 17-206] Exiting"


@pytest.fixture
def earlier(build):
    """Results of an earlier run; the check that they are as they were runs behind the test."""
    for name in EARLIER:
        (build / name).parent.mkdir(exist_ok=True)
        (build / name).write_text(name)
    yield build
    assert [(build / name).read_text() for name in EARLIER] == list(EARLIER)


@pytest.mark.parametrize(("options", "wanted"), [(OOC, "2022.2 or later"), (WHOLE, "2022.2 or 2024.2")])
def test_the_variable_is_not_set(options, wanted, earlier, refused, monkeypatch):
    monkeypatch.delenv("XILINX_VIVADO", raising=False)
    assert refused("synthesize", earlier, *options) == (
        f"Vivado: XILINX_VIVADO is not set; allowed: Vivado {wanted}; run `source settings64.sh` of an installation, "
        f"or "
        "choose --target yosys or ecp5, which need none"
    )


def test_the_variable_is_set_but_there_is_no_program(earlier, vendor, refused):
    (vendor.root / "bin" / "vivado").unlink()
    assert refused("synthesize", earlier, *OOC) == (
        f"Vivado: XILINX_VIVADO is {vendor.root}, but {vendor.root}/bin/vivado is no program, and none is on PATH; "
        "allowed: Vivado 2022.2 or later; correct the variable, or install Vivado there"
    )


def test_the_program_does_not_start(earlier, vendor, refused):
    vendor.replace("vivado", "echo 'libtinfo.so.5: cannot open shared object file'; exit 127")
    assert refused("synthesize", earlier, *OOC) == (
        f"Vivado: {vendor.root}/bin/vivado does not start: libtinfo.so.5: cannot open shared object file; allowed: "
        f"Vivado 2022.2 or later; see {earlier}/obj/vivado_version.log"
    )


@pytest.mark.parametrize(
    ("version", "options", "reason", "wanted", "fix"),
    [
        ("2019.2", OOC, "the Tcl that is written here", "2022.2 or later", ""),
        ("2019.2", WHOLE, "finn-plus 1.6.1, which makes the bitstream", "2022.2 or 2024.2", ""),
        (
            "2025.1",
            WHOLE,
            "finn-plus 1.6.1, which makes the bitstream",
            "2022.2 or 2024.2",
            ", or leave --shell finn out",
        ),
    ],
)
def test_another_version(version, options, reason, wanted, fix, earlier, vendor, refused, monkeypatch):
    monkeypatch.setenv("STANDIN_VERSION", version)
    assert refused("synthesize", earlier, *options) == (
        f"Vivado: version {version} in {vendor.root}, not supported by {reason}; allowed: Vivado {wanted}; install "
        f"one of "
        f"these{fix}"
    )


def test_a_folder_that_does_not_name_its_version(earlier, vendor, refused, monkeypatch, tmp_path):
    """FINN reads it from there."""
    moved = vendor.root.rename(tmp_path / "xilinx" / "vivado")
    monkeypatch.setenv("XILINX_VIVADO", str(moved))
    assert refused("synthesize", earlier, *WHOLE).startswith(
        f"Vivado: XILINX_VIVADO is {moved}, which does not name its version 2022.2; allowed: a folder such as "
    )


def test_no_vitis_hls(earlier, vendor, refused, monkeypatch):
    (vendor.root / "bin" / "vitis_hls").unlink()
    monkeypatch.delenv("XILINX_HLS")
    assert refused("synthesize", earlier, *WHOLE) == (
        "Vitis HLS: XILINX_HLS is not set, and there is no vitis_hls in its bin, Vitis's, Vivado's or on PATH; "
        "allowed: "
        "Vitis HLS 2022.2; install it: FINN's DMA is made by it, or leave --shell finn out"
    )


def test_no_license(earlier, vendor, refused):
    vendor.fail("vivado", f"Attempting to get a license\n{LICENSE}\n")
    assert refused("synthesize", earlier, *OOC) == (
        f"Vivado's license: {LICENSE}; allowed: a license for this part (small parts need none); set "
        f"XILINXD_LICENSE_FILE, or install a license; see {earlier}/obj/vivado_synthesize.log"
    )


def test_synthesis_fails(earlier, vendor, refused):
    vendor.fail("vivado", SYNTHESIS)
    assert refused("synthesize", earlier, *OOC) == (
        "design xnorflow_top for xc7z020clg400-1: Vivado ended with code 1: [Synth 8-439] module 'xnorflow_fifo' not "
        "found "
        "[/a/b.sv:12]; the log ends: INFO: a | ERROR: [Synth 8-439] module 'xnorflow_fifo' not found [/a/b.sv:12] | "
        "INFO: "
        f"[Common 17-206] Exiting; see {earlier}/obj/vivado_synthesize.log"
    )


def test_timing_is_not_met(earlier, vendor, refused, monkeypatch):
    """The rest of this message is in test_vivado_report.py."""
    monkeypatch.setattr(stage, "run_script", lambda *arguments: 1.0)

    def slow(folder, cycles):
        raise SynthesizeError("design x", "setup slack -0.25 ns at 10 ns: timing not met", "a clock", "give")

    monkeypatch.setattr(stage, "read_ooc", slow)
    assert "timing not met" in refused("synthesize", earlier, *OOC)


def test_the_tool_fills_the_disk(earlier, vendor, refused):
    """/dev/full is a disk without room: what the tool's log ends in is what the system says of it."""
    vendor.replace("vivado", 'if [ "$1" = -version ]; then echo "vivado v2022.2"; exit 0; fi\nLC_ALL=C\n'
                   "export LC_ALL\ncat /etc/hostname /etc/passwd > /dev/full || exit 1")  # fmt: skip
    assert refused("synthesize", earlier, *OOC) == (
        "design xnorflow_top for xc7z020clg400-1: no space left on the disk of "
        f"{earlier}/obj; allowed: some GB for Vivado's project; make room and run the command again with --resume; see "
        f"{earlier}/obj/vivado_synthesize.log"
    )


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_our_own_files_fill_the_disk(number, earlier, vendor, refused, monkeypatch):
    def full(source, target):
        raise OSError(number, "full", str(target))

    monkeypatch.setattr(stage.shutil, "copyfile", full)
    assert refused("synthesize", earlier, *OOC) == (
        f"design xnorflow_top for xc7z020clg400-1: no space left on the disk of {earlier}/obj/vivado_ooc; allowed: "
        f"some GB "
        "for Vivado's project; make room and run the command again with --resume"
    )


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            BOARD, ToolError,
            "Vivado's board files: tul.com.tw:pynq-z2:part0:1.0 is not among them; allowed: the board's own files; put "
            "them into the folder board_files of FINN_DEPS, or install them from Vivado's board store; see {log}",
        ),
        (
            PART, ToolError,
            "Vivado's parts: [Coretcl 2-106] Specified part could not be found.; allowed: an installation with this "
            "family; install it; see {log}",
        ),
        (
            CPP, SynthesizeError,
            "node a: fc0_mvau.hpp, line 31: use of undeclared identifier 'lanes'; allowed: C++ that Vitis HLS takes; "
            "see "
            "{log}",
        ),
        ("write failed: Disk quota exceeded", OutputError, "node a: no space left on the disk of {folder}; allowed: "),
        ("a\n\n b \nc\nd", SynthesizeError, "node a: failed; the log ends: b | c | d; see {log}"),
        ("", SynthesizeError, "node a: failed; the log ends: empty; see {log}"),
    ],
)  # fmt: skip
def test_what_a_log_tells(text, kind, message, tmp_path):
    log = tmp_path / "vivado.log"
    reason = explain("node a", "failed", text, log)
    assert type(reason) is kind and str(reason).startswith(message.format(log=log, folder=tmp_path))
    assert "\n" not in str(reason)


def test_the_log_that_tells_most(tmp_path):
    assert newest_failure(tmp_path) is None
    for age, (name, text) in enumerate((("a", "INFO: fine"), ("b", SYNTHESIS), ("c", LICENSE))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vivado.log").write_text(text)
        os.utime(tmp_path / name / "vivado.log", (1e9 - age, 1e9 - age))
    assert newest_failure(tmp_path) == tmp_path / "b" / "vivado.log"
    shutil.rmtree(tmp_path / "b")
    shutil.rmtree(tmp_path / "c")
    assert newest_failure(tmp_path) == tmp_path / "a" / "vivado.log"


def test_where_vivado_is(vendor, monkeypatch):
    assert vivado_location() == f"{vendor.root}/bin/vivado"
    monkeypatch.setenv("PATH", f"{vendor.root}/bin")
    monkeypatch.delenv("XILINX_VIVADO")
    assert vivado_location() == f"{vendor.root}/bin/vivado, but XILINX_VIVADO is not set"
    monkeypatch.setenv("PATH", str(vendor.folder))
    assert vivado_location() == ""
