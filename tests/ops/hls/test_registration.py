"""HLS backends as FINN sees them: registered, chosen, and refused where they do not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hls_units import Unit

from xnorflow.artifact.errors import GenerateError
from xnorflow.lower.finn_compat import prepare_finn

prepare_finn()

from finn.custom_op.fpgadataflow.hls import custom_op as hls  # noqa: E402
from finn.custom_op.fpgadataflow.hlsbackend import HLSBackend  # noqa: E402
from finn.custom_op.fpgadataflow.rtl import custom_op as rtl  # noqa: E402
from finn.util.fpgadataflow import is_hls_node  # noqa: E402

OWN = [name for name, kind in rtl.items() if kind.__module__.startswith("xnorflow.")]


@pytest.mark.parametrize("name", sorted(set(OWN) - {"BoundedFIFO_rtl"}))
def test_every_operator_has_an_hls_backend_beside_its_rtl(name):
    backend = hls[name.replace("_rtl", "_hls")]
    assert issubclass(backend, HLSBackend) and backend.__module__.startswith("xnorflow.ops.hls")


def unit(kind: str, attributes: dict, datatype: str = "INT4", elements: int = 12, inputs: int = 1) -> Unit:
    names = ["x", "z"][:inputs]
    frames = {name: np.zeros((1, 1, elements), np.float32) for name in names}
    return Unit("unit0", kind, frames, dict.fromkeys(names, datatype), [1, elements], attributes)


ADDED = dict(NumChannels=12, PE=4, numInputVectors=[1], inputDataType="BIPOLAR", otherDataType="BIPOLAR",
             outputDataType="INT5")  # fmt: skip
MAPS = dict(IFMDim=[4, 4], IFMChannels=12, ConvKernelDim=[2, 2], inputDataType="INT4", SIMD=4, parallel_window=1)
REFUSED = [
    ("LabelSelect", dict(Labels=12, PE=5, K=1, inputDataType="INT4", outputDataType="UINT4", numInputVectors=[1]),
     1, "node unit0: K=1, PE=5 for 12 labels"),
    ("ChannelRepeat", dict(NumChannels=12, PE=4, numInputVectors=[1], inputDataType="INT4", outputDataType="INT4",
                           Times=1), 1, "node unit0: Times=1, OutputPixels="),
    ("StreamAdd", ADDED, 2, "node unit0: values of BIPOLAR; allowed: INT<n>, UINT<n> or BINARY"),
    ("SlidingWindow", MAPS, 1, "node unit0: parallel_window with SIMD=4"),
    ("SlidingWindow", MAPS | dict(SIMD=12, M=3), 1, "node unit0: M=3; allowed: M=1, one pixel at a time, in HLS"),
    ("BinaryWeightMVAU", dict(MW=12, MH=3, SIMD=4, PE=3, inputDataType="INT4", weightDataType="BIPOLAR",
                              outputDataType="INT8", noActivation=1, resType="dsp"), 1,
     "node unit0: resType=dsp; allowed: resType auto or lut in HLS"),
    ("StreamGate", ADDED | dict(inputDataType="INT4", otherDataType="INT4", codeDataType="UINT4"), 2,
     "node unit0: codes of UINT4, MaxShift=1"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "attributes", "inputs", "message"), REFUSED, ids=[f"{row[0]}{place}" for place, row in enumerate(REFUSED)]
)
def test_what_has_no_hls_form_is_refused_by_name(tmp_path, kind, attributes, inputs, message):
    attributes = {key: value for key, value in attributes.items() if kind != "StreamGate" or key != "otherDataType"}
    one = unit(kind, attributes, inputs=inputs)
    assert is_hls_node(one.model.graph.node[0])
    with pytest.raises(GenerateError) as caught:
        one.operator.write_code(one.model, tmp_path)
    assert str(caught.value).startswith(message)


def test_c_simulation_by_finn_itself_is_refused_by_name():
    one = unit("StreamFork", dict(NumChannels=12, PE=4, numInputVectors=[1], inputDataType="INT4",
                                  outputDataType="INT4"))  # fmt: skip
    with pytest.raises(GenerateError, match="node unit0: exec_mode cppsim; allowed: C simulation by xnorflow"):
        one.operator.code_generation_cppsim(one.model)
