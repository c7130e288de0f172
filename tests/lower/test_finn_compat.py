"""Each point where finn-plus is prepared or patched: what fails without it, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import metadata

import pytest

from xnorflow.artifact.errors import ToolError
from xnorflow.lower import finn_compat


def run(code, **environment):
    """Run Python code without FINN's variables and return the process."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("FINN", "XILINX", "VIVADO"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_pinned_version_is_installed():
    assert metadata.version("finn-plus") == finn_compat.FINN_VERSION


@pytest.mark.parametrize("found", ["2.0.0", None])
def test_another_version_is_refused(found, monkeypatch):
    def version(name):
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(finn_compat.metadata, "version", version)
    with pytest.raises(ToolError, match=rf"finn-plus: version {found or 'none'}; allowed: 1.6.1; run `make install`"):
        finn_compat._check_version()


def test_without_settings_finn_has_no_build_folder():
    code = "from finn.util.basic import make_build_dir; make_build_dir('x')"
    stock = run(code)
    assert stock.returncode != 0 and "Error" in stock.stderr
    ours = run(f"from xnorflow.lower.finn_compat import prepare_finn; prepare_finn(); {code}")
    assert ours.returncode == 0, ours.stderr


@pytest.mark.full
def test_without_a_stand_in_for_the_vendor_simulator_the_steps_cannot_be_imported():
    code = "import finn.builder.build_dataflow_steps"
    settings = "from finn.util.settings import initialize_dummy_settings; initialize_dummy_settings()"
    stock = run(f"{settings}; {code}", FINN_BUILD_DIR="/tmp")
    assert stock.returncode != 0 and "XILINX_VIVADO" in stock.stderr
    ours = run(f"from xnorflow.lower.finn_compat import prepare_finn; prepare_finn(); {code}")
    assert ours.returncode == 0, ours.stderr


def test_without_registration_own_operators_are_unknown():
    code = """
from onnx import helper
from qonnx.custom_op.registry import getCustomOp
domain = "finn.custom_op.fpgadataflow.rtl"
node = helper.make_node("XnorMVAU_rtl", ["x", "w"], ["y"], domain=domain, backend="fpgadataflow")
getCustomOp(node)
"""
    settings = "from finn.util.settings import initialize_dummy_settings; initialize_dummy_settings()"
    stock = run(settings + code, FINN_BUILD_DIR="/tmp")
    assert stock.returncode != 0 and "KeyError" in stock.stderr
    ours = run("from xnorflow.lower.finn_compat import prepare_finn; prepare_finn()" + code)
    assert ours.returncode == 0, ours.stderr


def test_scratch_folder_goes_with_the_process():
    code = (
        "import os; from xnorflow.lower.finn_compat import prepare_finn; prepare_finn(); "
        "path = os.environ['FINN_BUILD_DIR']; assert os.path.isdir(path); print('folder', path)"
    )
    process = run(code)
    assert process.returncode == 0, process.stderr
    folder = next(line.split()[1] for line in process.stdout.splitlines() if line.startswith("folder"))
    assert not os.path.exists(folder)  # noqa: PTH110


def test_generated_code_goes_where_it_is_told(tmp_path):
    from finn.util.basic import make_build_dir

    before = os.environ["FINN_BUILD_DIR"]
    with finn_compat.build_directory(tmp_path):
        assert str(make_build_dir("inside_")).startswith(str(tmp_path))
    assert os.environ["FINN_BUILD_DIR"] == before
    with pytest.raises(RuntimeError), finn_compat.build_directory(tmp_path):
        raise RuntimeError
    assert os.environ["FINN_BUILD_DIR"] == before
    assert not str(make_build_dir("outside_")).startswith(str(tmp_path))


def test_configuration_names_part_and_clock_and_asks_for_no_vendor_output(tmp_path):
    config = finn_compat.dataflow_config(tmp_path, "xc7z020clg400-1", 5.0)
    assert config.fpga_part == "xc7z020clg400-1" and config.synth_clk_period_ns == 5.0
    assert [output.value for output in config.generate_outputs] == ["estimate_reports"]


def test_without_its_folders_in_the_environment_finns_tcl_stops():
    code = """
import os, sys, tempfile
from pathlib import Path
from xnorflow.lower.finn_compat import prepare_finn, vendor_build
prepare_finn()
names = ("FINN_RTLLIB", "FINN_CUSTOM_HLS", "NUM_DEFAULT_WORKERS", "XILINX_LOCAL_USER_DATA")
assert os.environ.get("FINN_RTLLIB") is None and os.environ.get("FINN_CUSTOM_HLS") is None
before = {name: os.environ.get(name) for name in names}
with tempfile.TemporaryDirectory() as folder:
    with vendor_build(Path(folder), 3) as deps:
        from finn.util.basic import make_build_dir
        from qonnx.util.basic import get_num_default_workers
        assert (Path(os.environ["FINN_RTLLIB"]) / "sim/hdl/sim_ctrl.v").is_file()
        assert Path(os.environ["FINN_CUSTOM_HLS"]).is_dir() and get_num_default_workers() == 3
        assert os.environ["XILINX_LOCAL_USER_DATA"] == "no"
        assert Path(make_build_dir("x")).parent == Path(folder) and deps == Path("/some/deps")
assert {name: os.environ.get(name) for name in names} == before
print("ok")
"""
    done = run(code, FINN_DEPS="/some/deps")
    assert done.stdout.endswith("ok\n"), done.stderr


def test_without_it_finn_puts_fifos_beside_ours():
    from finn.transformation.fpgadataflow.insert_fifo import InsertFIFO
    from onnx import TensorProto, helper
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.util.basic import qonnx_make_model

    finn_compat.prepare_finn()
    kinds = {"domain": "finn.custom_op.fpgadataflow.rtl", "backend": "fpgadataflow", "dataType": "UINT8"}
    shapes = {"folded_shape": [1, 4, 1], "normal_shape": [1, 4], "depth": 16}
    nodes = [
        helper.make_node("BoundedFIFO_rtl", [a], [b], name=b, inFIFODepths=[16], outFIFODepths=[16], **kinds, **shapes)
        for a, b in (("x", "y"), ("y", "z"))
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xz"]
    middle = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], value_info=middle)

    def inserted(model):
        return [node.op_type for node in model.transform(InsertFIFO()).graph.node if node.op_type == "StreamingFIFO"]

    model = ModelWrapper(qonnx_make_model(graph))
    assert inserted(ModelWrapper(qonnx_make_model(graph)))
    finn_compat.keep_own_fifos(model)
    assert not inserted(model)


def test_finns_configuration_of_a_bitstream(tmp_path):
    config = finn_compat.bitstream_config(tmp_path, "KV260", 5.0)
    assert (config.board, config.synth_clk_period_ns, config.output_dir) == ("KV260_SOM", 5.0, str(tmp_path))
    assert config._resolve_fpga_part() == "xck26-sfvc784-2LV-c" and not config.enable_instrumentation
