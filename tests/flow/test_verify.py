"""Planted faults, each found at the right node."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from verified import FRAMES, built, check, edit, padded_network, residual_network, saved

from xnorflow.artifact.errors import InputModelError, LowerError, SimulateError
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.flow.folders import Folders
from xnorflow.flow.verify import SAVED


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A build of a padded convolutional network whose layers have several folds, and its integers."""
    folder = tmp_path_factory.mktemp("sound")
    return folder / "net", built(padded_network(), folder / "net").network


@pytest.fixture
def build(sound, tmp_path):
    shutil.copytree(sound[0], tmp_path / "net")
    return Folders.of_build(tmp_path / "net")


def test_a_sound_build(build):
    rungs = check(build)
    assert [rung.name for rung in rungs[:3]] == ["golden logits = QONNX", "QONNX = integers", "integers = integer.onnx"]
    assert rungs[-1].name == "last graph = RTL" and rungs[-1].tensors > 8
    assert {"integers = step_streamline", "integers = step_set_fifo_depths"} <= {rung.name for rung in rungs}
    assert all(rung.frames == FRAMES for rung in rungs)
    assert not (build.report / SAVED).exists()


def test_a_residual_build_and_the_command_in_a_process_of_its_own(tmp_path):
    """Saved graphs hold operators of our own, which nothing else has registered there."""
    built(residual_network(), tmp_path / "net")
    assert check(Folders.of_build(tmp_path / "net"))[-1].tensors > 10
    command = [sys.executable, "-c", "import sys; from xnorflow.flow.cli import main; sys.exit(main())", "verify"]
    done = subprocess.run([*command, str(tmp_path / "net"), "--frames", "2"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"last graph = RTL +\d+ tensors on 2 frames", done.stdout)


def test_a_flipped_weight(build):
    def flip(text):
        return f"{int(text[0], 16) ^ 1:x}" + text[1:]

    edit(build.build / "rtl" / "conv1_mvau_weights.mem", flip)
    with pytest.raises(SimulateError, match=r"RTL, node conv1_mvau \(XnorMVAU_rtl\), frame \d+, element \d+: "):
        check(build)
    expected, found = saved(build)
    assert expected.shape == found.shape == (FRAMES, 150) and (expected != found).any()


def test_a_threshold_off_by_one(build, sound):
    """One that a count of these frames just reaches."""
    network = sound[1]
    layer = network.products[0]
    values = GoldenVectors.load(build.golden).inputs
    counts = layer.accumulate(np.where(values.transpose(0, 2, 3, 1) >= 0, 1, -1).reshape(FRAMES, -1))
    channel = int(np.nonzero((counts == layer.thresholds).any(axis=(0, 1, 2)))[0][0])
    text = (build.build / "rtl" / "conv0_mvau.sv").read_text()
    pe, width = (int(re.search(rf"\.{key}\((\d+)\)", text)[1]) for key in ("Pe", "AccWidth"))
    path = build.build / "rtl" / "conv0_mvau_start.mem"
    words = path.read_text().split()
    word, lane = int(words[channel // pe], 16), channel % pe
    start = (word >> (lane * width)) & (2**width - 1)
    word += (((start - 1) % 2**width) - start) << (lane * width)
    words[channel // pe] = f"{word:x}"
    path.write_text("\n".join(words) + "\n")
    with pytest.raises(SimulateError, match=r"RTL, node conv0_mvau \("):
        check(build)
    expected, found = saved(build)
    wrong = np.argwhere(expected != found)
    assert set(wrong[:, 1] % layer.outputs) == {channel}


def test_a_wrong_pad_value(build):
    edit(build.build / "rtl" / "conv1_swg.sv", lambda text: text.replace(".PadValue(1'd0)", ".PadValue(1'd1)"))
    with pytest.raises(SimulateError, match=r"RTL, node conv1_swg \(SlidingWindow_rtl\), frame 0, element 0: 1 \("):
        check(build)


def test_a_swapped_fold_order(build):
    def swap(text):
        lines = text.split()
        return "\n".join([*lines[len(lines) // 2 :], *lines[: len(lines) // 2]]) + "\n"

    path = build.build / "rtl" / "conv1_mvau_weights.mem"
    assert len(path.read_text().split()) > 9  # several neuron folds
    edit(path, swap)
    with pytest.raises(SimulateError, match=r"RTL, node conv1_mvau \("):
        check(build)


def test_a_fifo_that_is_gone(build):
    """Wires that swallow everything: no beat comes out, and the first stream without one is named."""
    name = next(path.stem for path in sorted((build.build / "rtl").glob("*_fifo.sv")))
    edit(
        build.build / "rtl" / f"{name}.sv",
        lambda text: re.sub(r"\.valid_i\(in0_V_TVALID\)", ".valid_i(1'b0 & in0_V_TVALID)", text),
    )
    with pytest.raises(SimulateError, match=rf"RTL, node {name} \(BoundedFIFO_rtl\), frame 0, element 0: no beat"):
        check(build)


def test_a_weight_of_integer_onnx(build):
    path = build.build / "integer.onnx"
    model = onnx.load(str(path))
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "conv1_weights")
    array = numpy_helper.to_array(tensor).copy()
    array[2, 0, 1, 1] *= -1
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(LowerError, match=r"integer\.onnx, operation conv1, frame \d+, element \d+"):
        check(build)
    assert (build.report / SAVED).is_file()


def test_integer_onnx_of_another_network(build):
    path = build.build / "integer.onnx"
    model = onnx.load(str(path))
    for node in model.graph.node:
        node.output[:] = [name.replace("pool0", "other") for name in node.output]
        node.input[:] = [name.replace("pool0", "other") for name in node.input]
    path.write_bytes(model.SerializeToString())
    with pytest.raises(LowerError, match=r"no tensor pool0_out; allowed: that of this network; build again"):
        check(build)


def test_a_threshold_of_a_graph(build):
    from qonnx.core.modelwrapper import ModelWrapper

    path = build.build / "intermediate_models" / "step_minimize_bit_width.onnx"
    model = ModelWrapper(str(path))
    unit = [node for node in model.graph.node if node.op_type == "XnorMVAU"][1]
    thresholds = model.get_initializer(unit.input[2]).copy()
    thresholds[3] += 1
    model.set_initializer(unit.input[2], thresholds)
    model.save(str(path))
    with pytest.raises(LowerError, match=r"step step_minimize_bit_width: tensor .*\[\d+\] is "):
        check(build)


def test_golden_vectors_of_another_network(build):
    golden = GoldenVectors.load(build.golden)
    GoldenVectors(golden.inputs, golden.logits[::-1], golden.labels).save(build.golden)
    with pytest.raises(LowerError, match=r"golden vectors, frame \d+: logits .* by QONNX; .*of different networks"):
        check(build)


def test_nothing_built(tmp_path):
    with pytest.raises(InputModelError, match="nothing built; allowed: a run or build"):
        check(Folders.of_build(tmp_path))
