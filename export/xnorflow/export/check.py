"""Comparison of logits, exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import ExportError

__all__ = ["check_equal"]


def check_equal(expected: npt.NDArray[Any], found: npt.NDArray[Any]) -> None:
    """Compare what torch gave with what QONNX execution gave, on logits, without tolerance.

    Args:
        expected: (frames, classes) from torch.
        found: the same from the exported file.

    Raises:
        ExportError: a logit differs, or the shapes do; names the first frame and class.
    """
    if expected.shape != found.shape:
        raise ExportError("model.onnx", f"logits of shape {found.shape}", f"{expected.shape} as torch gives")
    wrong = expected != found  # NaN differs from everything: never equal
    if wrong.any():
        frame, label = (int(index) for index in np.argwhere(wrong)[0])
        raise ExportError(
            f"model.onnx, frame {frame}, class {label}",
            f"QONNX gives {found[frame, label]!r}, and {int(wrong.any(axis=1).sum())} of {len(wrong)} frames differ",
            f"{expected[frame, label]!r} as torch gives",
            "report this network: its export changes its function",
        )
