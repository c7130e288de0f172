"""How fast integer.onnx runs: batch sizes and numbers of threads are tried, all results compared."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import LowerError
from xnorflow.bench.clock import busy_percent, clock_label
from xnorflow.bench.networks import export_network
from xnorflow.bench.row import Bench, Measure, Measurement

if TYPE_CHECKING:
    from xnorflow.lower.integer_network import IntegerNetwork

__all__ = ["integer_row", "time_integer"]

CHECKED_FRAMES = 16
REPEATS = 3
"""The fastest of so many counts: what else the machine does only ever adds time."""


def integer_row(name: str, frames: int, batches: Sequence[int], threads: Sequence[int]) -> Measure:
    """Return what measures the images a second of a network's integer.onnx, by its best batch size and threads.

    Args:
        name: of a network of the zoo.
        frames: images of each try.
        batches: sizes to try.
        threads: numbers of onnxruntime's threads to try.
    """

    def measure(bench: Bench) -> Measurement:
        from xnorflow.lower.config import OutputKind
        from xnorflow.lower.extract_integers import extract_integers
        from xnorflow.lower.import_model import import_model
        from xnorflow.lower.integer_onnx import write_integer_onnx

        model, path = bench.work / "model.onnx", bench.work / "integer.onnx"
        busy = busy_percent()
        export_network(name, model)
        extraction = extract_integers(import_model(model), OutputKind.AUTO)
        write_integer_onnx(extraction.network, path)
        inputs = np.random.default_rng(1).choice(
            extraction.codec.levels, (frames, extraction.network.first.elements)
        )  # fmt: skip
        _check(path, extraction.network, inputs[:CHECKED_FRAMES])
        tries = []
        with bench.progress.task(f"integer.onnx of {name}", len(batches) * len(threads)) as advance:
            for count in threads:
                for batch in batches:
                    tries.append(time_integer(path, inputs, batch, count))
                    advance(1, f"{tries[-1]['images_a_second']:,} images/s")
        best = max(tries, key=lambda entry: entry["images_a_second"])
        text = f"onnxruntime, batches of {best['batch']:,}, {_threads(best['threads'])}, {clock_label(busy)}"
        details = {"network": name, "frames": frames, **_tools(), "busy_percent_before": busy, "tries": tries}
        return Measurement(best["images_a_second"], "images/s", text, details)

    return measure


def time_integer(path: Path, inputs: npt.NDArray[np.int64], batch: int, threads: int) -> dict[str, Any]:
    """Run all frames, from integers to integers as ``run_integer`` does, and return what that took.

    The session is made, and has run once, before the clock starts.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run() -> None:
        for start in range(0, len(inputs), batch):
            (result,) = session.run(None, {"x": inputs[start : start + batch].astype(np.float32)})
            np.rint(result).astype(np.int64)

    session.run(None, {"x": inputs[:batch].astype(np.float32)})
    seconds = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return {
        "batch": batch, "threads": threads, "images_a_second": round(len(inputs) / min(seconds)),
        "seconds": [round(value, 4) for value in seconds],
    }  # fmt: skip


def _check(path: Path, network: IntegerNetwork, inputs: npt.NDArray[np.int64]) -> None:
    from xnorflow.lower.integer_onnx import run_integer

    found, expected = run_integer(path, inputs, threads=1), network.results(inputs)
    if not np.array_equal(found, expected):
        frame = int(np.nonzero((found != expected).any(axis=1))[0][0])
        raise LowerError("integer.onnx", f"frame {frame} differs from the integer network", "equality")


def _tools() -> dict[str, str]:
    import onnxruntime

    return {"onnxruntime": onnxruntime.__version__}


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"
