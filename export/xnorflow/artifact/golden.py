"""Golden vectors: inputs of the network with the logits that it gave, the reference of every later stage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.files import UNREADABLE, replaced

if TYPE_CHECKING:  # the numpy of older boards has no numpy.typing
    import numpy.typing as npt

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
        except UNREADABLE as reason:
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
