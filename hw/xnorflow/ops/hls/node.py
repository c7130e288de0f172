"""What all HLS backends share: a header with one frame's function, its constants, and an IP for FINN's HLSSynthIP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from finn.custom_op.fpgadataflow.hlsbackend import HLSBackend

from xnorflow.artifact.errors import GenerateError
from xnorflow.ops.hls.code import Call, ConstantArray, HlsPort, copy_library
from xnorflow.render.templates import banner, load_template

__all__ = ["HlsNode", "render_synthesis"]

_TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
_USUAL_WIDEST = 1024
"""Bits of the widest integer that AMD's headers take unless told of more."""
_DIRECTIVES = ("config_compile -pipeline_style flp", "config_rtl -module_auto_prefix")


def render_synthesis(top: str, source: str, folder: Path, part: str, clock_ns: float, directives: list[str]) -> str:
    """Return the Tcl that has Vitis HLS make an IP.

    Args:
        top: name of the function.
        source: file that defines it, in ``folder``.
        folder: of all sources.
        part: FPGA part.
        clock_ns: clock period.
        directives: further lines.
    """
    return load_template(_TEMPLATES / "hls_syn.tcl.j2").render(
        banner=banner(), top=top, source=source, folder=folder, part=part, clock_ns=clock_ns,
        directives=[*_DIRECTIVES, *directives],
    )  # fmt: skip


class HlsNode(HLSBackend):
    """What all HLS backends of xnorflow share; comes before the abstract operator in the bases.

    A subclass gives the ``calls`` of the HLS library that a frame goes through in series, and their ``arrays``.
    """

    def calls(self, model: Any) -> list[Call]:
        """Return the functions that a frame goes through."""
        raise NotImplementedError

    def arrays(self, model: Any) -> list[ConstantArray]:
        """Return the constants that the calls name."""
        return []

    def functions(self, model: Any) -> tuple[str, ...]:
        """Return the functions of ``<node>.hpp`` that a frame goes through in series; all of them are in the last."""
        count, name = len(self.calls(model)), self.onnx_node.name
        return (f"{name}_frame",) if count == 1 else tuple(f"{name}_part{index}" for index in range(count))

    def purpose(self) -> str:
        """Return a sentence for the head of the generated header."""
        return f"{self.onnx_node.op_type.removesuffix('_hls')}, {self.get_exp_cycles()} cycles where II is 1."

    def ports(self, model: Any) -> list[HlsPort]:
        """Return the streams in and out, in this order."""
        node, ports = self.onnx_node, []
        streams = [name for name in node.input if model.get_initializer(name) is None]
        for index in range(len(streams)):
            shape, kind = self.get_folded_input_shape(index), self.get_input_datatype(index).name
            ports.append(HlsPort(f"in{index}_V", int(self.get_instream_width(index)), _beats(shape, kind)))
        for index in range(len(node.output)):
            shape, kind = self.get_folded_output_shape(index), self.get_output_datatype(index).name
            ports.append(HlsPort(f"out{index}_V", int(self.get_outstream_width(index)), _beats(shape, kind)))
        return ports

    def widest(self, model: Any) -> int:
        """Return the widest integer of the code, at least what AMD's headers take anyway."""
        widths = [port.bits for port in self.ports(model)]
        widths += [call.out_bits for call in self.calls(model)]
        return max(_USUAL_WIDEST, *widths)

    def write_code(self, model: Any, folder: Path) -> list[str]:
        """Write ``<node>.hpp`` and, where there are constants, ``params_<node>.hpp``; return their names.

        Raises:
            GenerateError: the node has no HLS form, computes several pixels at a time, or multiplies.
        """
        if "M" in self.get_nodeattr_types() and self.get_nodeattr("M") > 1:
            raise GenerateError(
                f"node {self.onnx_node.name}", f"M={self.get_nodeattr('M')}", "M=1, one pixel at a time, in HLS",
                "correct the folding, or build with --backend rtl",
            )  # fmt: skip
        if self.onnx_node.op_type == "BinaryWeightMVAU_hls" and self.get_nodeattr("resType") == "dsp":
            raise GenerateError(
                f"node {self.onnx_node.name}", "resType=dsp", "resType auto or lut in HLS",
                "correct the folding, or build with --backend rtl",
            )  # fmt: skip
        name, calls, arrays, ports = self.onnx_node.name, self.calls(model), self.arrays(model), self.ports(model)
        sources = [port for port in ports if port.name.startswith("in")]
        sinks = [port for port in ports if port.name.startswith("out")]
        between = [[HlsPort(f"stage{index}", call.out_bits, "")] for index, call in enumerate(calls[:-1])]
        streams = [[*before, *after] for before, after in zip([sources, *between], [*between, sinks], strict=True)]
        text = load_template(_TEMPLATES / "node.hpp.j2").render(
            banner=banner(), name=name, purpose=self.purpose(), ports=ports, calls=calls, arrays=arrays,
            headers=list(dict.fromkeys(call.header for call in calls)), streams=streams,
            functions=self.functions(model),
        )  # fmt: skip
        (folder / f"{name}.hpp").write_text(text, encoding="utf-8")
        if not arrays:
            return [f"{name}.hpp"]
        text = load_template(_TEMPLATES / "params.hpp.j2").render(banner=banner(), name=name, arrays=arrays)
        (folder / f"params_{name}.hpp").write_text(text, encoding="utf-8")
        return [f"params_{name}.hpp", f"{name}.hpp"]

    def execute_node(self, context: Any, graph: Any) -> None:
        """Run as the abstract operator's Python model, or as FINN's RTL of an IP where ``exec_mode`` says so."""
        if self.get_nodeattr("exec_mode") == "rtlsim":
            super().execute_node(context, graph)
        else:
            super(HLSBackend, self).execute_node(context, graph)

    def code_generation_ipgen(self, model: Any, fpgapart: str, clk: float) -> None:
        """Write sources, library and Tcl into the node's code folder (called by FINN's PrepareIP).

        The folder is all that Vitis HLS needs; finn-hlslib is not.
        """
        folder = Path(self.get_nodeattr("code_gen_dir_ipgen"))
        self.generate_params(model, str(folder))
        self.write_ip(model, folder, folder, fpgapart, clk)

    def write_ip(self, model: Any, folder: Path, named: Path, part: str, clock_ns: float) -> list[str]:
        """Write the function that becomes an IP and its Tcl; return the function's file.

        Args:
            model: the graph.
            folder: where to.
            named: that folder as the Tcl names it.
            part: FPGA part.
            clock_ns: clock period.
        """
        name = self.onnx_node.name
        text = load_template(_TEMPLATES / "top_node.cpp.j2").render(
            banner=banner(), name=name, ports=self.ports(model), widest=self.widest(model)
        )
        (folder / f"top_{name}.cpp").write_text(text, encoding="utf-8")
        tcl = render_synthesis(name, f"top_{name}.cpp", named, part, clock_ns, self.ipgen_extra_directives())
        (folder / f"hls_syn_{name}.tcl").write_text(tcl, encoding="utf-8")
        return [f"top_{name}.cpp"]

    def generate_params(self, model: Any, path: str) -> None:
        """Write the node's headers and copies of the library's into a folder."""
        self.write_code(model, Path(path))
        copy_library(Path(path))

    def code_generation_cppsim(self, model: Any) -> None:
        """Refuse: FINN's own C simulation needs Vitis and finn-hlslib.

        Raises:
            GenerateError: always.
        """
        raise GenerateError(
            f"node {self.onnx_node.name}", "exec_mode cppsim",
            "C simulation by xnorflow.simulate.csim, which needs no vendor tool", "leave exec_mode empty",
        )  # fmt: skip

    def global_includes(self) -> None:
        """Give FINN's templates the header of the node."""
        self.code_gen_dict["$GLOBALS$"] = [f'#include "{self.onnx_node.name}.hpp"']

    def defines(self, var: str) -> None:
        """Give FINN's templates no macros."""
        self.code_gen_dict["$DEFINES$"] = []

    def docompute(self) -> None:
        """Give FINN's templates the call of a frame."""
        self.code_gen_dict["$DOCOMPUTE$"] = [f"{self.onnx_node.name}_frame(in0_V, out0_V);"]

    def blackboxfunction(self) -> None:
        """Give FINN's templates the head of the function."""
        bits = self.get_instream_width(), self.get_outstream_width()
        streams = ", ".join(
            f"hls::stream<ap_uint<{width}> >& {name}" for width, name in zip(bits, ("in0_V", "out0_V"), strict=True)
        )
        self.code_gen_dict["$BLACKBOXFUNCTION$"] = [f"void {self.onnx_node.name}({streams})"]


def _beats(shape: tuple[int, ...], kind: str) -> str:
    count = 1
    for size in shape[:-1]:
        count *= int(size)
    return f"{count} beats of {shape[-1]} x {kind} a frame"
