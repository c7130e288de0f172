"""Every module goes through yosys for 7-series: no latch, no problem, memories where they are meant to be."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.progress import SilentProgress
from xnorflow.synthesize.yosys import find_yosys

LUTRAM = ("RAM32M", "RAM64M", "RAM32X1D", "RAM64X1D")
BLOCK_RAM = ("RAMB18E1", "RAMB36E1")
DATA_PORTS = {
    "xnor_popcount": ("data_i", "weight_i", "count_o"),
    "sign_sum": ("data_i", "weight_i", "sum_o"),
    "sum_tree": ("terms_i", "sum_o"),
    "credit_fifo": ("credit_o", "take_i", "data_i", "valid_i", "data_o", "valid_o", "ready_i"),
}
STREAM_PORTS = ("data_i", "valid_i", "ready_o", "data_o", "valid_o", "ready_i")


@dataclass(frozen=True)
class Instance:
    """One synthesized instance of a module; widths: those of its ports that are wider than a bit."""

    module: str
    parameters: Mapping[str, int | str]
    widths: Mapping[str, int]

    def wrapper(self, name: str) -> str:
        """Return a module of the same ports, which the flattening stops at."""
        data_ports = DATA_PORTS.get(self.module, STREAM_PORTS)
        clocks = ("clk_i",) if self.module in {"xnor_popcount", "sign_sum", "sum_tree"} else ("clk_i", "rst_ni")
        ports = [f"{'input' if p.endswith('i') else 'output'} logic {self.bits(p)}{p}" for p in (*clocks, *data_ports)]
        values = {key: f'"{value}"' if isinstance(value, str) else value for key, value in self.parameters.items()}
        settings = ", ".join(f".{key}({value})" for key, value in values.items())
        links = ", ".join(f".{port}({port})" for port in (*clocks, *data_ports))
        return (
            f"module {name} ({', '.join(ports)});\n  xnorflow_{self.module} #({settings}) u_dut ({links});\nendmodule\n"
        )

    def bits(self, port: str) -> str:
        return f"[{self.widths[port] - 1}:0] " if port in self.widths else ""


def fifo(width: int, depth: int, module: str = "fifo") -> Instance:
    return Instance(module, {"Width": width, "Depth": depth}, {"data_i": width, "data_o": width})


def dwc(bits_in: int, bits_out: int) -> Instance:
    return Instance("dwc", {"InWidth": bits_in, "OutWidth": bits_out}, {"data_i": bits_in, "data_o": bits_out})


def mvau(input_width: int, style: str) -> Instance:
    shape = {"Mw": 64, "Mh": 32, "Simd": 8, "Pe": 4, "InputWidth": input_width, "AccWidth": 16, "WeightStyle": style}
    return Instance("mvau", shape, {"data_i": 8 * input_width, "data_o": 4})


INSTANCES = {
    "popcount": Instance("xnor_popcount", {"Width": 70}, {"data_i": 70, "weight_i": 70, "count_o": 7}),
    "sign_sum": Instance("sign_sum", {"Terms": 16, "Width": 8}, {"data_i": 128, "weight_i": 16, "sum_o": 12}),
    "sum_tree": Instance("sum_tree", {"Terms": 7, "Width": 3, "Signed": 1}, {"terms_i": 21, "sum_o": 6}),
    "register": fifo(8, 1),
    "skid": fifo(8, 2),
    "small_fifo": fifo(16, 17),
    "large_fifo": fifo(36, 1025),
    "credits": fifo(6, 16, "credit_fifo"),
    "split": dwc(21, 7),
    "join": dwc(7, 21),
    "wires": dwc(8, 8),
    "argmax": Instance("argmax", {"Labels": 10, "Pe": 5}, {"data_i": 40, "data_o": 4}),
    "mvau_block": mvau(1, "block"),
    "mvau_logic": mvau(1, "logic"),
    "signed_block": mvau(8, "block"),
    "signed_logic": mvau(8, "logic"),
}


def top(instances: Mapping[str, Instance]) -> str:
    """Return a module that holds each wrapper once, all of its ports led out."""
    ports, body = [], []
    for name, instance in instances.items():
        data_ports = DATA_PORTS.get(instance.module, STREAM_PORTS)
        wide = [f"{'input' if p.endswith('i') else 'output'} logic {instance.bits(p)}{name}_{p}" for p in data_ports]
        ports += wide
        reset = "" if instance.module in {"xnor_popcount", "sign_sum", "sum_tree"} else ".rst_ni, "
        links = ", ".join(f".{port}({name}_{port})" for port in data_ports)
        body.append(f"  case_{name} u_{name} (.clk_i, {reset}{links});\n")
    return f"module top (input logic clk_i, input logic rst_ni, {', '.join(ports)});\n{''.join(body)}endmodule\n"


@pytest.fixture(scope="module")
def yosys(bench, tmp_path_factory) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Return a function that runs a yosys script in a folder with the library; ``run.folder`` is that folder."""
    folder = tmp_path_factory.mktemp("yosys")
    found = find_yosys(folder, SilentProgress())
    for source in bench.sources:
        shutil.copy(source, folder)

    def run(script: str) -> subprocess.CompletedProcess[str]:
        command = (*found.command, "-q", "-p", script)
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    run.folder = folder
    return run


@pytest.fixture(scope="module")
def cells(bench, yosys) -> dict[str, Counter[str]]:
    """Cells of each of INSTANCES, all mapped to xc7 in one run."""
    folder: Path = yosys.folder
    rng = np.random.default_rng(0)
    for name, words, digits in (("weights.mem", 64, 8), ("starts.mem", 8, 16)):
        lines = ("".join(rng.choice(list("0123456789abcdef"), digits)) for _ in range(words))
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    wrappers = [instance.wrapper(f"case_{name}") for name, instance in INSTANCES.items()]
    (folder / "top.sv").write_text("".join(wrappers) + top(INSTANCES), encoding="utf-8")
    sources = " ".join(source.name for source in bench.sources)
    done = yosys(
        f"read_slang -j 1 --keep-hierarchy --ignore-assertions --top top {sources} top.sv; "
        "setattr -mod -set keep_hierarchy 1 case_*; "
        "synth_xilinx -family xc7 -noiopad -noclkbuf -flatten -top top; check -assert; "
        "select -assert-none t:LD* t:$_DLATCH*; tee -q -o stat.json stat -json"
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-2000:]
    assert [line for line in said.splitlines() if "warning" in line.lower()] == []
    modules = json.loads((folder / "stat.json").read_text(encoding="utf-8"))["modules"]
    # A kept module is called after its place: \case_wires$top.u_wires.
    found = {key.split("$")[0].removeprefix("\\case_"): item["num_cells_by_type"] for key, item in modules.items()}
    return {name: Counter(found[name]) for name in INSTANCES}


def family(count: Counter[str], names: tuple[str, ...]) -> int:
    return sum(count[name] for name in names)


def test_every_module_is_synthesized(bench):
    assert {f"xnorflow_{item.module}" for item in INSTANCES.values()} == {path.stem for path in bench.sources}


@pytest.mark.parametrize("name", ["popcount", "sign_sum", "sum_tree", "register", "skid", "split", "join"])
def test_logic_takes_no_memory(cells, name):
    assert cells[name]["FDRE"] > 0
    assert family(cells[name], LUTRAM + BLOCK_RAM) == 0


def test_equal_widths_are_wires(cells):
    assert set(cells["wires"]) <= {"$scopeinfo"}  # a note for debuggers, no cell


def test_fifo_memory_grows_from_lutram_to_block_ram(cells):
    assert family(cells["small_fifo"], LUTRAM) > 0 and family(cells["small_fifo"], BLOCK_RAM) == 0
    assert family(cells["large_fifo"], LUTRAM) == 0 and family(cells["large_fifo"], BLOCK_RAM) == 1
    assert cells["large_fifo"]["FDRE"] < 36  # the output register is the block RAM's own


@pytest.mark.parametrize("kind", ["mvau", "signed"])
def test_mvau_memories(cells, kind):
    """Weights go where WeightStyle says; input buffer and output FIFO stay in LUTRAM."""
    block, logic = cells[f"{kind}_block"], cells[f"{kind}_logic"]
    assert family(block, BLOCK_RAM) == 1
    assert family(logic, BLOCK_RAM) == 0
    assert family(block, LUTRAM) == family(logic, LUTRAM) > 0
    assert block["DSP48E1"] == logic["DSP48E1"] == 0


@pytest.mark.parametrize("name", ["argmax", "credits"])
def test_only_the_output_is_in_lutram(cells, name):
    assert family(cells[name], LUTRAM) == 1 and family(cells[name], BLOCK_RAM) == 0


def test_yosys_takes_the_adder_tree(cells):
    """The tests of mvau named ``tree`` cover the body that synthesis uses: yosys defines SYNTHESIS by itself."""
    assert cells["sign_sum"]["FDRE"] == 4 * (8 + 2) + (8 + 4)  # sums of four terms, then the sum


def test_illegal_parameters_are_refused(bench, yosys):
    sources = " ".join(source.name for source in bench.sources)
    done = yosys(f"read_slang -j 1 --top xnorflow_dwc -G InWidth=6 -G OutWidth=4 {sources}")
    assert done.returncode != 0
    assert "xnorflow_dwc: InWidth and OutWidth must divide one another" in done.stdout + done.stderr
