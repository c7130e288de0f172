"""What the host does around the accelerator: quantize its input, decode its output. Exact, numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # the numpy of older boards has no numpy.typing
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float32]
    IntArray = npt.NDArray[np.int64]

__all__ = ["HostCodec"]


@dataclass(frozen=True)
class HostCodec:
    """Float tensors of the network on one side, integers of the accelerator on the other.

    The input side is a staircase: element ``x`` becomes the number of ``thresholds`` at or below it, mapped to the
    levels of ``datatype`` (BIPOLAR: -1, +1; ``INT<n>``/``UINT<n>``: counting up from the smallest one). The output side
    is one table per class: row ``a - acc_min`` holds the float32 logit that the network gives for accumulator ``a``.

    Args:
        input_shape: shape of one frame as the network takes it, without the batch.
        datatype: QONNX datatype of the accelerator's input.
        thresholds: float32 (levels - 1,), ascending.
        levels: int64 (levels,), ascending by ``step``.
        step: accumulators are ``step * raw + offset``, where ``raw`` is what the accelerator sends.
        offset: see ``step``.
        acc_min: accumulator of the tables' first row.
        logits: float32 (rows, classes); row ``i`` belongs to accumulator ``acc_min + step * i``. Empty (0, 0) where the
            accelerator sends labels.
        labels: whether the accelerator sends one label a frame instead of raw accumulators.
        order: int64 (elements,): where in a flattened frame each element is that travels (maps travel pixel by pixel);
            None where they travel as they are.
    """

    input_shape: tuple[int, ...]
    datatype: str
    thresholds: FloatArray
    levels: IntArray
    step: int
    offset: int
    acc_min: int
    logits: FloatArray
    labels: bool
    order: IntArray | None = None

    def quantize(self, images: FloatArray) -> IntArray:
        """Turn frames (frames, *input_shape) of float32 into integers (frames, elements) as they travel."""
        flat = np.asarray(images, np.float32).reshape(len(images), -1)
        if self.order is not None:
            flat = flat[:, self.order]
        return self.levels[np.searchsorted(self.thresholds, flat, side="right")]

    def accumulators(self, raw: IntArray) -> IntArray:
        """Turn what the accelerator sends (frames, classes) into accumulators: sums of weight times input."""
        return raw if self.labels else self.step * raw + self.offset

    def raw(self, results: IntArray) -> IntArray:
        """Return what the accelerator sends for accumulators or labels: the inverse of :meth:`accumulators`."""
        return results if self.labels else (results - self.offset) // self.step

    def decode(self, accumulators: IntArray) -> FloatArray:
        """Return the float32 logits (frames, classes) of accumulators."""
        rows = (accumulators - self.acc_min) // self.step
        return np.take_along_axis(self.logits, rows, axis=0)

    def encode(self, logits: FloatArray) -> tuple[IntArray, float]:
        """Recover accumulators from float logits, for networks whose float sums are rounded.

        Returns:
            int64 (frames, classes), and the largest distance of a logit from its table entry as a share of the distance
            between two entries; anything but a small number means that these logits are not this network's.
        """
        result = np.empty(logits.shape, np.int64)
        worst = 0.0
        for column in range(logits.shape[1]):
            table = self.logits[:, column].astype(np.float64)
            order = np.argsort(table, kind="stable")
            sorted_table, value = table[order], logits[:, column].astype(np.float64)
            middles = (sorted_table[1:] + sorted_table[:-1]) / 2
            rank = np.searchsorted(middles, value)
            spacing = float(np.min(np.diff(sorted_table))) if len(table) > 1 else 1.0
            distance = float(np.max(np.abs(sorted_table[rank] - value), initial=0.0))
            worst = max(worst, distance / spacing if spacing > 0 else np.inf)
            result[:, column] = self.acc_min + self.step * order[rank]
        return result, worst

    def save(self, path: Path) -> None:
        """Write all fields to an .npz file."""
        np.savez_compressed(
            path,
            input_shape=np.asarray(self.input_shape, np.int64),
            datatype=np.asarray(self.datatype),
            thresholds=self.thresholds,
            levels=self.levels,
            scalars=np.asarray([self.step, self.offset, self.acc_min, int(self.labels)], np.int64),
            logits=self.logits,
            order=np.zeros(0, np.int64) if self.order is None else self.order,
        )

    @classmethod
    def load(cls, path: Path) -> HostCodec:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as content:
            step, offset, acc_min, labels = (int(value) for value in content["scalars"])
            return cls(
                input_shape=tuple(int(size) for size in content["input_shape"]),
                datatype=str(content["datatype"]),
                thresholds=content["thresholds"],
                levels=content["levels"],
                step=step,
                offset=offset,
                acc_min=acc_min,
                logits=content["logits"],
                labels=bool(labels),
                order=content["order"] if content["order"].size else None,
            )
