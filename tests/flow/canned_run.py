"""What the stages of a run leave behind, written by hand, and a reader of the pages that are made of it."""

from __future__ import annotations

import hashlib
import json
from html.parser import HTMLParser

from xnorflow.artifact.design import Design, DesignNode
from xnorflow.artifact.streams import StreamSpec

LAYERS = {"fc0_mvau": (98, 400, 350), "fc1_fifo": (8, 20, 31), "fc1_mvau": (128, 150, 166)}
"""Cycles, LUTs by estimate, LUTs mapped."""

SIMULATION = {
    "path": "RTL", "design": "xnorflow_top", "frames": 1000, "mismatches": 0, "first_mismatch": None,
    "stall_probability": 0.3, "cycles_per_frame_predicted": 128, "cycles_per_frame_simulated": 128,
    "latency_cycles": 484, "wall_seconds": 8.04,
}  # fmt: skip


def write(path, content) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def write_training(root) -> None:
    facts = {"network": "TFC_1W1A", "dataset": "mnist", "test_frames": 1000, "accuracy_float": 0.931}
    write(root / "train" / "manifest.json", {"facts": facts})
    keys = ("epoch", "loss", "train_accuracy_float", "test_accuracy_float")
    lines = [(1, 1.5, 0.5, 0.8), (2, 0.9, 0.7, 0.9), (3, 0.7, 0.75, 0.931)]
    text = "".join(json.dumps(dict(zip(keys, line, strict=True))) + "\n" for line in lines)
    (root / "train" / "metrics.jsonl").write_text(text, encoding="utf-8")


def write_build(root) -> None:
    report = root / "build" / "report"
    nodes = tuple(
        DesignNode(name, "XnorMVAU_rtl", (), cycles, {"MW": 64, "PE": 2}, ("in0",), (8,))
        for name, (cycles, _, _) in LAYERS.items()
    )
    stream = StreamSpec("in0_V", "BIPOLAR", 1, 64, 8)
    Design(
        "xnorflow_top", (), "rtl", "Pynq-Z2", "xc7z020clg400-1", 10.0, 128, 300, stream, stream, nodes, "ab" * 32
    ).save(root / "build" / "design.json")  # fmt: skip
    write(report / "estimate_layer_cycles.json", {name: values[0] for name, values in LAYERS.items()})
    estimates = {name: {"LUT": values[1]} for name, values in LAYERS.items()}
    write(report / "estimate_layer_resources.json", {**estimates, "total": {"LUT": 570}})
    write(report / "estimate_network_performance.json", {"max_cycles": 128})
    write(report / "op_and_param_counts.json", {"total": {}})
    write(report / "lowering.json", {"output": "logits", "layers": [{}, {}]})


def write_results(root) -> None:
    report = root / "build" / "report"
    write(report / "simulation.json", SIMULATION)
    accuracy = {"frames": 1000, "accuracy_float": 0.931, "accuracy_integer": 0.931, "accuracy_rtl": 0.931}
    write(report / "accuracy.json", accuracy)
    layers = {name: {"LUT": values[2], "FF": 10, "BRAM36": 0.5} for name, values in LAYERS.items()}
    total = {"LUT": 547, "FF": 30, "LUTRAM": 4, "BRAM36": 1.5, "DSP": 0, "packed": 400, "packed_slots": 25}
    budget = {"LUT": 53200, "FF": 106400, "LUTRAM": 17400, "BRAM36": 140, "DSP": 220}
    functions = {
        "matrix units": {"nodes": 2, "LUT": 516, "FF": 20, "BRAM36": 1.0, "percent_LUT": 94.3},
        "FIFOs": {"nodes": 1, "LUT": 31, "FF": 10, "BRAM36": 0.5, "percent_LUT": 5.7},
    }
    synthesis = {
        "family": "xc7", "board": "Pynq-Z2", "total": total, "budget": budget, "functions": functions, "layers": layers,
    }  # fmt: skip
    write(report / "yosys_synth_xc7.json", synthesis)


def write_routed(root) -> None:
    content = {
        "path": "routed, nextpnr-ecp5, LFE5U-85F, speed grade 6", "clock_mhz": 50.0, "fmax_mhz": 101.16, "met": True,
        "used": {"LUT4": 2762, "DP16KD": 14}, "available": {"LUT4": 83640, "DP16KD": 208},
        "percent": {"LUT4": 3.3, "DP16KD": 6.7},
    }  # fmt: skip
    write(root / "build" / "report" / "ecp5_route.json", content)


def write_virtual_board(root) -> None:
    """Figures of the design that is there."""
    sha = hashlib.sha256((root / "build" / "design.json").read_bytes()).hexdigest()
    path = "virtual board, simulated: cycles x assumed 10 ns, DMA included"
    content = {
        "path": path, "design_sha256": sha, "golden_frames": 20, "frames": 100, "cycles": 13446,
        "frames_per_second": 743716.0,
    }  # fmt: skip
    write(root / "build" / "report" / "virtual_board.json", content)


class Checker(HTMLParser):
    """Finds tags that are not closed and things that a page would load."""

    VOID = frozenset({"meta", "br", "path", "use", "rect", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.loaded += [value for name, value in attributes if name in ("src", "href") and not value.startswith("#")]
        if tag in {"script", "link", "img", "iframe"}:
            self.loaded.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag
