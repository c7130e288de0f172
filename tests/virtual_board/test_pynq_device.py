"""Unmodified pynq on the virtual board in its own process."""

import json
import shutil

import pytest

FRAMES = 20


@pytest.fixture(scope="module")
def others(tmp_path_factory, deployed, zcu104):
    """Bit files that a virtual ZCU104 must refuse, and with changed names a virtual Pynq-Z2 too."""
    folder = tmp_path_factory.mktemp("others")
    for suffix in (".bit", ".hwh"):
        shutil.copyfile(deployed / "deploy" / f"net{suffix}", folder / f"net{suffix}")
    shutil.copyfile(folder / "net.bit", folder / "alone.bit")
    shutil.copyfile(zcu104 / "net.bit", folder / "mixed.bit")
    shutil.copyfile(folder / "net.hwh", folder / "mixed.hwh")
    return folder


@pytest.fixture(scope="module")
def found(board_python, board_variables, zcu104, others, pynq_turn):
    with pynq_turn():
        return _run(board_python, board_variables, zcu104, others)


def _run(python, variables, folder, others):
    import subprocess
    from pathlib import Path

    script = Path(__file__).with_name("in_process.py")
    command = (python, "-m", "xnorflow.virtual_board.run", "--design", folder, script)
    done = subprocess.run(
        command, env={**variables, "OTHER_BITS": str(others)}, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "virtual" in done.stderr and "simulated" in done.stderr and "frames/s (cycles x assumed" in done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_pynq_finds_the_board(found):
    assert found["pynq"] == "4.0.0"
    assert (found["devices"][0], found["arch"]) == ("virtual ZCU104, simulated", "aarch64")


def test_the_overlay_is_loaded(found):
    assert {"idma0", "odma0", "StreamingDataflowPartition_1"} < set(found["cells"])
    assert found["loaded"]
    assert found["register map"]


def test_clocks(found):
    assert found["clocks"] == pytest.approx([100, 50, 1200], rel=1e-3)


def test_results(found):
    assert found["right"] == found["right after refusals"] == FRAMES


def test_a_forgotten_flush_is_always_wrong(found):
    assert found["right without a flush"] < FRAMES / 4


def test_a_forgotten_invalidate_is_always_wrong(found):
    assert found["stale without an invalidate"] < FRAMES / 4


def test_views_flush_and_invalidate_what_they_show(found):
    assert FRAMES // 2 <= found["right by half a flush"] < FRAMES
    assert found["left alone by half an invalidate"]


def test_registers_as_arrays(found):
    assert found["weights"] == [5, True]
    assert "BusError: virtual ZCU104, address 0xb0000000: nothing answers there" in found["read elsewhere"]


def test_memory_is_given_back(found):
    assert found["allocated"] == found["allocated after a view"] == 1 << 20
    assert found["allocated after with"] == found["allocated at the end"] == 0
    assert "outside all buffers" in found["use after free"]
    assert "no room for 1,099,511,627,776 bytes" in found["too large"]
    assert all(address % 4096 == 0 and address < 1 << 32 for address in found["addresses"])


def test_wrong_bit_files(found):
    assert "ConfigError: bitstream net: for board Pynq-Z2; allowed: this one is a ZCU104" in found["other board"]
    assert "mixed.hwh: of another build than the .bit; allowed: the .hwh that was written with it" in found["mixed"]
    assert ".hwh: missing; allowed: a .bit and the .hwh of the same build beside it" in found["without .hwh"]


def test_axi_dma_by_its_driver_in_pynq(found):
    assert found["right by AXI DMA"] == FRAMES
    assert found["transferred"] > 0


def test_accelerator(found):
    assert found["path"] == "virtual board, simulated"
    assert found["self-test"] == found["self-test after bad input"] == FRAMES
    assert "virtual board, simulated: cycles x assumed 10 ns, DMA included" in found["throughput"]
    assert found["cycles"] > 0
    assert "DeployError: images: none; allowed: at least one" in found["bad input"]


def test_finn_plus_driver(board_python, own_zcu104, run_script):
    """Equal results; the number of its throughput test is that of the simulator and stays out of ours."""
    from pathlib import Path

    done = run_script(board_python, own_zcu104, Path(__file__).with_name("finn_driver.py"))
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["right"] == [FRAMES, 4]
    assert found["throughput"]["fclk[mhz]"] == pytest.approx(100, rel=1e-3)
    assert found["throughput"]["batch_size"] == 4


def test_finn_plus_drivers_command_line(board_python, own_zcu104, run_script, tmp_path):
    folder = own_zcu104
    done = run_script(
        board_python, folder, "-m", "finn_plus_driver", "-b", folder / "net.bit", "-s", folder / "settings.json",
        "-f", "run_throughput_test", "-ck", "batch_size=10", "Int", "-fk", f"report_dir={tmp_path}", "Str",
    )  # fmt: skip
    report = json.loads((tmp_path / "report_throughput_test.json").read_text())
    assert report["batch_size"] == 10
    assert "last batch 10 frames in" in done.stderr


@pytest.mark.full
def test_pynq_3_on_a_zynq_7000(older_python, board_variables, deployed, zcu104, tmp_path, others):
    shutil.copytree(deployed / "deploy", tmp_path / "deploy")
    for suffix in (".bit", ".hwh"):
        shutil.copyfile(zcu104 / f"net{suffix}", others / f"net{suffix}")
    found = _run(older_python, board_variables, tmp_path / "deploy", others)
    assert (found["pynq"], found["arch"], found["devices"][0]) == ("3.1.2", "armv7l", "virtual Pynq-Z2, simulated")
    assert found["right"] == found["right after refusals"] == found["self-test"] == 30
    assert found["right without a flush"] < 8 and found["stale without an invalidate"] < 8
    assert found["clocks"] == pytest.approx([100, 50, 650])
    assert "for board ZCU104; allowed: this one is a Pynq-Z2" in found["other board"]
    assert found["allocated at the end"] == 0
