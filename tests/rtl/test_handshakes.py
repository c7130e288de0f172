"""No valid or ready of a module depends on an input of the same cycle, whichever way its streams are connected."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from xnorflow.artifact.progress import SilentProgress
from xnorflow.synthesize.yosys import find_yosys

# Modules with streams, each with the parameters that it has by default.
MODULES = (
    "mvau", "fifo", "credit_fifo", "dwc", "argmax", "fork", "join", "add", "gate", "repeat", "requantize", "swg",
    "swg_parallel", "pool", "uart_rx", "uart_shell", "xnor_unit", "dsp_unit", "fold_pipeline",
    "dma_control", "dma_bursts", "dma_read", "dma_write",
)  # fmt: skip
REGISTERS = ("$dff", "$sdff", "$mem")  # and $dffe, $sdffe, $sdffce, $mem_v2
HANDSHAKE = ("valid", "ready", "credit")

# Test design: what must be found.
COMBINATIONAL = """module combinational (
  input logic clk_i, input logic valid_i, input logic ready_i, output logic valid_o, output logic ready_o
);
  logic go_q;
  always_ff @(posedge clk_i) go_q <= ~go_q;
  assign valid_o = valid_i & go_q;
  assign ready_o = go_q | ~ready_i;
endmodule
"""


def inputs_behind(netlist: dict[str, Any]) -> set[str]:
    """Return the inputs from which a path without a register leads to an output called valid, ready or credit."""
    behind: dict[int | str, list[int | str]] = {}
    for cell in netlist["cells"].values():
        if cell["type"].startswith(REGISTERS):
            continue
        ways, pins = cell["port_directions"], cell["connections"]
        into = [bit for pin, bits in pins.items() if ways[pin] == "input" for bit in bits]
        for pin, bits in pins.items():
            if ways[pin] == "output":
                behind |= dict.fromkeys(bits, into)
    ports = netlist["ports"]
    outputs = [
        name for name in ports if any(word in name for word in HANDSHAKE) and ports[name]["direction"] == "output"
    ]
    assert outputs
    todo = [bit for name in outputs for bit in ports[name]["bits"]]
    seen: set[int | str] = set()
    while todo:
        bit = todo.pop()
        if bit not in seen:
            seen.add(bit)
            todo += behind.get(bit, [])
    return {name for name, port in ports.items() if port["direction"] == "input" and seen & set(port["bits"])}


@pytest.fixture(scope="module")
def netlists(bench, tmp_path_factory) -> dict[str, dict[str, Any]]:
    """Flat netlists before mapping, as yosys writes them: ``ports`` and ``cells``."""
    folder: Path = tmp_path_factory.mktemp("netlists")
    for source in bench.sources:
        shutil.copy(source, folder)
    (folder / "combinational.sv").write_text(COMBINATIONAL, encoding="utf-8")
    for name in ("weights", "starts", "weights_0", *(f"table_{memory}" for memory in range(8))):
        (folder / f"{name}.mem").write_text("0\n", encoding="utf-8")
    tops = ["combinational", *(f"xnorflow_{module}" for module in MODULES)]
    script = (
        f"read_slang -j 1 --ignore-assertions {' '.join(f'--top {top}' for top in tops)} "
        f"{' '.join(source.name for source in bench.sources)} combinational.sv; "
        "proc; memory -nomap; opt_clean; write_json netlists.json"
    )
    command = (*find_yosys(folder, SilentProgress()).command, "-q", "-p", script)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    modules: dict[str, dict[str, Any]] = json.loads((folder / "netlists.json").read_text(encoding="utf-8"))["modules"]
    return modules


def test_paths_are_found(netlists):
    assert inputs_behind(netlists["combinational"]) == {"valid_i", "ready_i"}


def test_every_stream_is_covered(bench):
    """Left out: parts without ready, and the ring of xnorflow_swg, which is told by inputs what is padding."""
    with_ready = {
        path.stem.removeprefix("xnorflow_")
        for path in bench.sources
        if "ready_i" in path.read_text(encoding="utf-8").split(");\n", 1)[0]
    }
    assert with_ready - {"swg_ring"} == set(MODULES)


@pytest.mark.parametrize("module", [module for module in MODULES if module != "dwc"])
def test_handshakes_come_from_registers(netlists, module):
    assert inputs_behind(netlists[f"xnorflow_{module}"]) == set()


def test_equal_widths_pass_handshakes_on(netlists):
    """The one exception: a converter of equal widths is wires."""
    assert inputs_behind(netlists["xnorflow_dwc"]) == {"valid_i", "ready_i"}
