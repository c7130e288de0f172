"""What the tests of lowering share."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # qonnx_files, variants, brevitas_files

from finn_graphs import PART

from xnorflow.lower.config import BuildSettings
from xnorflow.lower.finn_compat import dataflow_config, prepare_finn
from xnorflow.lower.folding import set_folding
from xnorflow.lower.steps import STEPS, StepContext
from xnorflow.lower.to_finn import to_finn_graph


@pytest.fixture(scope="session", autouse=True)
def finn():
    prepare_finn()


@pytest.fixture(scope="session")
def raw_logits():
    """Execute a file by qonnx's own transformations and executor, without any of ours."""

    def run(path, inputs, logits):
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.core.onnx_exec import execute_onnx
        from qonnx.transformation.fold_constants import FoldConstants
        from qonnx.transformation.general import RemoveStaticGraphInputs
        from qonnx.transformation.infer_shapes import InferShapes

        model = onnx.load(str(path))
        # qonnx folds with the version of the first entry, whatever its domain.
        imports = sorted(model.opset_import, key=lambda entry: entry.domain)
        del model.opset_import[:]
        model.opset_import.extend(imports)
        for tensor in model.graph.input:
            if tensor.type.tensor_type.elem_type == onnx.TensorProto.UINT8:
                inputs = inputs.astype(np.uint8)
        model = ModelWrapper(model).transform(RemoveStaticGraphInputs()).transform(InferShapes())
        model = model.transform(FoldConstants(exclude_op_types=[]))
        name = model.graph.input[0].name
        rows = [execute_onnx(model, {name: frame[None]}, return_full_exec_context=True)[logits] for frame in inputs]
        return np.concatenate([np.asarray(row, np.float32).reshape(1, -1) for row in rows])

    return run


@pytest.fixture
def build(tmp_path):
    """Lower a file in a folder of its own; the report's content is ``build.report``."""
    from xnorflow.artifact.progress import SilentProgress
    from xnorflow.lower.config import BuildSettings
    from xnorflow.lower.stage import lower

    def run(path, golden=None, **settings):
        folder = tmp_path / f"build_{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        settings = BuildSettings(**{"target_cycles": 16, **settings})
        run.folder = folder
        lowered = lower(path, folder, settings, golden, SilentProgress())
        run.report = json.loads((folder / "report" / "lowering.json").read_text())
        return lowered

    return run


@pytest.fixture(scope="session")
def network_of():
    """Return the integer network of an ONNX file, and the extraction it is part of, without FINN's steps."""

    def run(path, output="auto"):
        from xnorflow.lower.config import OutputKind
        from xnorflow.lower.extract_integers import extract_integers
        from xnorflow.lower.import_model import import_model

        return extract_integers(import_model(path), OutputKind(output))

    return run


@pytest.fixture
def folded(tmp_path, network_of):
    """Return a function from a chain to its graph before a step, without FIFOs if nothing else is said."""

    def run(chain, cycles, folding=None, before="step_set_fifo_depths"):
        network = network_of(chain.save(tmp_path / "model.onnx")).network
        finn = dataflow_config(tmp_path, PART, 10.0)
        context = StepContext(BuildSettings(target_cycles=cycles), PART, 10.0, tmp_path, finn, network)
        graph = to_finn_graph(network)
        for step in STEPS:
            if step.name == before:
                break
            if step.name == "step_insert_dwc" and folding:
                set_folding(graph, folding)
            with contextlib.redirect_stdout(io.StringIO()):
                graph = step.run(graph, context)
        return graph

    return run
