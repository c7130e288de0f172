"""Inputs for a third party's model: a file, a data set's test images or seeded noise; what the model makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import ConfigError, DataError
from xnorflow.artifact.files import sha256_of
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import Progress
from xnorflow.flow.config import settings_from_options
from xnorflow.train.config import DataSettings

__all__ = ["RANDOM_FRAMES", "InputSource", "choose_inputs"]

RANDOM_FRAMES = 256

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class InputSource:
    """Where inputs come from.

    Args:
        name: for messages and reports, e.g. ``mnist test set``.
        images: float32 (frames, ...) in any shape of as many elements a frame as the model takes; None for noise.
        pixels: whether images are pixels in [0, 1], to be brought to the range that the model takes.
        labels: int64 (frames,), or empty where none are known.
        frames: how many are taken.
        seed: of the noise.
        identity: what tells these inputs from others, JSON values.
    """

    name: str
    images: FloatArray | None
    labels: IntArray
    frames: int
    seed: int
    identity: dict[str, Any]
    pixels: bool = False

    def shaped(self, shape: tuple[int, ...]) -> FloatArray:
        """Return the inputs as float32 (frames, *shape).

        Raises:
            DataError: a frame has another number of elements than the model takes.
        """
        assert self.images is not None
        elements, wanted = int(np.prod(self.images.shape[1:])), int(np.prod(shape))
        if elements != wanted:
            raise DataError(
                f"inputs {self.name}",
                f"{elements} elements a frame (shape {'x'.join(map(str, self.images.shape[1:]))})",
                f"{wanted} ({'x'.join(map(str, shape))}), as the model's input",
                "give inputs made for this model",
            )
        return self.images[: self.frames].reshape(-1, *shape)

    def execute(self, model: Path, progress: Progress) -> GoldenVectors:
        """Run an ONNX file itself, by QONNX's own operators, on these inputs.

        Raises:
            InputModelError: the file has what cannot be built.
            DataError: the inputs do not fit it.
        """
        from xnorflow.lower.import_model import import_model
        from xnorflow.lower.reference import in_input_range, logits_graph, random_inputs, reference_logits

        tidied = import_model(model)
        shape = tuple(int(size) for size in tidied.get_tensor_shape(tidied.graph.input[0].name))[1:]
        if self.images is None:
            images = random_inputs(tidied, self.frames, self.seed)
        else:
            images = self.shaped(shape)
            images = in_input_range(tidied, images) if self.pixels else images
        return GoldenVectors(
            images, reference_logits(logits_graph(tidied), images, progress), self.labels[: self.frames]
        )


def choose_inputs(
    inputs: Path | None, dataset: str | None, data_root: Path | None, frames: int | None, seed: int
) -> InputSource:
    """Read what the options of ``xnorflow build`` ask for.

    Raises:
        ConfigError: both a file and a data set were named, or no such data set.
        DataError: the file or the data set is unusable.
    """
    if inputs is not None and dataset is not None:
        raise ConfigError("options --inputs and --dataset", "both given", "one of them", "drop one")
    if inputs is not None:
        return _from_file(inputs, frames)
    if dataset is not None:
        return _from_dataset(dataset, data_root, frames)
    count = frames or RANDOM_FRAMES
    identity = {"random": count, "seed": seed}
    return InputSource(f"{count} random images", None, np.empty(0, np.int64), count, seed, identity)


def _from_dataset(dataset: str, data_root: Path | None, frames: int | None) -> InputSource:
    from xnorflow.train.data import load_data

    settings = settings_from_options(
        DataSettings, [(("dataset",), "--dataset", dataset), (("root",), "--data-root", data_root)]
    )
    splits = load_data(settings)
    count = min(frames or len(splits.test_images), len(splits.test_images))
    identity = {"dataset": settings.model_dump(mode="json"), "frames": count}
    return InputSource(
        f"{settings.dataset} test set", splits.test_images, splits.test_labels, count, 0, identity, pixels=True
    )


def _from_file(path: Path, frames: int | None) -> InputSource:
    images, labels = _read_arrays(path)
    if images.ndim < 2 or not len(images) or images.dtype.kind not in "fiub":
        raise DataError(
            f"inputs {path}",
            f"{images.dtype} of shape {images.shape}",
            "numbers of shape (frames, ...)",
            "mend the file",
        )
    if not np.isfinite(images).all():
        raise DataError(f"inputs {path}", "NaN or infinite values", "finite numbers", "mend the file")
    count = min(frames or len(images), len(images))
    identity = {"file": sha256_of(path), "frames": count}
    return InputSource(str(path), images.astype(np.float32), labels.astype(np.int64), count, 0, identity)


def _read_arrays(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    allowed = ".npy of float inputs (frames, ...), or .npz with `inputs` and, if known, `labels`"
    if not path.is_file():
        raise DataError(f"inputs {path}", "no such file", allowed, "check the path")
    empty = np.empty(0, np.int64)
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return content, empty
        with content:
            return content["inputs"], content.get("labels", empty)
    except (OSError, ValueError, KeyError, EOFError) as reason:
        raise DataError(f"inputs {path}", "unreadable", allowed, "mend the file") from reason
