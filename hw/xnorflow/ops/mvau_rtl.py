"""What the matrix-vector units share: memories in fold order, the instance of ``xnorflow_mvau``, and their cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.mvau_cost import MvauShape
from xnorflow.ops.output_buffer import OutputBuffer
from xnorflow.ops.wrapper import Instance, Port, render_wrapper

__all__ = ["CONTROL_MODULES", "MvauRtl", "fold_starts", "fold_weights", "hex_words", "signed_bits"]

IntArray = npt.NDArray[np.int64]
BitArray = npt.NDArray[np.uint8]
CONTROL_MODULES = (
    "xnorflow_fifo", "xnorflow_credit_fifo", "xnorflow_fold_steps", "xnorflow_fold_pipeline", "xnorflow_start_values",
)  # fmt: skip
"""Library modules of every unit, dependencies first."""


def signed_bits(low: int, high: int) -> int:
    """Return the two's complement width that holds ``low`` and ``high``."""
    return max((-low - 1).bit_length() if low < 0 else 0, high.bit_length() if high > 0 else 0) + 1


def hex_words(bits: BitArray) -> str:
    """Return memory text for ``$readmemh``, one word a line.

    Args:
        bits: 0/1 (words, width), least significant bit first.
    """
    width = bits.shape[1]
    digits = -(-width // 4)
    packed = np.packbits(bits, axis=1, bitorder="little")
    return "".join(f"{int.from_bytes(word.tobytes(), 'little'):0{digits}x}\n" for word in packed)


def fold_weights(weights: npt.NDArray[np.bool_] | IntArray, pe: int, simd: int, bits: int = 1) -> BitArray:
    """Order weights as the unit reads them.

    Args:
        weights: (MW, MH), True where the weight is +1; with ``bits`` > 1 the weights themselves.
        pe: neurons a cycle.
        simd: inputs a cycle.
        bits: of a weight.

    Returns:
        0/1 (NF * SF, PE * SIMD * bits): word ``nf * SF + sf``, bits ``(p * SIMD + s) * bits`` and up are the weight of
        input ``sf * SIMD + s`` for neuron ``nf * PE + p``.
    """
    mw, mh = weights.shape
    folded = weights.T.reshape(mh // pe, pe, mw // simd, simd).transpose(0, 2, 1, 3)
    planes = folded if bits == 1 else (folded[..., None] >> np.arange(bits)) & 1
    return np.ascontiguousarray(planes.reshape(-1, pe * simd * bits), np.uint8)


def fold_starts(starts: IntArray, pe: int, width: int) -> BitArray:
    """Order accumulator start values as the unit reads them.

    Args:
        starts: (MH,), each within ``width`` signed bits.
        pe: neurons a cycle.
        width: bits of the accumulator.

    Returns:
        0/1 (NF, PE * width), lane ``p`` of word ``nf`` is neuron ``nf * PE + p``.
    """
    planes = (starts[:, None] >> np.arange(width)) & 1
    return planes.reshape(-1, pe * width).astype(np.uint8)


class MvauRtl(OutputBuffer):
    """RTL backend on ``xnorflow_mvau``; a subclass says what the accumulators start from."""

    library_modules = (
        *CONTROL_MODULES,
        "xnorflow_sum_tree",
        "xnorflow_xnor_popcount",
        "xnorflow_sign_sum",
        "xnorflow_product_sum",
        "xnorflow_mvau",
    )

    @property
    def thresholded(self) -> bool:
        """Whether a neuron's result is the sign of its sum."""
        return not self.get_nodeattr("noActivation")

    @property
    def lane_bits(self) -> int:
        """Bits of a neuron's result."""
        return 1 if self.thresholded else int(self.get_output_datatype().bitwidth())

    def positive_weights(self, model: Any) -> npt.NDArray[np.bool_]:
        """Return (MW, MH), True where the weight is +1 (stored as 1 in BINARY and in BIPOLAR tensors)."""
        return np.asarray(model.get_initializer(self.onnx_node.input[1])) > 0

    def stored_weights(self, model: Any) -> npt.NDArray[np.bool_] | IntArray:
        """Return (MW, MH) what the weight memory holds, as :func:`fold_weights` takes it."""
        return self.positive_weights(model)

    def weight_bits(self) -> int:
        """Return the bits of a weight in memory."""
        return 1

    def thresholds(self, model: Any) -> IntArray | None:
        """Return (MH,) thresholds on what FINN's node accumulates, or None without activation."""
        if not self.thresholded:
            return None
        values = np.asarray(model.get_initializer(self.onnx_node.input[2]))
        if values.ndim != 2 or values.shape[1] != 1 or (values != np.rint(values)).any():
            raise GenerateError(
                f"node {self.onnx_node.name}", f"thresholds of shape {values.shape}", "one integer threshold a neuron",
                "train with 1-bit activations",
            )  # fmt: skip
        column = np.rint(values[:, 0]).astype(np.int64)
        return np.broadcast_to(column, (self.get_nodeattr("MH"),)) if len(column) == 1 else column

    def start_values(self, model: Any) -> IntArray:
        """Return (MH,) what each neuron's accumulator starts from."""
        raise NotImplementedError

    def accumulator_bits(self) -> int:
        """Return the width that every final accumulator fits in, start value included."""
        raise NotImplementedError

    def write_sources(self, model: Any, folder: Path) -> str:
        """Write the two memories and return the wrapper's text."""
        name, shape = self.get_verilog_top_module_name(), self.shape()
        mw, mh, simd, pe = shape.mw, shape.mh, shape.simd, shape.pe
        self.check_folding(shape)
        weights, starts = f"{name}_weights.mem", f"{name}_start.mem"
        (folder / weights).write_text(hex_words(fold_weights(self.stored_weights(model), pe, simd, shape.weight_bits)))
        (folder / starts).write_text(hex_words(self.folded_starts(model, shape)))
        parameters: dict[str, bool | int | str] = {
            "Mw": mw, "Mh": mh, "Simd": simd, "Pe": pe,
            "InputWidth": shape.input_bits, "AccWidth": shape.acc_bits,
            "Thresholded": self.thresholded, "OutputWidth": self.lane_bits,
            "WeightFile": weights, "StartFile": starts,
            "WeightStyle": "block" if shape.weights_in_bram else "logic",
        }  # fmt: skip
        if shape.weight_bits > 1:
            parameters["WeightWidth"] = shape.weight_bits
        parameters |= self.output_parameters()
        source, sink = self.ports(shape)
        purpose = f"Matrix-vector unit, {mw} inputs, {mh} neurons, SIMD={simd}, PE={pe}: {shape.cycles} cycles."
        return render_wrapper(name, purpose, source, sink, [Instance("xnorflow_mvau", parameters, pe * self.lane_bits)])

    def ports(self, shape: MvauShape) -> tuple[Port, Port]:
        """Return the streams in and out."""
        kinds = self.get_input_datatype().name, self.get_output_datatype().name
        return (
            Port(self.get_instream_width(), f"{shape.mw // shape.simd} beats of {shape.simd} x {kinds[0]} a frame"),
            Port(self.get_outstream_width(), f"{shape.mh // shape.pe} beats of {shape.pe} x {kinds[1]} a frame"),
        )

    def multiplied(self) -> bool:
        """Return whether DSP multipliers compute it."""
        return False

    def folded_starts(self, model: Any, shape: MvauShape) -> BitArray:
        """Return the words of the memory of start values."""
        return fold_starts(self.start_values(model), shape.pe, shape.acc_bits)

    def check_folding(self, shape: MvauShape) -> None:
        """Refuse a folding that does not divide.

        Raises:
            GenerateError: SIMD does not divide MW, or PE does not divide MH.
        """
        if shape.mw % shape.simd or shape.mh % shape.pe:
            raise GenerateError(
                f"node {self.get_verilog_top_module_name()}",
                f"SIMD={shape.simd}, PE={shape.pe} for MW={shape.mw}, MH={shape.mh}",
                "a SIMD that divides MW and a PE that divides MH", "correct the folding",
            )  # fmt: skip

    def shape(self) -> MvauShape:
        """Return shape and folding, which the cost follows from."""
        mw, mh, simd, pe = (int(self.get_nodeattr(key)) for key in ("MW", "MH", "SIMD", "PE"))
        input_bits = int(self.get_input_datatype().bitwidth())
        style = str(self.get_nodeattr("ram_style"))
        sizes = mw, mh, simd, pe, input_bits, self.accumulator_bits(), self.weight_bits()
        return MvauShape(*sizes, style, self.windows(), self.multiplied(), self.lane_bits)

    def buffer_bits(self) -> int:
        """Return the bits of a result in the output buffer, in front of the width converter of whole windows."""
        return int(self.windows() * int(self.get_nodeattr("PE")) * self.lane_bits)

    def get_exp_cycles(self) -> int:
        """Return SF * NF times the vectors: the steady-state interval, which simulation confirms exactly."""
        return self.shape().cycles * int(np.prod(self.get_nodeattr("numInputVectors"))) // self.windows()

    def bram_estimation(self, fpgapart: str) -> int:
        """Return 18 Kib blocks of the weight memory and of a deep output buffer."""
        return self.shape().bram18 + self.buffer_bram18()

    def lut_estimation(self, fpgapart: str) -> int:
        """Return LUTs, distributed memory included."""
        return self.shape().luts + self.buffer_luts()

    def dsp_estimation(self, fpgapart: str) -> int:
        """Return 0: no multipliers."""
        return 0

    def uram_estimation(self, fpgapart: str) -> int:
        """Return 0."""
        return 0
