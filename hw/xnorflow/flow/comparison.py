"""Golden vectors to integers, the design in Verilator on them, and the accuracies that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import InputModelError, LowerError
from xnorflow.artifact.files import write_json
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.progress import Progress
from xnorflow.flow.folders import Folders

if TYPE_CHECKING:
    from xnorflow.simulate.config import SimulateSettings
    from xnorflow.simulate.csim_stage import CSimReport
    from xnorflow.simulate.report import SimulationReport

__all__ = ["Expectation", "expect", "expect_golden", "simulate_golden", "simulate_golden_c"]

ENCODE_TOLERANCE = 0.1
"""Largest distance of a float logit from its table entry, in steps between entries: float32 sums are rounded."""

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Expectation:
    """What goes into the accelerator and what must come out.

    Args:
        inputs: int64 (frames, elements).
        outputs: int64 (frames, out_elements), as the accelerator sends them.
        classes: int64 (frames,), the class that the integer model, and so each output, means.
    """

    inputs: IntArray
    outputs: IntArray
    classes: IntArray


def expect(golden: GoldenVectors, codec: HostCodec, integer_results: IntArray) -> Expectation:
    """Derive the accelerator's outputs from the reference's float logits, and check the integer model against them.

    Args:
        golden: inputs with the logits that torch or QONNX gave.
        codec: of the build.
        integer_results: int64, what ``integer.onnx`` gives: accumulators (frames, classes) or labels (frames, 1).

    Raises:
        LowerError: the integer model and the reference differ; the first frame is named.
    """
    inputs = codec.quantize(golden.inputs)
    if codec.labels:
        labels = golden.logits.argmax(axis=1)[:, None]
        _agree(labels, integer_results, "label")
        return Expectation(inputs, labels, integer_results[:, 0])
    accumulators, distance = codec.encode(golden.logits)
    if distance > ENCODE_TOLERANCE:
        raise LowerError(
            "reference logits",
            f"{distance:.2g} steps away from any that this network can give",
            f"at most {ENCODE_TOLERANCE}",
            "build again: the golden vectors belong to another model",
        )
    _agree(accumulators, integer_results, "accumulators")
    return Expectation(inputs, codec.raw(accumulators), codec.decode(integer_results).argmax(axis=1))


def simulate_golden(folders: Folders, settings: SimulateSettings, progress: Progress) -> SimulationReport:
    """Simulate the design on the golden vectors; writes simulation.json and accuracy.json.

    Raises:
        InputModelError: design or golden vectors are missing.
        LowerError: the integer model differs from the reference.
        SimulateError: the design differs from the reference, or hangs.
    """
    from xnorflow.simulate.stage import simulate

    Design.load(folders.design)
    golden, expectation = expect_golden(folders, settings.frames, progress)
    report = simulate(folders.build, expectation.inputs, expectation.outputs, settings, progress)
    _write_accuracy(folders, golden, expectation, "mixed" if report.layers_in_cpp else "rtl")
    return report


def simulate_golden_c(folders: Folders, frames: int | None, progress: Progress) -> CSimReport:
    """Run the C++ of an HLS design on the golden vectors; writes csim.json and accuracy.json.

    Raises:
        InputModelError: design or golden vectors are missing.
        LowerError: the integer model differs from the reference.
        SimulateError: the C++ differs from the reference, or does not compile.
    """
    from xnorflow.simulate.csim_stage import simulate_c

    golden, expectation = expect_golden(folders, frames, progress)
    report = simulate_c(folders.build, expectation.inputs, expectation.outputs, progress)
    _write_accuracy(folders, golden, expectation, "cpp")
    return report


def expect_golden(folders: Folders, frames: int | None, progress: Progress) -> tuple[GoldenVectors, Expectation]:
    """Return the first golden vectors and what the accelerator must make of them."""
    from xnorflow.lower.integer_onnx import run_integer

    codec = _load_codec(folders)
    golden = GoldenVectors.load(folders.golden)
    count = min(frames or len(golden.inputs), len(golden.inputs))
    golden = GoldenVectors(golden.inputs[:count], golden.logits[:count], golden.labels[:count])
    results = run_integer(folders.build / "integer.onnx", codec.quantize(golden.inputs), progress)
    return golden, expect(golden, codec, results)


def _load_codec(folders: Folders) -> HostCodec:
    path = folders.build / "host.npz"
    if not path.is_file():
        raise InputModelError(f"build {folders.build}", "host.npz is missing", fix="run `xnorflow build` first")
    return HostCodec.load(path)


def _agree(reference: IntArray, integer: IntArray, what: str) -> None:
    differing = np.flatnonzero((reference != integer).any(axis=1))
    if len(differing):
        frame = int(differing[0])
        raise LowerError(
            f"integer.onnx, frame {frame}",
            f"{what} {integer[frame].tolist()} ({len(differing)} of {len(reference)} frames differ)",
            f"the reference's {reference[frame].tolist()}",
            "build again: the golden vectors belong to another model",
        )


def _write_accuracy(folders: Folders, golden: GoldenVectors, expectation: Expectation, path: str) -> None:
    """Note the share of right classes by path; what the design sent was just shown to be what was expected of it."""
    frames = len(golden.inputs)
    content: dict[str, float | int] = {"frames": frames}
    if len(golden.labels) == frames:
        from_floats = golden.logits.argmax(axis=1)
        content["accuracy_float"] = float(np.mean(from_floats == golden.labels))
        share = float(np.mean(expectation.classes == golden.labels))
        content["accuracy_integer"] = content[f"accuracy_{path}"] = share
    write_json(folders.report / "accuracy.json", content)
