"""Networks in C++, and with some of their layers in C++, equal to QONNX and integer.onnx."""

from __future__ import annotations

import numpy as np
import pytest
from ladder_c import build_of, climb_in_c, climb_mixed
from network_files import write_network
from random_cases import KINDS

from xnorflow.artifact.progress import SilentProgress
from xnorflow.flow.folders import Folders
from xnorflow.flow.verify import verify
from xnorflow.lower.config import Backend, BuildSettings, OutputKind


def settings_of(case, backend: Backend = Backend.HLS) -> BuildSettings:
    return BuildSettings(
        board="ZCU104", target_cycles=case.target_cycles, output=OutputKind(case.output), backend=backend
    )


@pytest.mark.parametrize(("input_bits", "output"), [(1, OutputKind.LOGITS), (8, OutputKind.LABELS)])
def test_perceptrons_are_equal_in_c(tmp_path, perceptron, input_bits, output):
    model = perceptron(tmp_path / "net.onnx", (48, 20, 15, 7), input_bits, seed=3)
    settings = BuildSettings(target_cycles=20, output=output, backend=Backend.HLS)
    built = build_of(model, tmp_path, settings, 5)
    assert len(np.unique(built.expected)) > 1
    climb_in_c(built)
    kinds = {node.op_type for node in built.lowered.model.graph.node}
    assert {kind for kind in kinds if not kind.endswith("_hls")} <= {"BoundedFIFO_rtl"}


@pytest.mark.parametrize(
    ("kind", "seed"), [("maps", 3), ("residual", 2), pytest.param("branches", 8, marks=[pytest.mark.full])]
)
def test_random_networks_are_equal_in_c(tmp_path, kind, seed):
    case = KINDS[kind](seed)
    built = build_of(write_network(case.network, tmp_path / "net.onnx"), tmp_path, settings_of(case), seed)
    assert len(np.unique(built.expected)) > 1
    climb_in_c(built)


@pytest.mark.full
def test_a_network_that_always_gives_the_same_is_equal_inside(tmp_path):
    """Its output alone would show nothing: the tensors of all its layers are compared."""
    case = KINDS["residual"](34)
    built = build_of(write_network(case.network, tmp_path / "net.onnx"), tmp_path, settings_of(case), 34)
    assert len(np.unique(built.expected)) == 1
    climb_in_c(built)
    rung = verify(Folders.of_build(built.build), 8, SilentProgress())[-1]
    assert (rung.name, rung.frames) == ("last graph = C++", 8) and rung.tensors > 8


@pytest.mark.full
@pytest.mark.parametrize(("kind", "seed", "share"), [
    ("maps", 7, 1.0), ("residual", 2, 0.5), ("residual", 28, 1.0), ("together", 3, 0.3), ("branches", 17, 0.7),
    ("branches", 20, 1.0), ("branches", 4, 0.5), ("branches", 11, 1.0),
])  # fmt: skip
def test_random_networks_are_equal_in_rtl_and_c_together(tmp_path, kind, seed, share):
    case = KINDS[kind](seed)
    model = write_network(case.network, tmp_path / "net.onnx")
    climb_mixed(build_of(model, tmp_path, settings_of(case, Backend.RTL), seed, share), seed)
