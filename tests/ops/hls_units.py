"""Operators with HLS backends as models, run as Python and as the C++ that they generate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from units import in_python, stream
from vitis_rules import violations

from xnorflow.artifact.streams import pack, unpack
from xnorflow.lower.finn_compat import prepare_finn
from xnorflow.simulate.csim import CSimulation, compile_functions
from xnorflow.simulate.csim_nodes import node_function, write_nodes

prepare_finn()

from onnx import TensorProto, helper  # noqa: E402
from qonnx.core.datatype import DataType  # noqa: E402
from qonnx.core.modelwrapper import ModelWrapper  # noqa: E402
from qonnx.custom_op.registry import getCustomOp  # noqa: E402
from qonnx.util.basic import qonnx_make_model  # noqa: E402

import xnorflow.ops  # noqa: E402, F401

DOMAIN = "finn.custom_op.fpgadataflow.hls"


@dataclass
class Unit:
    """A model of one HLS node, with the frames that it is tried on."""

    name: str
    kind: str
    frames: dict[str, np.ndarray]
    datatypes: dict[str, str]
    output: list[int]
    attributes: dict[str, Any]
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    outputs: int = 1
    infer: bool = False

    def __post_init__(self) -> None:
        results = ["y", *(f"y{index}" for index in range(1, self.outputs))]
        node = helper.make_node(
            f"{self.kind}_hls", [*self.frames, *self.constants], results, name=self.name, domain=DOMAIN,
            backend="fpgadataflow", **self.attributes,
        )  # fmt: skip
        infos = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, values.shape[1:])
            for name, values in self.frames.items()
        ]
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, self.output) for name in results]
        self.model = ModelWrapper(qonnx_make_model(helper.make_graph([node], "unit", infos, ends)))
        for name, values in self.constants.items():
            self.model.set_initializer(name, values.astype(np.float32))
        for name, datatype in self.datatypes.items():
            self.model.set_tensor_datatype(name, DataType[datatype])
        self.operator = getCustomOp(self.model.graph.node[0])
        if self.infer:
            self.operator.infer_node_datatype(self.model)

    def expected(self) -> np.ndarray:
        """Return (frames, elements) by numpy."""
        return in_python(self.model, self.operator, self.frames)

    def found(self, simulation: CSimulation) -> list[np.ndarray]:
        """Return (frames, elements) by the C++, for each output."""
        function, operator = node_function(self.model, self.operator), self.operator
        sides = []
        for index, values in enumerate(self.frames.values()):
            spec = stream("in", operator.get_folded_input_shape(index), operator.get_input_datatype(index))
            sides.append(pack(values.reshape(len(values), -1).astype(np.int64), spec))
        spec = stream("out", operator.get_folded_output_shape(), operator.get_output_datatype())
        return [unpack(beats, spec) for beats in simulation.run(function, sides)]


def require_numpy(unit: Unit, simulation: CSimulation) -> None:
    """Require that each output is what numpy says, and not always the same."""
    expected, found = unit.expected(), unit.found(simulation)
    assert len(np.unique(expected)) > 1 and len(found) == unit.outputs
    for one in found:
        np.testing.assert_array_equal(one, expected)


def compiled(units: Iterable[Unit], folder: Path) -> CSimulation:
    """Return all units as one library; any warning of the compiler is an error."""
    units = list(units)
    sources = folder / "hls"
    sources.mkdir()
    widest = max(write_nodes(unit.model, [unit.operator], sources) for unit in units)
    for path in sources.glob("*.hpp"):
        assert violations(path.read_text(encoding="utf-8")) == [], path.name
    functions = [node_function(unit.model, unit.operator) for unit in units]
    return CSimulation(compile_functions(functions, sources, folder / "obj", widest=widest, strict=True))
