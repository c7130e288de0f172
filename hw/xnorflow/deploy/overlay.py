"""What lies beside a bitstream and says what it computes: ``accelerator.json``, the host's part and golden frames."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xnorflow.artifact.errors import DeployError
from xnorflow.artifact.files import UNREADABLE, write_json
from xnorflow.artifact.memory_frames import MemoryFrame
from xnorflow.artifact.streams import StreamSpec

if TYPE_CHECKING:  # the numpy of older boards has no numpy.typing
    import numpy.typing as npt

__all__ = ["DESCRIPTION", "GOLDEN", "HOST", "GoldenFrames", "OverlayDescription"]

DESCRIPTION = "accelerator.json"
HOST = "host.npz"
GOLDEN = "golden.npz"
FORMAT = 1


@dataclass(frozen=True)
class GoldenFrames:
    """Images with what the accelerator must send for them.

    Args:
        images: float32 (frames, *input_shape).
        results: int64 (frames, elements of the output), exactly.
    """

    images: npt.NDArray[np.float32]
    results: npt.NDArray[np.int64]

    def save(self, folder: Path) -> None:
        """Write ``golden.npz``."""
        np.savez_compressed(folder / GOLDEN, images=self.images, results=self.results)

    @classmethod
    def load(cls, folder: Path) -> GoldenFrames:
        """Read what :meth:`save` wrote.

        Raises:
            DeployError: it is missing or unreadable.
        """
        try:
            with np.load(folder / GOLDEN, allow_pickle=False) as content:
                return cls(content["images"], content["results"])
        except UNREADABLE as reason:
            raise DeployError(
                f"golden frames {folder / GOLDEN}", "missing or unreadable", "the file that belongs to this folder",
                "deploy the run again",
            ) from reason  # fmt: skip


@dataclass(frozen=True)
class OverlayDescription:
    """An accelerator behind its DMA engines.

    Args:
        name: what it is called; its bitstream is ``<name>.bit``.
        board: that it was made for.
        part: FPGA part.
        clock_ns: assumed clock period.
        cycles_per_frame: steady-state interval.
        latency_cycles: of the first frame.
        data_bits: of a word of memory.
        input: stream that takes frames.
        output: stream that gives results.
        classes: names of the classes, in the order of the labels; numbers where nobody named them.
        artifact_sha256: hash of the ONNX file.
        input_range: smallest and largest value of an image; None where any is taken.
    """

    name: str
    board: str
    part: str
    clock_ns: float
    cycles_per_frame: int
    latency_cycles: int
    data_bits: int
    input: StreamSpec
    output: StreamSpec
    classes: tuple[str, ...]
    artifact_sha256: str
    input_range: tuple[float, float] | None = None

    @property
    def source(self) -> MemoryFrame:
        """How a frame lies in memory."""
        return MemoryFrame(self.input, self.data_bits)

    @property
    def sink(self) -> MemoryFrame:
        """How a result lies in memory."""
        return MemoryFrame(self.output, self.data_bits)

    def save(self, folder: Path) -> None:
        """Write ``accelerator.json``."""
        content = {**asdict(self), "input": self.input.to_json(), "output": self.output.to_json()}
        write_json(folder / DESCRIPTION, {"format": FORMAT, **content})

    @classmethod
    def load(cls, folder: Path) -> OverlayDescription:
        """Read what :meth:`save` wrote.

        Raises:
            DeployError: it is missing, or another format.
        """
        path = folder / DESCRIPTION
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found = content.pop("format")
            if found != FORMAT:
                raise DeployError(f"accelerator {path}", f"format {found}", f"format {FORMAT}", "deploy the run again")
            for side in ("input", "output"):
                content[side] = StreamSpec.from_json(content[side])
            content["classes"] = tuple(content["classes"])
            bounds = content.get("input_range")
            content["input_range"] = bounds and (float(bounds[0]), float(bounds[1]))
            return cls(**content)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as reason:
            raise DeployError(
                f"accelerator {path}", "missing or not a description of one",
                "a folder that `xnorflow deploy` wrote", "give the folder, or the .bit file in it",
            ) from reason  # fmt: skip
