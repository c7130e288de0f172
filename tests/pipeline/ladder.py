"""The ladder from QONNX to RTL: nothing may differ, nothing may warn; and where a network falls from it."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from descriptions import Case
from network_files import write_network

from xnorflow.artifact.errors import UserError
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.config import BuildSettings, OutputKind
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.lower.folding import MVAUS, divisors, folding_of, hardware_layers, has_windows
from xnorflow.lower.import_model import import_model
from xnorflow.lower.reference import logits_graph, random_inputs, reference_logits
from xnorflow.lower.stage import lower
from xnorflow.simulate.config import SimulateSettings
from xnorflow.simulate.stage import simulate
from xnorflow.simulate.verilator import lint_design

BOARD = "ZCU104"
PLAIN: tuple[str, tuple[str, ...]] = ("", ())
BODIES = dict([PLAIN, (" primitives", ("XNORFLOW_LUT6",))])
"""What is added to the names of the last rungs, and the macros that choose the bodies."""


def climb(case: Case, folder: Path, reach: Callable[[str], None] = lambda rung: None) -> None:
    """Take a case up the whole ladder.

    Args:
        case: what to build and simulate.
        folder: an existing one, for all files.
        reach: told the name of each rung before it is tried.

    Raises:
        Exception: whatever stands in the way; AssertionError where a rung ends well and gives something else.
    """
    reach("write")
    model = write_network(case.network, folder / "net.onnx")
    settings = BuildSettings(board=BOARD, target_cycles=case.target_cycles, output=OutputKind(case.output))
    stalls = SimulateSettings(frames=case.frames, stall_probability=case.stall_probability, seed=case.seed)
    climb_file(model, settings, stalls, folder, reach, primitives=case.primitives, together=case.together)


def climb_file(
    model: Path, settings: BuildSettings, stalls: SimulateSettings, folder: Path,
    reach: Callable[[str], None] = lambda rung: None, *, primitives: bool = False, together: bool = False,
) -> None:  # fmt: skip
    """Take an ONNX file up the whole ladder, on as many random frames as the simulation shall have.

    Args:
        model: the file.
        settings: of the build.
        stalls: of the simulation.
        folder: an existing one, for all files.
        reach: told the name of each rung before it is tried.
        primitives: whether to simulate with the bodies for LUTs of six inputs too.
        together: whether to lower a second time, with what a folding file may choose beside PE and SIMD drawn.

    Raises:
        Exception: whatever stands in the way; AssertionError where a rung ends well and gives something else.
    """
    reach("import")
    prepare_finn()
    tidied = import_model(model)
    inputs = random_inputs(tidied, stalls.frames, stalls.seed)
    reach("reference")
    golden = GoldenVectors(inputs, reference_logits(logits_graph(tidied), inputs), np.zeros(0, np.int64))
    build = folder / "build"
    build.mkdir()
    reach("lower")
    lowered = lower(model, build, settings, golden, SilentProgress())
    if together:
        reach("lower together")
        settings = with_drawn_choices(lowered.model, settings, folder / "folding.json", stalls.seed)
        lowered = lower(model, build, settings, golden, SilentProgress())
    reach("generate")
    design = generate(build, lowered, SilentProgress())
    values = lowered.codec.quantize(inputs)
    expected = lowered.codec.raw(lowered.network.results(values))
    for name, defines in BODIES.items() if primitives else [PLAIN]:
        reach(f"lint{name}")
        warnings = lint_design(design.top, [build / source for source in design.sources], defines=defines)
        assert warnings == [], warnings
        reach(f"simulate{name}")
        report = simulate(build, values, expected, stalls, SilentProgress(), defines=defines)
        reach(f"compare{name}")
        found = (report.frames, report.mismatches, report.cycles_per_frame_simulated, report.latency_cycles)
        predicted = (stalls.frames, 0, design.cycles_per_frame, design.latency_cycles)
        assert found == predicted, f"frames, mismatches, cycles a frame, latency: {found}, not {predicted}"


def with_drawn_choices(model: Any, settings: BuildSettings, path: Path, seed: int) -> BuildSettings:
    """Return settings with a folding file like a graph's own folding, but for M, memories and multipliers."""
    folding = folding_of(model)
    _draw_windows(model, folding, np.random.default_rng(seed))
    _draw_memories(model, folding, np.random.default_rng((seed, 1)))
    path.write_text(json.dumps(folding), encoding="utf-8")
    return BuildSettings(board=settings.board, folding=path, output=settings.output)


def _draw_memories(model: Any, folding: dict[str, Any], random: np.random.Generator) -> None:
    """Put weights into LUTs or block RAM, and first layers into DSP multipliers, where they may be."""
    from xnorflow.ops.xnor_cost import MOST_LOGIC_WORDS

    for node, operator in hardware_layers(model):
        if node.op_type.removesuffix("_rtl") not in MVAUS:
            continue
        fold, shape = folding[node.name], operator.shape()
        words = shape.mw // fold["SIMD"] * (shape.mh // fold["PE"])
        fold["ram_style"] = str(random.choice(["auto", "block", *["distributed"] * (words <= MOST_LOGIC_WORDS)]))
        if "resType" in fold and operator.multipliers().fits and random.random() < 0.5:
            fold |= {"resType": "dsp"} | ({"M": 1} if "M" in fold else {})


def _draw_windows(model: Any, folding: dict[str, Any], random: np.random.Generator) -> None:
    """Give an M to layers that may have one."""
    for node, operator in hardware_layers(model):
        if not has_windows(operator):
            continue
        fold = folding[node.name]
        if "parallel_window" in fold:
            if not operator.can_be_parallel() or random.random() < 0.2:
                continue
            fold |= {"SIMD": operator.get_nodeattr("IFMChannels"), "parallel_window": 1}
        elif fold["SIMD"] == 1:
            several = divisors(operator.get_nodeattr("MW"))[1:]
            if not several:
                continue
            fold["SIMD"] = int(random.choice(several))
        fold["M"] = int(random.choice(divisors(operator.pixels_of_a_row())))


@dataclass(frozen=True)
class Failure:
    """How a case fails; two networks that fail in equal ways have, as far as one can tell, the same fault.

    Args:
        error: name of the exception, and of the one that it tells of.
        rung: of the ladder.
        step: of lowering, where the error names one; else empty.
        words: the first two of what was found, without numbers: one kind of error tells of several things.
    """

    error: str
    rung: str
    step: str
    words: str

    def __str__(self) -> str:
        step = f" in {self.step}" if self.step else ""
        return f"{self.error} at {self.rung}{step}" + (f" ({self.words} ...)" if self.words else "")


def failure_of(case: Case) -> Failure | None:
    """Return how a case fails, or None where it climbs the whole ladder."""
    rungs: list[str] = []
    with tempfile.TemporaryDirectory(prefix="xnorflow_case_") as folder:
        try:
            climb(case, Path(folder), rungs.append)
        except Exception as error:
            return described(error, rungs[-1])
    return None


def described(error: Exception, rung: str) -> Failure:
    """Return what two errors have to share to count as the same."""
    step = re.search(r"\bstep_\w+", error.where) if isinstance(error, UserError) else None
    found = error.found if isinstance(error, UserError) else ""
    words = re.findall(r"[A-Za-z]+", re.sub(r"\w*\d\w*|\[.*?\]", "", found))[:2]
    names = [type(raised).__name__ for raised in (error, error.__cause__) if raised is not None]
    return Failure(" of ".join(names), rung, step[0] if step else "", " ".join(words))
