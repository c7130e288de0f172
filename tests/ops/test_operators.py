"""Own operators as FINN sees them: registered, with the right widths, cycles and errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.errors import GenerateError
from xnorflow.lower.finn_compat import prepare_finn

prepare_finn()

from finn.custom_op.fpgadataflow import custom_op as abstract  # noqa: E402
from finn.custom_op.fpgadataflow.rtl import custom_op as rtl  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402
from qonnx.core.datatype import DataType  # noqa: E402
from qonnx.core.modelwrapper import ModelWrapper  # noqa: E402
from qonnx.custom_op.registry import getCustomOp  # noqa: E402
from qonnx.util.basic import qonnx_make_model  # noqa: E402

RTL_DOMAIN = "finn.custom_op.fpgadataflow.rtl"


def mvau(kind="XnorMVAU_rtl", mw=144, mh=4, simd=16, pe=2, thresholds=None, source="BINARY", domain=RTL_DOMAIN):
    """Return a model of one unit and its operator."""
    silent = thresholds is None
    node = helper.make_node(
        kind, ["x", "W"] + ([] if silent else ["T"]), ["y"], name="fc0_mvau", domain=domain, backend="fpgadataflow",
        MW=mw, MH=mh, SIMD=simd, PE=pe, inputDataType=source, noActivation=int(silent), numInputVectors=[1],
        weightDataType="BINARY" if source == "BINARY" else "BIPOLAR", outputDataType="UINT32" if silent else "BINARY",
        binaryXnorMode=int(source == "BINARY"), ActVal=0,
    )  # fmt: skip
    shapes = {"x": [1, mw], "y": [1, mh]}
    infos = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()}
    model = ModelWrapper(qonnx_make_model(helper.make_graph([node], "unit", [infos["x"]], [infos["y"]])))
    bits = np.random.default_rng(0).integers(0, 2, (mw, mh)).astype(np.float32)
    model.set_initializer("W", bits if source == "BINARY" else 2 * bits - 1)
    if not silent:
        model.set_initializer("T", np.asarray(thresholds, np.float32)[:, None])
    model.set_tensor_datatype("x", DataType[source])
    return model, getCustomOp(model.graph.node[0])


@pytest.mark.parametrize(
    "name", ["XnorMVAU", "BinaryWeightMVAU", "FewBitMVAU", "StreamGate", "BoundedFIFO", "WidthConverter"]
)
def test_own_operators_are_registered_with_their_rtl(name):
    assert name in abstract
    assert f"{name}_rtl" in rtl


def test_label_select_of_finn_has_our_rtl():
    assert rtl["LabelSelect_rtl"].__module__ == "xnorflow.ops.label_select"


@pytest.mark.parametrize(("mw", "bits"), [(1, 2), (64, 7), (126, 7), (127, 8), (144, 8), (255, 9), (784, 10)])
def test_popcount_accumulator_holds_a_threshold_that_never_fires(mw, bits):
    model, operator = mvau(mw=mw, simd=1, thresholds=[mw + 1] * 4)
    datatype = operator.minimize_accumulator_width(model)
    assert datatype.name == f"UINT{bits}"
    assert datatype.allowed(mw + 1)


def test_popcount_output_without_thresholds_holds_the_largest_count():
    model, operator = mvau(mw=64)
    assert operator.minimize_accumulator_width(model).name == "UINT7"
    assert operator.get_nodeattr("outputDataType") == "UINT7"


def test_weights_keep_one_bit():
    model, operator = mvau("BinaryWeightMVAU_rtl", source="INT8", thresholds=[0] * 4)
    assert operator.minimize_weight_bit_width(model).name == "BIPOLAR"


def test_signed_accumulator_holds_every_sum_and_never():
    model, operator = mvau("BinaryWeightMVAU_rtl", mw=784, source="INT8", thresholds=[0] * 4)
    datatype = operator.minimize_accumulator_width(model)
    assert datatype.min() <= -784 * 128 and datatype.max() >= 784 * 128 + 1


@pytest.mark.parametrize("source", ["BINARY", "INT8"])
def test_exact_python_execution_of_extreme_thresholds(source):
    kind = "XnorMVAU_rtl" if source == "BINARY" else "BinaryWeightMVAU_rtl"
    low, high = (0, 145) if source == "BINARY" else (-144 * 128, 144 * 128 + 1)
    model, operator = mvau(kind, thresholds=[low, high, low, high], source=source)
    operator.minimize_accumulator_width(model)
    x = np.random.default_rng(1).integers(0, 2, (1, 144)).astype(np.float32)
    context = {"x": x, "W": model.get_initializer("W"), "T": model.get_initializer("T"), "y": np.zeros((1, 4))}
    operator.execute_node(context, model.graph)
    assert context["y"].tolist() == [[1, 0, 1, 0]]


def test_cycles_are_the_folds():
    _, operator = mvau(mw=144, mh=4, simd=16, pe=2)
    assert operator.get_exp_cycles() == 9 * 2


def test_folding_that_does_not_divide_is_refused(tmp_path):
    model, operator = mvau(simd=7)
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    with pytest.raises(GenerateError, match="node fc0_mvau: SIMD=7, PE=2 for MW=144, MH=4; allowed: a SIMD"):
        operator.generate_hdl(model, "xc7z020clg400-1", 10.0)


@pytest.mark.parametrize(("simd", "pixels", "together"), [(16, 6, 4), (16, 6, 0), (1, 6, 2), (16, 1, 2)])
def test_pixels_that_cannot_be_together_are_refused(tmp_path, simd, pixels, together):
    model, operator = mvau(simd=simd)
    operator.set_nodeattr("numInputVectors", [1, 1, pixels])
    operator.set_nodeattr("M", together)
    message = rf"fc0_mvau: M={together} with SIMD={simd}; allowed: 1, or .* at least 2 a divisor of the {pixels} output"
    with pytest.raises(GenerateError, match=message):
        operator.write_sources(model, tmp_path)


def test_thresholds_that_are_not_integers_are_refused(tmp_path):
    model, operator = mvau(thresholds=[0.5, 1, 2, 3])
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    with pytest.raises(GenerateError, match=r"fc0_mvau: thresholds of shape \(4, 1\); allowed: one integer"):
        operator.generate_hdl(model, "xc7z020clg400-1", 10.0)


def test_files_are_listed_dependencies_first_and_vivado_gets_them_all(tmp_path):
    model, operator = mvau(thresholds=[1, 2, 3, 4])
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    operator.generate_hdl(model, "xc7z020clg400-1", 10.0)
    files = operator.get_rtl_file_list(abspath=True)
    assert all(Path(file).is_file() for file in files)
    names = operator.get_rtl_file_list()
    assert names[-1] == "fc0_mvau.sv" and names.index("xnorflow_fifo.sv") < names.index("xnorflow_xnor_unit.sv")
    commands = operator.code_generation_ipi()
    face = tmp_path / "fc0_mvau_cell.v"
    assert [command.split() for command in commands[:-1]] == [
        ["add_files", "-norecurse", f] for f in [*files, str(face)]
    ]
    assert commands[-1] == "create_bd_cell -type module -reference fc0_mvau_cell fc0_mvau"
    assert "  fc0_mvau i_node (" in face.read_text()


def test_a_second_call_for_vivado_changes_no_file(tmp_path):
    """FINN calls for a stitched IP of the accelerator, and once more for the one that goes on the board."""
    model, operator = mvau(thresholds=[1, 2, 3, 4])
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    operator.generate_hdl(model, "xc7z020clg400-1", 10.0)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    operator.code_generation_ipi()
    once = {path.name: path.read_text() for path in tmp_path.iterdir()}
    operator.code_generation_ipi()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == once
    assert '"fc0_mvau_start.mem"' in before["fc0_mvau.sv"] and f'"{tmp_path}/fc0_mvau_start.mem"' in once["fc0_mvau.sv"]
    assert {name: once[name] for name in before if name.endswith(".mem")} == {
        name: text for name, text in before.items() if name.endswith(".mem")
    }


def label_select(labels=10, pe=3, k=1):
    node = helper.make_node(
        "LabelSelect_rtl", ["x"], ["y"], name="label_argmax", domain=RTL_DOMAIN, backend="fpgadataflow",
        Labels=labels, PE=pe, K=k, inputDataType="UINT7", numInputVectors=[1],
    )  # fmt: skip
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, s]) for n, s in (("x", labels), ("y", k))]
    model = ModelWrapper(qonnx_make_model(helper.make_graph([node], "unit", infos[:1], infos[1:])))
    return model, getCustomOp(model.graph.node[0])


@pytest.mark.parametrize(("pe", "k"), [(3, 1), (5, 2)])
def test_label_select_says_what_it_can(tmp_path, pe, k):
    model, operator = label_select(pe=pe, k=k)
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    with pytest.raises(GenerateError, match=f"node label_argmax: K={k}, PE={pe} for 10 labels; allowed: K=1 and"):
        operator.generate_hdl(model, "xc7z020clg400-1", 10.0)


@pytest.mark.parametrize(("source", "sink", "widths"), [(4, 16, [4, 16]), (12, 8, [12, 24, 8]), (9, 3, [9, 3])])
def test_width_converter_goes_through_the_common_multiple(source, sink, widths):
    node = helper.make_node(
        "WidthConverter_rtl", ["x"], ["y"], name="fc1_dwc", domain=RTL_DOMAIN, backend="fpgadataflow",
        inShape=[1, 144], outShape=[1, 144], inWidth=source, outWidth=sink, dataType="BINARY",
    )  # fmt: skip
    operator = getCustomOp(node)
    assert operator.widths() == widths
    assert operator.get_exp_cycles() == 144 // min(source, sink)


@pytest.mark.parametrize(("simd", "padding"), [(2, 0), (4, 1)])
def test_whole_windows_need_all_channels_and_no_padding(tmp_path, simd, padding):
    size = 4 + 2 * padding
    node = helper.make_node(
        "SlidingWindow_rtl", ["x"], ["y"], name="conv0_swg", domain=RTL_DOMAIN, backend="fpgadataflow", IFMDim=[6, 6],
        IFMChannels=4, ConvKernelDim=[3, 3], Stride=[1, 1], Padding=[padding] * 4, inputDataType="BINARY", SIMD=simd,
        parallel_window=1,
    )  # fmt: skip
    shapes = {"x": [1, 6, 6, 4], "y": [1, size, size, 36]}
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    model = ModelWrapper(qonnx_make_model(helper.make_graph([node], "unit", infos[:1], infos[1:])))
    operator = getCustomOp(model.graph.node[0])
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    with pytest.raises(
        GenerateError, match=rf"conv0_swg: parallel_window with SIMD={simd}, .*allowed: SIMD=4, windows"
    ):
        operator.generate_hdl(model, "xc7z020clg400-1", 10.0)


@pytest.mark.parametrize(("parallel", "together"), [(1, 3), (1, 0), (0, 2)])
def test_windows_together_divide_a_row_and_are_whole(tmp_path, parallel, together):
    node = helper.make_node(
        "SlidingWindow_rtl", ["x"], ["y"], name="conv0_swg", domain=RTL_DOMAIN, backend="fpgadataflow", IFMDim=[6, 6],
        IFMChannels=4, ConvKernelDim=[3, 3], inputDataType="BINARY", SIMD=4, parallel_window=parallel,
    )  # fmt: skip
    infos = [helper.make_tensor_value_info(*one) for one in (("x", 1, [1, 6, 6, 4]), ("y", 1, [1, 4, 4, 36]))]
    model = ModelWrapper(qonnx_make_model(helper.make_graph([node], "unit", infos[:1], infos[1:])))
    operator = getCustomOp(model.graph.node[0])
    operator.set_nodeattr("code_gen_dir_ipgen", str(tmp_path))
    operator.set_nodeattr("M", together)
    message = (
        rf"conv0_swg: M={together} with parallel_window={parallel}; allowed: 1, or with .* a divisor of the 4 windows"
    )
    with pytest.raises(GenerateError, match=message):
        operator.write_sources(model, tmp_path)
