"""Every module goes through yosys for 7-series: no latch, no problem, memories where they are meant to be."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

LUTRAM = ("RAM32M", "RAM64M", "RAM32X1D", "RAM64X1D")
BLOCK_RAM = ("RAMB18E1", "RAMB36E1")
LUTS = ("LUT1", "LUT2", "LUT3", "LUT4", "LUT5", "LUT6")
FLIP_FLOPS = ("FDRE", "FDSE")
JOIN_PORTS = (
    "data_a_i", "valid_a_i", "ready_a_o", "data_b_i", "valid_b_i", "ready_b_o", "data_o", "valid_o", "ready_i",
)  # fmt: skip
ARRAY_PORTS = ("word_i", "beat_i", "row_a_o", "row_b_o", "odd_o")
DATA_PORTS = {
    "counter": ("bits_i", "count_o"),
    "parity_tree": ("data_i", "tree_o"),
    "xnor_carries": ("data_tree_i", "weight_tree_i", "carries_o", "odd_o"),
    "row_accumulator": ("valid_i", "last_i", "row_a_i", "row_b_i", "odd_i", "start_i", "sum_o"),
    "popcount_array": ARRAY_PORTS,
    "xnor_unit": (
        "data_i", "valid_i", "ready_o", "word_o", "beat_o", "row_a_i", "row_b_i", "odd_i", "data_o", "valid_o",
        "ready_i",
    ),
    "dsp_pair": ("data_i", "negative_i", "valid_i", "enable_i", "first_i", "start_i", "sum_o"),
    "dma_control": (
        "awaddr_i", "awvalid_i", "awready_o", "wdata_i", "wstrb_i", "wvalid_i", "wready_o", "bresp_o", "bvalid_o",
        "bready_i", "araddr_i", "arvalid_i", "arready_o", "rdata_o", "rresp_o", "rvalid_o", "rready_i", "interrupt_o",
        "start_o", "address_o", "frames_o", "done_i", "error_i",
    ),
    "dma_bursts": (
        "start_i", "address_i", "frames_i", "bytes_o", "bytes_valid_o", "words_left_o", "room_i", "burst_address_o",
        "burst_length_o", "burst_valid_o", "burst_ready_i",
    ),
    "dma_read": (
        "start_i", "address_i", "frames_i", "done_o", "error_o", "araddr_o", "arlen_o", "arvalid_o", "arready_i",
        "rdata_i", "rresp_i", "rvalid_i", "rready_o", "data_o", "valid_o", "ready_i",
    ),
    "dma_write": (
        "start_i", "address_i", "frames_i", "done_o", "error_o", "awaddr_o", "awlen_o", "awvalid_o", "awready_i",
        "wdata_o", "wstrb_o", "wlast_o", "wvalid_o", "wready_i", "bresp_i", "bvalid_i", "bready_o", "data_i",
        "valid_i", "ready_o",
    ),
    "fold_pipeline": (
        "valid_i", "ready_o", "issue_o", "sf_o", "word_o", "first_nf_o", "step_valid_o", "step_last_o", "result_i",
        "data_o", "valid_o", "ready_i",
    ),
    "start_values": ("next_i", "enable_i", "start_o"),
    "beat_buffer": ("sf_i", "write_i", "data_i", "beat_o"),
    "sum_result": ("sum_i", "result_o"),
    "fold_steps": (
        "valid_i", "ready_o", "credit_i", "issue_o", "sf_o", "word_o", "first_nf_o", "last_sf_o",
    ),
    "xnor_popcount": ("data_i", "weight_i", "count_o"),
    "popcount_pipeline": ("data_i", "weight_i", "row_a_o", "row_b_o", "odd_o"),
    "sign_sum": ("data_i", "weight_i", "sum_o"),
    "sum_tree": ("terms_i", "sum_o"),
    "credit_fifo": ("credit_o", "take_i", "data_i", "valid_i", "data_o", "valid_o", "ready_i"),
    "add": JOIN_PORTS,
    "gate": JOIN_PORTS,
    "join": (
        "data_a_i", "valid_a_i", "ready_a_o", "data_b_i", "valid_b_i", "ready_b_o", "pair_a_o", "pair_b_o", "result_i",
        "data_o", "valid_o", "ready_i",
    ),
    "product_sum": ("data_i", "weight_i", "sum_o"),
    "requantize_thresholds": ("fold_i", "data_i", "data_o"),
    "requantize_affine": ("fold_i", "data_i", "data_o"),
    "requantize_table": ("fold_i", "data_i", "data_o"),
    "uart_rx": ("rx_i", "data_o", "valid_o", "ready_i", "error_o", "break_o"),
    "uart_tx": ("data_i", "valid_i", "ready_o", "tx_o"),
    "uart_shell": (
        "rx_i", "tx_o", "error_o", "accelerator_rst_no", "data_o", "valid_o", "ready_i", "data_i", "valid_i", "ready_o",
    ),
    "swg_ring": (
        "data_i", "valid_i", "ready_o", "last_i", "first_i", "pad_i", "issue_o", "data_o", "valid_o", "ready_i",
    ),
}  # fmt: skip
NO_RESET = {
    "xnor_popcount", "popcount_pipeline", "sign_sum", "product_sum", "sum_tree", "requantize_thresholds",
    "requantize_affine", "requantize_table", "counter", "parity_tree", "xnor_carries", "row_accumulator",
    "popcount_array", "dsp_pair", "beat_buffer", "sum_result",
}  # fmt: skip
NO_CLOCK = {"counter", "xnor_carries", "sum_result"}
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
        clocks = () if self.module in NO_CLOCK else ("clk_i",) if self.module in NO_RESET else ("clk_i", "rst_ni")
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


def products(style: str, **parameters: int) -> Instance:
    """Return a unit of 8-bit inputs and 2-bit weights."""
    shape = {"Mw": 64, "Mh": 32, "Simd": 8, "Pe": 4, "InputWidth": 8, "WeightWidth": 2, "AccWidth": 16}
    files = {"WeightFile": "products.mem", "WeightStyle": style}
    return Instance("mvau", shape | files | parameters, {"data_i": 64, "data_o": 4})


def requantize(part: str, pe: int, bits_out: int, **parameters: int | str) -> Instance:
    """Return a part of requantize for 4 folds of 8-bit inputs."""
    widths = {"fold_i": 2, "data_i": pe * 8, "data_o": pe * bits_out}
    return Instance(f"requantize_{part}", {"Pe": pe, "OutWidth": bits_out, **parameters}, widths)


def swg(channels: int, **parameters: int | str) -> Instance:
    """Return 3 x 3 windows of a padded map of 8 x 8 pixels, a pixel a beat."""
    shape = {"Channels": channels, "Simd": channels, "PadTop": 1, "PadBottom": 1, "PadLeft": 1, "PadRight": 1}
    return Instance("swg", shape | parameters, {"data_i": channels, "data_o": channels})


def pool(folds: int, mode: str, bits_out: int, **parameters: int | str) -> Instance:
    """Return a pool of 3 elements of 8 bits a beat."""
    shape = {"Folds": folds, "Mode": mode, "Pe": 3, "InWidth": 8, "OutWidth": bits_out}
    return Instance("pool", shape | parameters, {"data_i": 24, "data_o": 3 * bits_out})


def array(style: str) -> Instance:
    """Return an array of plain popcounts."""
    shape = {"Simd": 8, "Pe": 4, "Words": 64, "RowWidth": 4, "WeightFile": "weights.mem", "WeightStyle": style}
    return Instance("popcount_array", shape, {"word_i": 6, "beat_i": 8, "row_a_o": 16, "row_b_o": 16, "odd_o": 4})


def accumulator(**parameters: int) -> Instance:
    """Return an accumulator of 12 bits."""
    rows = {"AccWidth": 12, "RowWidth": 6}
    return Instance("row_accumulator", rows | parameters, {"row_a_i": 6, "row_b_i": 6, "start_i": 12, "sum_o": 12})


def xnor_unit(**parameters: int) -> Instance:
    """Return a unit of 8 folds of inputs and 8 of neurons, without its array."""
    shape = {"Mw": 64, "Mh": 32, "Simd": 8, "Pe": 4, "AccWidth": 16, "RowWidth": 4}
    widths = {"data_i": 8, "word_o": 6, "beat_o": 8, "row_a_i": 16, "row_b_i": 16, "odd_i": 4, "data_o": 4}
    return Instance("xnor_unit", shape | parameters, widths)


def fold_pipeline(**parameters: int) -> Instance:
    """Return the control of a unit of 16 folds of inputs and 4 of neurons."""
    widths = {"sf_o": 4, "word_o": 6, "step_valid_o": 4, "step_last_o": 4, "result_i": 16, "data_o": 16}
    return Instance("fold_pipeline", parameters, widths)


def dsp_pair(terms: int, **parameters: int) -> Instance:
    """Return two neurons of 14-bit sums, or one."""
    neurons = parameters.get("Neurons", 2)
    widths = {"data_i": 8 * terms, "negative_i": neurons * terms, "start_i": 14 * neurons, "sum_o": 14 * neurons}
    widths |= {"valid_i": terms} if terms > 1 else {}
    return Instance("dsp_pair", {"Terms": terms, "AccWidth": 14, **parameters}, widths)


def dsp_unit(simd: int, pe: int, **parameters: int | str) -> Instance:
    """Return a unit of 12 inputs of 8 bits and 32 neurons."""
    shape = {"Mw": 12, "Mh": 32, "Simd": simd, "Pe": pe, "WeightFiles": "negative"}
    return Instance("dsp_unit", shape | parameters, {"data_i": 8 * simd, "data_o": pe})


BATCH = {"address_i": 32, "frames_i": 32}
INSTANCES = {
    "counter": Instance("counter", {"Positions": 4, "Pairs": 5}, {"bits_i": 13, "count_o": 5}),
    "full_adder": Instance("counter", {"Positions": 1, "Pairs": 0}, {"bits_i": 3, "count_o": 2}),
    "parities": Instance("parity_tree", {"Width": 64}, {"data_i": 64, "tree_o": 64}),
    "carries": Instance("xnor_carries", {"Width": 64}, {"data_tree_i": 64, "weight_tree_i": 64, "carries_o": 32}),
    "rows": accumulator(Primitives=1),
    "rows_plain": accumulator(),
    "rows_one_step": accumulator(Primitives=1, OneStep=1),
    "array_logic": array("logic"),
    "array_block": array("block"),
    "dma_registers": Instance(
        "dma_control",
        {},
        {
            "awaddr_i": 6,
            "wdata_i": 32,
            "wstrb_i": 4,
            "bresp_o": 2,
            "araddr_i": 6,
            "rdata_o": 32,
            "rresp_o": 2,
            "address_o": 64,
            "frames_o": 32,
        },
    ),
    "dma_bursts": Instance(
        "dma_bursts",
        {},
        {
            **BATCH,
            "bytes_o": 39,
            "words_left_o": 39,
            "burst_address_o": 32,
            "burst_length_o": 8,
        },
    ),
    "dma_read": Instance(
        "dma_read",
        {},
        {
            **BATCH,
            "araddr_o": 32,
            "arlen_o": 8,
            "rdata_i": 64,
            "rresp_i": 2,
            "data_o": 16,
        },
    ),
    "dma_write": Instance(
        "dma_write",
        {},
        {
            **BATCH,
            "awaddr_o": 32,
            "awlen_o": 8,
            "wdata_o": 64,
            "wstrb_o": 8,
            "bresp_i": 2,
            "data_i": 16,
        },
    ),
    "pipeline": fold_pipeline(),
    "pipeline_of_many": fold_pipeline(OutputDepth=33),
    "starts": Instance("start_values", {"Nf": 4, "Width": 64}, {"start_o": 64}),
    "beats": Instance("beat_buffer", {}, {"sf_i": 4, "data_i": 64, "beat_o": 64}),
    "beat": Instance("beat_buffer", {"Nf": 1}, {"sf_i": 4, "data_i": 64, "beat_o": 64}),
    "sum": Instance("sum_result", {"Thresholded": 0}, {"sum_i": 8, "result_o": 8}),
    "fold_steps": Instance("fold_steps", {"Sf": 16, "Nf": 4}, {"sf_o": 4, "word_o": 6}),
    "xnor_unit": xnor_unit(Primitives=1),
    "xnor_unit_plain": xnor_unit(),
    "dsp_accumulates": dsp_pair(1),
    "dsp_alone": dsp_pair(1, Neurons=1),
    "dsp_chain": dsp_pair(3, OneStep=1),
    "dsp_steps": dsp_pair(3),
    "dsp_unit": dsp_unit(1, 16, WeightStyle="block"),
    "dsp_unit_logic": dsp_unit(1, 16, WeightStyle="logic"),
    "dsp_unit_wide": dsp_unit(3, 16, WeightStyle="logic"),
    "popcount": Instance("xnor_popcount", {"Width": 70}, {"data_i": 70, "weight_i": 70, "count_o": 7}),
    "popcount_tree": Instance("popcount_pipeline", {}, {"data_i": 64, "weight_i": 64, "row_a_o": 6, "row_b_o": 6}),
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
    "fork": Instance("fork", {"Width": 8, "Outputs": 3}, {"data_i": 8, "data_o": 24, "valid_o": 3, "ready_i": 3}),
    "product_sum": Instance(
        "product_sum", {"Terms": 16, "Width": 8, "WeightWidth": 3}, {"data_i": 128, "weight_i": 48, "sum_o": 15}
    ),
    "products_block": products("block"),
    "products_logic": products("logic"),
    "pairs": Instance(
        "join",
        {"OutWidth": 9},
        {"data_a_i": 8, "data_b_i": 8, "pair_a_o": 8, "pair_b_o": 8, "result_i": 9, "data_o": 9},
    ),
    "gate": Instance(
        "gate", {"Pe": 2, "CodeWidth": 2, "MaxShift": 3, "OutWidth": 11}, {"data_a_i": 16, "data_b_i": 4, "data_o": 22}
    ),
    "gate_counts": Instance(
        "gate",
        {"Pe": 2, "Width": 7, "Signed": 0, "Scale": 2, "Offset": -64},
        {"data_a_i": 14, "data_b_i": 2, "data_o": 18},
    ),
    "add_shifted": Instance(
        "add",
        {"Pe": 2, "ShiftA": 4, "SignedA": 0, "SignedB": 0, "OutWidth": 14},
        {"data_a_i": 16, "data_b_i": 16, "data_o": 28},
    ),
    "add": Instance("add", {"Pe": 2, "OutWidth": 8}, {"data_a_i": 16, "data_b_i": 16, "data_o": 16}),
    "requantize": Instance("requantize", {"Channels": 8, "Pe": 2}, {"data_i": 16, "data_o": 16}),
    "sign": requantize("thresholds", 4, 1, ParameterFile="signs.mem"),
    "steps": requantize("thresholds", 4, 2, Steps=3, Base=-2, ParameterFile="steps.mem"),
    "line": requantize("affine", 4, 8, Shift=8, ParameterFile="line.mem"),
    "two_lines": requantize("affine", 4, 8, Slopes=2, Shift=8, ParameterFile="two_lines.mem"),
    "table": requantize("table", 3, 8, RomStyle="block"),
    "repeat": Instance("repeat", {"Width": 8, "Beats": 4}, {"data_i": 8, "data_o": 8}),
    "repeat_long": Instance("repeat", {"Width": 9, "Beats": 1024}, {"data_i": 9, "data_o": 9}),
    "ring": Instance("swg_ring", {}, {"data_i": 8, "last_i": 4, "data_o": 8}),
    "windows": Instance("swg_parallel", {"Columns": 30, "Width": 6}, {"data_i": 6, "data_o": 54}),
    "swg": swg(6, MemoryStyle="distributed"),
    "swg_block": swg(32, MemoryStyle="block"),
    "uart_rx": Instance("uart_rx", {}, {"data_o": 8}),
    "uart_tx": Instance("uart_tx", {}, {"data_i": 8}),
    "uart_shell": Instance("uart_shell", {"InBytes": 7, "OutBytes": 2}, {"data_o": 56, "data_i": 16}),
    "pool_one_fold": pool(1, "max", 8),
    "pool_few_folds": pool(8, "sum", 10),
    "pool_many_folds": pool(700, "max", 8),
    "pool_block": pool(64, "sum", 10, MemoryStyle="block"),
}
# Memory files of random words: name, words, hexadecimal digits of a word.
MEMORIES = (
    ("weights.mem", 64, 8), ("products.mem", 64, 16), ("starts.mem", 8, 16),
    ("signs.mem", 4, 9), ("steps.mem", 4, 27), ("line.mem", 4, 24), ("two_lines.mem", 4, 57),
    *((f"negative_{term}.mem", 24, 4) for term in range(3)),
    ("table_0.mem", 2048, 2), ("table_1.mem", 1024, 2),
)  # fmt: skip


def top(instances: Mapping[str, Instance]) -> str:
    """Return a module that holds each wrapper once, all of its ports led out."""
    ports, body = [], []
    for name, instance in instances.items():
        data_ports = DATA_PORTS.get(instance.module, STREAM_PORTS)
        wide = [f"{'input' if p.endswith('i') else 'output'} logic {instance.bits(p)}{name}_{p}" for p in data_ports]
        ports += wide
        clock = "" if instance.module in NO_CLOCK else ".clk_i, "
        reset = "" if instance.module in NO_RESET else ".rst_ni, "
        links = ", ".join(f".{port}({name}_{port})" for port in data_ports)
        body.append(f"  case_{name} u_{name} ({clock}{reset}{links});\n")
    return f"module top (input logic clk_i, input logic rst_ni, {', '.join(ports)});\n{''.join(body)}endmodule\n"


@pytest.fixture(scope="module")
def cells(bench, yosys) -> dict[str, Counter[str]]:
    """Cells of each of INSTANCES, all mapped to xc7 in one run."""
    folder: Path = yosys.folder
    rng = np.random.default_rng(0)
    for name, words, digits in MEMORIES:
        lines = ("".join(rng.choice(list("0123456789abcdef"), digits)) for _ in range(words))
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    wrappers = [instance.wrapper(f"case_{name}") for name, instance in INSTANCES.items()]
    (folder / "top.sv").write_text("".join(wrappers) + top(INSTANCES), encoding="utf-8")
    done = yosys(
        f"read_slang -j 1 --keep-hierarchy --ignore-assertions --top top {yosys.sources} top.sv; "
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
    inside = {"xnorflow_carry4"}  # of xnorflow_counter
    assert {f"xnorflow_{item.module}" for item in INSTANCES.values()} | inside == {path.stem for path in bench.sources}


@pytest.mark.parametrize("name", [
    "popcount", "popcount_tree", "sign_sum", "sum_tree", "register", "skid", "split", "join", "fork", "add",
    "add_shifted", "pairs", "gate", "gate_counts", "product_sum", "sign", "steps", "line", "two_lines", "pool_one_fold",
    "uart_rx", "uart_tx",
    "fold_steps", "starts", "parities", "rows", "rows_plain", "rows_one_step",
])  # fmt: skip
def test_logic_takes_no_memory(cells, name):
    assert cells[name]["FDRE"] > 0
    assert family(cells[name], LUTRAM + BLOCK_RAM) == 0


@pytest.mark.parametrize(
    ("name", "multipliers", "inverters"),
    [("dsp_accumulates", 1, 1), ("dsp_alone", 1, 0), ("dsp_chain", 3, 3), ("dsp_steps", 3, 3)],
)
def test_products_and_their_sums_are_inside_multipliers(cells, name, multipliers, inverters):
    """No LUT but an inverter each, and no register outside; several of both, terms and steps, take adders behind."""
    found = cells[name]
    assert found["DSP48E1"] == multipliers and found["INV"] == inverters
    behind = 2 * 14 if name == "dsp_steps" else 0
    assert family(found, FLIP_FLOPS) == behind <= family(found, LUTS) <= 2 * behind
    assert family(found, LUTRAM + BLOCK_RAM) == 0


def test_two_neurons_share_a_multiplier(cells):
    """Weights go where WeightStyle says, each input's into a memory of its own; around them is little else."""
    block, logic, wide = (cells[name] for name in ("dsp_unit", "dsp_unit_logic", "dsp_unit_wide"))
    assert block["DSP48E1"] == logic["DSP48E1"] == 8 and wide["DSP48E1"] == 3 * 8
    assert family(block, BLOCK_RAM) == 1 and family(logic, BLOCK_RAM) == family(wide, BLOCK_RAM) == 0
    assert family(block, LUTRAM) == family(logic, LUTRAM) == 2 + 3  # inputs, results
    assert family(block, LUTS) < 50


def test_equal_widths_are_wires(cells):
    assert set(cells["wires"]) <= {"$scopeinfo"}  # a note for debuggers, no cell


def test_fifo_memory_grows_from_lutram_to_block_ram(cells):
    assert family(cells["small_fifo"], LUTRAM) > 0 and family(cells["small_fifo"], BLOCK_RAM) == 0
    assert family(cells["large_fifo"], LUTRAM) == 0 and family(cells["large_fifo"], BLOCK_RAM) == 1
    assert cells["large_fifo"]["FDRE"] < 36  # the output register is the block RAM's own


@pytest.mark.parametrize("kind", ["mvau", "signed", "products"])
def test_mvau_memories(cells, kind):
    """Weights go where WeightStyle says; input buffer and output FIFO stay in LUTRAM."""
    block, logic = cells[f"{kind}_block"], cells[f"{kind}_logic"]
    assert family(block, BLOCK_RAM) == 1
    assert family(logic, BLOCK_RAM) == 0
    assert family(block, LUTRAM) == family(logic, LUTRAM) > 0
    assert block["DSP48E1"] == logic["DSP48E1"] == 0


def test_counters_are_the_cells_that_they_name(cells):
    """And nothing beside them."""
    assert cells["counter"] - Counter({"$scopeinfo": 99}) == Counter({"LUT6_2": 4, "CARRY4": 1})
    assert cells["full_adder"] - Counter({"$scopeinfo": 99}) == Counter({"LUT6_2": 1, "CARRY4": 1})


def test_parities_and_carries(cells):
    """A carry is one LUT, the last one of an even number of bits a smaller one; what is left over takes one more."""
    assert family(cells["parities"], LUTS) <= 45 and cells["parities"]["FDRE"] == 64
    assert cells["carries"]["LUT6"] == 31 and family(cells["carries"], LUTS) == 33
    assert not [kind for kind in cells["carries"] if kind in FLIP_FLOPS]


def test_rows_take_a_lut_a_bit(cells):
    """Those that rows reach hold a three-row adder; the register is cleared by its own pin."""
    assert cells["rows"]["LUT6_2"] == 6
    assert cells["rows"]["LUT6_2"] + family(cells["rows"], LUTS) <= 12 + 1  # and one for the register's enable
    assert cells["rows_one_step"]["LUT6_2"] + family(cells["rows_one_step"], LUTS) <= 12
    assert family(cells["rows"], FLIP_FLOPS) == 2 * 12 and family(cells["rows_one_step"], FLIP_FLOPS) == 12
    assert family(cells["rows_plain"], LUTS) > 12 + 1 and cells["rows_plain"]["LUT6_2"] == 0


def test_array_memories(cells):
    block, logic = cells["array_block"], cells["array_logic"]
    assert family(block, BLOCK_RAM) == 1 and family(logic, BLOCK_RAM) == 0
    assert family(block, LUTRAM) == family(logic, LUTRAM) == 0


def test_a_unit_without_its_array(cells):
    """Input buffer and results are in LUT RAM; accumulators are made of cells, or of adders."""
    for name in ("xnor_unit", "xnor_unit_plain"):
        assert family(cells[name], LUTRAM) == 2 + 1 and family(cells[name], BLOCK_RAM) == 0
    assert cells["xnor_unit"]["LUT6_2"] == 4 * 4 and cells["xnor_unit_plain"]["LUT6_2"] == 0
    assert family(cells["xnor_unit"], LUTS) + 16 < family(cells["xnor_unit_plain"], LUTS)


def test_results_wait_for_the_price_of_few(cells):
    """Behind a pipeline the output buffer of 33 results takes what that of 5 takes, but for longer pointers."""
    few, many = cells["pipeline"], cells["pipeline_of_many"]
    assert family(few, LUTRAM) == family(many, LUTRAM) == 3
    assert family(many, LUTS) - family(few, LUTS) <= 12


def test_inputs_of_a_unit(cells):
    assert family(cells["beats"], LUTRAM) == 11 and family(cells["beats"], FLIP_FLOPS) == 4 + 64
    assert family(cells["beat"], FLIP_FLOPS) == 2 * 64 and family(cells["beat"], LUTS + LUTRAM + BLOCK_RAM) == 0
    assert family(cells["sum"], FLIP_FLOPS + LUTS + LUTRAM) == 0 and cells["sum"]["INV"] == 1


@pytest.mark.parametrize("name", ["argmax", "credits"])
def test_only_the_output_is_in_lutram(cells, name):
    assert family(cells[name], LUTRAM) == 1 and family(cells[name], BLOCK_RAM) == 0


def test_fork_keeps_its_beats_once(cells):
    assert cells["fork"]["FDRE"] == 2 * 8 + 2 * 3


def test_repeat_memory_grows_from_lutram_to_block_ram(cells):
    assert family(cells["repeat"], LUTRAM) == 2 and family(cells["repeat"], BLOCK_RAM) == 0
    assert family(cells["repeat_long"], LUTRAM) == 0 and family(cells["repeat_long"], BLOCK_RAM) == 1


def test_rows_above_are_in_distributed_memory(cells):
    """Two rows of 30 pixels of 6 bits, and one flip-flop for each bit of a window."""
    assert cells["windows"]["RAM32M"] == 2 and not any(kind in cells["windows"] for kind in BLOCK_RAM)
    assert 54 + 12 < sum(cells["windows"][kind] for kind in FLIP_FLOPS) < 54 + 12 + 24


@pytest.mark.parametrize(("name", "block"), [("ring", 0), ("swg", 0), ("swg_block", 1)])
def test_windows_wait_in_one_memory(cells, name, block):
    assert family(cells[name], BLOCK_RAM) == block
    assert (family(cells[name], LUTRAM) > 0) == (block == 0)


def test_windows_need_no_lut_a_bit(cells):
    """Neither width nor padding costs a LUT, and the output register is the block RAM's own."""
    narrow, wide = cells["swg"], cells["swg_block"]
    assert family(wide, LUTS) <= family(narrow, LUTS)
    assert family(wide, FLIP_FLOPS) == family(narrow, FLIP_FLOPS) - 6


@pytest.mark.parametrize(("name", "lutram", "block"), [
    ("pool_few_folds", True, 0), ("pool_many_folds", False, 1), ("pool_block", False, 1),
])  # fmt: skip
def test_pool_memory(cells, name, lutram, block):
    """What windows have come to is kept where its size or MemoryStyle says."""
    assert (family(cells[name], LUTRAM) > 0) == lutram and family(cells[name], BLOCK_RAM) == block
    assert cells[name]["DSP48E1"] == 0


def test_products_of_few_bits_take_no_dsp(cells):
    """And no more than a tree of adders a bit of the weights."""
    assert cells["product_sum"]["DSP48E1"] == 0
    assert family(cells["product_sum"], LUTS) < 1.1 * 3 * family(cells["sign_sum"], LUTS)


def test_a_shifted_operand_costs_no_adder(cells):
    """Sums are four bits longer, which the output buffer holds; only four bits of the operands overlap."""
    assert family(cells["add_shifted"], LUTS) <= family(cells["add"], LUTS)


def test_a_lane_multiplies_once(cells):
    assert cells["line"]["DSP48E1"] == cells["two_lines"]["DSP48E1"] == 4
    assert cells["sign"]["DSP48E1"] == cells["steps"]["DSP48E1"] == cells["table"]["DSP48E1"] == 0


def test_two_lanes_share_a_block_ram(cells):
    """Tables of four folds of 8 bits: two lanes fill one of 18 Kbit, a third lane has another."""
    assert cells["requantize"]["RAMB18E1"] == 1 and cells["requantize"]["RAMB36E1"] == 0
    assert cells["table"]["RAMB18E1"] == 2 and cells["table"]["RAMB36E1"] == 0
    assert family(cells["requantize"], LUTRAM) > 0  # the output FIFO
    assert family(cells["table"], LUTRAM) == 0


def test_yosys_takes_the_adder_tree(cells):
    """The tests of mvau named ``tree`` cover the body that synthesis uses: yosys defines SYNTHESIS by itself."""
    assert cells["sign_sum"]["FDRE"] == 4 * (8 + 2) + (8 + 4)  # sums of four terms, then the sum
    assert cells["popcount_tree"]["FDRE"] == 32 * 2 + 16 * 3 + 8 * 4 + 4 * 5 + 2 * 6 + 1  # a level a cycle, then rows


def test_illegal_parameters_are_refused(bench, yosys):
    done = yosys(f"read_slang -j 1 --top xnorflow_dwc -G InWidth=6 -G OutWidth=4 {yosys.sources}")
    assert done.returncode != 0
    assert "xnorflow_dwc: InWidth and OutWidth must divide one another" in done.stdout + done.stderr
