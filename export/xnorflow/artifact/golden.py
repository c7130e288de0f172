"""Golden vectors: inputs of the network with the logits that it gave, the reference of every later stage."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.files import replaced

__all__ = ["GoldenVectors"]


@dataclass(frozen=True)
class GoldenVectors:
    """A test set as the network saw it.

    Args:
        inputs: float32 (frames, *input_shape) as the ONNX file takes them.
        logits: float32 (frames, classes) as torch gave them in eval mode.
        labels: int64 (frames,), or empty where none are known.
    """

    inputs: npt.NDArray[np.float32]
    logits: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]

    def save(self, path: Path) -> None:
        """Write a compressed .npz file, whole or not at all."""
        with replaced(path) as partial:
            np.savez_compressed(partial, inputs=self.inputs, logits=self.logits, labels=self.labels)

    @classmethod
    def load(cls, path: Path) -> GoldenVectors:
        """Read what :meth:`save` wrote.

        Raises:
            InputModelError: not such a file, or its arrays disagree in length.
        """
        try:
            with np.load(path, allow_pickle=False) as content:
                golden = cls(content["inputs"], content["logits"], content["labels"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as reason:
            raise InputModelError(
                f"golden vectors {path}", "missing or unreadable", "an .npz with inputs, logits, labels", "export again"
            ) from reason
        if len(golden.inputs) != len(golden.logits):
            raise InputModelError(
                f"golden vectors {path}",
                f"{len(golden.inputs)} inputs but {len(golden.logits)} logits",
                "as many of each",
            )
        return golden
