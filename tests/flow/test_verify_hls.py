"""Planted faults in C++, each found at the right node: whole designs in C++, and layers among others in RTL."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from verified import FRAMES, built, check, edit, padded_network, residual_network, saved

from xnorflow.artifact.errors import SimulateError
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.progress import SilentProgress
from xnorflow.flow.folders import Folders
from xnorflow.lower.config import Backend
from xnorflow.simulate.config import SimulateSettings
from xnorflow.simulate.stage import simulate


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A build in C++ of the network whose RTL test_verify.py takes, and its integers."""
    folder = tmp_path_factory.mktemp("sound")
    return folder / "net", built(padded_network(), folder / "net", Backend.HLS).network


@pytest.fixture
def build(sound, tmp_path):
    shutil.copytree(sound[0], tmp_path / "net")
    return Folders.of_build(tmp_path / "net")


def header(folders: Folders, name: str) -> Path:
    return folders.build / "hls" / f"{name}.hpp"


def flip_first_weight(text: str) -> str:
    return re.sub(r"(weights\S+ = [{\s]*0x)([0-9a-f]+)", lambda word: f"{word[1]}{int(word[2], 16) ^ 1:x}", text)


def test_a_sound_build(build):
    rungs = check(build)
    assert rungs[-1].name == "last graph = C++" and rungs[-1].tensors > 8 and rungs[-1].frames == FRAMES
    assert {"integers = step_streamline", "integers = step_specialize_layers"} <= {rung.name for rung in rungs}


def test_a_flipped_weight(build):
    edit(header(build, "params_conv1_mvau"), flip_first_weight)
    with pytest.raises(SimulateError, match=r"^C\+\+, node conv1_mvau \(XnorMVAU_hls\), frame \d+, element \d+: "):
        check(build)
    expected, found = saved(build)
    assert expected.shape == found.shape == (FRAMES, 150) and (expected != found).any()


@pytest.mark.full
def test_a_threshold_that_is_off(build, sound):
    """The start value of one neuron: only its channel differs."""
    outputs = sound[1].products[0].outputs
    edit(
        header(build, "params_conv0_mvau"),
        lambda text: re.sub(r"(starts\S+ = [{\s]*)(-?\d+)", lambda one: f"{one[1]}{int(one[2]) + 1}", text),
    )
    with pytest.raises(SimulateError, match=r"^C\+\+, node conv0_mvau \(XnorMVAU_hls\)"):
        check(build)
    expected, found = saved(build)
    assert set(np.argwhere(expected != found)[:, 1] % outputs) == {0}


@pytest.mark.full
def test_a_wrong_pad_value(build):
    """Of the last two numbers of the windows' template: the value, and the beats of the ring."""
    edit(header(build, "conv1_swg"), lambda text: re.sub(r"0, (\d+) >\(", r"1, \1 >(", text))
    with pytest.raises(SimulateError, match=r"^C\+\+, node conv1_swg \(SlidingWindow_hls\), frame 0, element 0: 1 \("):
        check(build)


@pytest.mark.full
def test_a_layer_that_gives_too_few_beats(build):
    """The next one has nothing to read; what is named is the one that gave too little."""
    edit(header(build, "pool0"), lambda text: re.sub(r"(pool<.*?, )(\d+)(, \d+, \d+, \d+ >)", r"\g<1>1\3", text))
    with pytest.raises(SimulateError, match=r"^C\+\+, node pool0 \(WindowPool_hls\), frame 0, element \d+: no beat"):
        check(build)


@pytest.mark.full
def test_layers_in_cpp_among_others_in_rtl(tmp_path):
    """A residual block, its second convolution in C++."""
    names = ("conv1_swg", "conv1_mvau")
    built(residual_network(), tmp_path / "net", in_hls=names)
    folders = Folders.of_build(tmp_path / "net")
    rungs = check(folders)
    assert rungs[-1].name == "last graph = RTL and C++" and rungs[-1].tensors > 10
    edit(header(folders, "params_conv1_mvau"), flip_first_weight)
    with pytest.raises(SimulateError, match=r"^C\+\+, node conv1_mvau \("):
        check(folders)


@pytest.mark.full
def test_a_branch_that_starves_layers_in_cpp(tmp_path):
    """The convolution wants rows before it gives anything; meanwhile the other branch must have room."""
    lowered = built(residual_network(), tmp_path / "net", in_hls=("conv1_swg", "conv1_mvau"))
    values = lowered.codec.quantize(GoldenVectors.load(tmp_path / "net" / "golden.npz").inputs)
    frames = values, lowered.codec.raw(lowered.network.results(values))
    settings = SimulateSettings(stall_probability=0.3)
    assert simulate(tmp_path / "net", *frames, settings, SilentProgress()).mismatches == 0
    fifos = sorted((tmp_path / "net" / "rtl").glob("add0_fifo?.sv"))
    assert len(fifos) == 2
    for fifo in fifos:
        edit(fifo, lambda text: re.sub(r"\.Depth\(\d+\)", ".Depth(2)", text))
    with pytest.raises(SimulateError, match=r"no transfer for \d+ cycles, stuck at cycle"):
        simulate(tmp_path / "net", *frames, settings, SilentProgress())
