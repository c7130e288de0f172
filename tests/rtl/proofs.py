"""Proofs by SAT that two modules give the same for all inputs; cells of the chip behave as yosys' own models say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from subprocess import CompletedProcess

Yosys = Callable[[str], CompletedProcess[str]]

_SCRIPT = """
read_slang -j 1 --top gold --top gate {files}
techmap -autoproc -map +/xilinx/cells_sim.v t:LUT6 t:LUT6_2 t:CARRY4
proc
memory
opt_clean
miter -equiv -flatten gold gate miter
sat -verify -seq {steps} -prove-skip {skipped} -prove trigger 0 {settings} miter
"""


def is_proven(yosys: Yosys, text: str, steps: int = 1, settings: str = "", generated: str = "") -> bool:
    """Tell whether modules ``gold`` and ``gate`` are equal in cycle ``steps``, whatever came in and was in registers.

    As the first cycle is any cycle, they are equal in all cycles from then on.

    Args:
        yosys: the fixture.
        text: SystemVerilog of both modules, with the same ports; ``clk_i`` is the clock.
        steps: cycles.
        settings: of yosys' ``sat``, which sees inputs as ``in_<name>``.
        generated: further modules, in a file of their own.

    Raises:
        AssertionError: yosys fails otherwise than by a counterexample.
    """
    folder = yosys.folder
    (folder / "gold_gate.sv").write_text(text, encoding="utf-8")
    (folder / "generated.sv").write_text(generated, encoding="utf-8")
    files = f"{yosys.sources} generated.sv gold_gate.sv"
    script = _SCRIPT.format(files=files, steps=steps, skipped=steps - 1, settings=settings)
    return succeeds(yosys("; ".join(script.strip().splitlines())))


def succeeds(done: CompletedProcess[str]) -> bool:
    """Tell whether a proof succeeded.

    Raises:
        AssertionError: it was not even tried.
    """
    said = done.stdout + done.stderr
    assert done.returncode == 0 or "proof did fail" in said, said[-2000:]
    return done.returncode == 0


def delayed(name: str, bits: int, cycles: int) -> str:
    """Return text that gives ``name`` ``cycles`` cycles later as ``<name>_late``."""
    stages = "".join(
        f"  logic [{bits - 1}:0] {name}_{cycle + 1};\n  always_ff @(posedge clk_i) {name}_{cycle + 1} <= "
        f"{name}_{cycle};\n"
        for cycle in range(cycles)
    )
    text = f"  logic [{bits - 1}:0] {name}_0;\n  assign {name}_0 = {name};\n{stages}"
    return text + f"  logic [{bits - 1}:0] {name}_late;\n  assign {name}_late = {name}_{cycles};\n"


def plain_sum(name: str, weights: Iterable[int], bits: int) -> str:
    """Return an expression for the sum of the bits of ``name``, each times its weight."""
    terms = (f"{bits}'({weight} * {name}[{index}])" for index, weight in enumerate(weights))
    return " + ".join(terms) or f"{bits}'d0"
