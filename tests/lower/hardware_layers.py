"""Hardware layers as nodes, one behind the other, without any weights."""

from __future__ import annotations

from types import SimpleNamespace

from onnx import helper

DOMAIN = "finn.custom_op.fpgadataflow"


def layers_of(*nodes):
    """Return a model stand-in with the nodes one behind the other."""
    for position, node in enumerate(nodes):
        node.input[0], node.output[0] = f"stream{position}", f"stream{position + 1}"
    return SimpleNamespace(graph=SimpleNamespace(node=list(nodes)))


def xnor(mw, mh, source="BINARY", vectors=(1,)):
    kind = "XnorMVAU" if source == "BINARY" else "BinaryWeightMVAU"
    return helper.make_node(
        kind, ["x", "w", "t"], ["y"], domain=DOMAIN, backend="fpgadataflow", MW=mw, MH=mh, SIMD=1, PE=1, ActVal=0,
        inputDataType=source, weightDataType="BIPOLAR", outputDataType="BINARY", noActivation=0, name=f"{mw}_{mh}",
        binaryXnorMode=int(source == "BINARY"), numInputVectors=list(vectors),
    )  # fmt: skip


def over_maps(kind, name, channels, size=(10, 10), kernel=(3, 3), stride=(1, 1)):
    return helper.make_node(
        kind, ["x"], ["y"], name=name, domain=DOMAIN, backend="fpgadataflow", IFMDim=list(size), IFMChannels=channels,
        ConvKernelDim=list(kernel), Stride=list(stride), inputDataType="BINARY",
    )  # fmt: skip


def convolution():
    """A convolution of 12 channels to 20, its pool, and one layer of 5 neurons."""
    return layers_of(
        over_maps("SlidingWindow", "conv0_swg", 12), xnor(108, 20, vectors=(1, 8, 8)),
        over_maps("WindowPool", "pool0", 20, (8, 8), (2, 2), (2, 2)), xnor(320, 5),
    )  # fmt: skip
