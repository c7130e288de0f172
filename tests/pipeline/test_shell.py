"""An accelerator behind its DMA engines, in Verilator: frames from memory, results back, as a processor drives it."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from small_designs import build_design, frames_of

from xnorflow.artifact.memory_frames import MemoryFrame
from xnorflow.artifact.progress import SilentProgress
from xnorflow.artifact.streams import StreamSpec
from xnorflow.generate.shell import IDMA, ODMA, SHELL, shell_sources
from xnorflow.lower.config import BuildSettings, OutputKind
from xnorflow.lower.integer_onnx import run_integer
from xnorflow.ops.block_design import face_name
from xnorflow.simulate.ports import SocPorts
from xnorflow.simulate.soc import SocModel
from xnorflow.simulate.verilator import compile_design, lint_design
from xnorflow.synthesize.yosys import find_yosys

BASE = 0x1000_0000
LOW, FRAMES = 0x10, 0x1C
READ, WRITE = 0, 1


def through_memory(soc, design, values, data_bits):
    """Let the accelerator compute a batch; return the results, and how many cycles it took."""
    source, sink = MemoryFrame(design.input, data_bits), MemoryFrame(design.output, data_bits)
    target = len(soc.memory) // 2
    frames = source.pack(values)
    soc.memory[: frames.size] = frames.ravel()
    for engine, address in ((WRITE, BASE + target), (READ, BASE)):
        soc.write(engine, LOW, address)
        soc.write(engine, FRAMES, len(values))
        soc.write(engine, 0, 1)
    cycles = soc.wait(WRITE, 1_000_000)
    size = len(values) * sink.frame_bytes
    return sink.unpack(soc.memory[target : target + size].reshape(len(values), -1)), cycles


@pytest.mark.parametrize(
    ("output", "data_bits", "address_bits"), zip(list(OutputKind)[1:], (64, 128), (32, 40), strict=True)
)
def test_frames_through_memory(tmp_path, perceptron, output, data_bits, address_bits):
    build, model = tmp_path / "build", perceptron(tmp_path / "net.onnx", (30, 12, 9, 4), input_bits=4, seed=5)
    lowered, design = build_design(model, build, BuildSettings(target_cycles=16, output=output))
    rtl = tmp_path / "shell"
    rtl.mkdir()
    sources = shell_sources(build, design, rtl, data_bits=data_bits, address_bits=address_bits)
    assert lint_design(SHELL, sources) == []
    cells = (IDMA, face_name(design.top), ODMA)
    for cell in cells:
        assert lint_design(cell, sources[:-1]) == []
    yosys = find_yosys(rtl, SilentProgress())
    read = [*yosys.command, "-q", "-p", f"read_verilog {' '.join(f'{name}.v' for name in (*cells, SHELL))}"]  # no -sv
    assert subprocess.run(read, cwd=rtl, capture_output=True, check=False).returncode == 0
    library = compile_design(SHELL, sources, tmp_path / "obj", ports=SocPorts())
    values = frames_of(design, 120)
    expected = lowered.codec.raw(run_integer(build / "integer.onnx", values, threads=1)).reshape(len(values), -1)
    for stall in (0.0, 0.4):
        with SocModel(library, rtl, base=BASE, stall=stall, size=1 << 18) as soc:
            for first, last in ((0, 1), (1, 8), (8, 120)):
                found, cycles = through_memory(soc, design, values[first:last], data_bits)
                np.testing.assert_array_equal(found, expected[first:last])
        if stall == 0:
            source = MemoryFrame(design.input, data_bits)
            pace = max(design.cycles_per_frame, source.frame_bytes // source.piece_bytes)
            assert cycles < 112 * pace + design.latency_cycles + 300


def test_frames_in_memory():
    """784 bits are 98 bytes, as numpy packs them; ten sums of nine bits are two bytes each."""
    bits = MemoryFrame(StreamSpec("in0_V", "BIPOLAR", 1, 784, 49))
    assert (bits.dense, bits.frame_bytes, bits.piece_bytes, bits.widths) == (True, 98, 2, (16, 784, 49))
    values = 2 * np.random.default_rng(1).integers(0, 2, (5, 784)) - 1
    np.testing.assert_array_equal(bits.pack(values), np.packbits(values > 0, axis=1, bitorder="little"))
    np.testing.assert_array_equal(bits.unpack(bits.pack(values)), values)
    sums = MemoryFrame(StreamSpec("out0_V", "INT9", 9, 10, 1))
    assert (sums.dense, sums.frame_bytes, sums.piece_bytes, sums.widths) == (False, 20, 4, (32, 16))
    values = np.random.default_rng(1).integers(-256, 256, (5, 10))
    np.testing.assert_array_equal(sums.unpack(sums.pack(values)), values)
    whole = MemoryFrame(StreamSpec("in0_V", "UINT8", 8, 3072, 3), 128)
    assert (whole.frame_bytes, whole.piece_bytes, whole.widths) == (3072, 16, (128, 384, 24))
