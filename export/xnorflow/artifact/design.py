"""Description of a generated design: what generate writes, simulate and synthesize read (``build/design.json``)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.files import write_json
from xnorflow.artifact.streams import StreamSpec

__all__ = ["Design", "DesignNode", "kind_of", "load_description", "save_description"]

T = TypeVar("T")


def kind_of(op_type: str) -> str:
    """Return what a layer computes: its op type without FINN's suffix of a backend."""
    return op_type.removesuffix("_rtl").removesuffix("_hls")


def save_description(path: Path, design: Any) -> None:
    """Write a dataclass with an ``input`` and an ``output`` stream as JSON."""
    content = {**asdict(design), "input": design.input.to_json(), "output": design.output.to_json()}
    write_json(path, content)


def load_description(
    path: Path, build: Callable[[dict[str, Any]], T], what: str = "design description",
    allowed: str = "the design.json that `xnorflow build` writes", fix: str = "run `xnorflow build` first",
) -> T:  # fmt: skip
    """Read what :func:`save_description` wrote.

    Args:
        path: of the JSON.
        build: makes the dataclass of its content, in which the streams are StreamSpecs already.
        what: should be there, for the message.
        allowed: and where it comes from.
        fix: and how to get it.

    Raises:
        InputModelError: the file is missing or not such a description.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return build({**content, **{key: StreamSpec.from_json(content[key]) for key in ("input", "output")}})
    except (OSError, ValueError, KeyError, TypeError) as reason:
        raise InputModelError(f"design {path}", f"missing or not a {what}", allowed, fix) from reason


@dataclass(frozen=True)
class DesignNode:
    """One instance in the stitched top.

    Args:
        name: instance name and module name, e.g. ``fc0_mvau``.
        op_type: FINN op type, e.g. ``XnorMVAU_rtl``.
        sources: RTL files of this node relative to the build folder, dependencies first.
        cycles: predicted cycles per frame in the steady state.
        info: folding and shape for people: MW, MH, PE, SIMD, depth...
        takes: for each stream in, what gives it: ``<node>.out<number>``, or ``in0`` of the top.
        output_bits: width of TDATA of each stream out.
        functions: for a layer in C++, its functions in ``<name>.hpp``, in series; none for RTL.
    """

    name: str
    op_type: str
    sources: tuple[str, ...]
    cycles: int
    info: dict[str, Any]
    takes: tuple[str, ...]
    output_bits: tuple[int, ...]
    functions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Design:
    """A stitched accelerator. Layers may be C++ for HLS: instances of the IPs that Vitis HLS makes of them.

    Args:
        top: name of the top module; its ports are ``ap_clk``, ``ap_rst_n`` (synchronous, active low) and two streams.
        sources: all RTL files relative to the build folder, dependencies first, each once.
        rtl_dir: folder relative to the build folder from which ``$readmemh`` paths are resolved.
        board: board name, e.g. ``Pynq-Z2``.
        part: part string, e.g. ``xc7z020clg400-1``.
        clock_ns: assumed clock period.
        cycles_per_frame: predicted steady-state interval between frames; with layers in C++, which take cycles that
            are not known, what it would be were they RTL.
        latency_cycles: predicted clock edges from the first frame's first beat in to its last beat out; likewise.
        input: port that takes frames.
        output: port that gives results.
        nodes: instances in stream order.
        artifact_sha256: hash of the ONNX file that the design was made from.
        hls_dir: folder of the C++ of layers, with all that it includes, relative to the build folder; else empty.
        widest: bits of the widest integer in it.
    """

    top: str
    sources: tuple[str, ...]
    rtl_dir: str
    board: str
    part: str
    clock_ns: float
    cycles_per_frame: int
    latency_cycles: int
    input: StreamSpec
    output: StreamSpec
    nodes: tuple[DesignNode, ...]
    artifact_sha256: str
    hls_dir: str = ""
    widest: int = 0

    @property
    def hls_nodes(self) -> tuple[DesignNode, ...]:
        """The layers in C++."""
        return tuple(node for node in self.nodes if node.functions)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        save_description(path, self)

    @classmethod
    def load(cls, path: Path) -> Design:
        """Read what :meth:`save` wrote.

        Raises:
            InputModelError: the file is missing or not a design description.
        """
        return load_description(path, cls._of_json)

    @classmethod
    def load_rtl(cls, path: Path) -> Design:
        """Read what :meth:`save` wrote, all layers of which are RTL.

        Raises:
            InputModelError: the file is missing or not a design description, or layers are C++.
        """
        design = cls.load(path)
        if design.hls_nodes:
            names = ", ".join(node.name for node in design.hls_nodes)
            raise InputModelError(
                f"design {path}", f"C++ for HLS: {names}", "a design all in RTL",
                "run Vitis HLS on hls/hls_syn_<layer>.tcl, or build with --backend rtl",
            )  # fmt: skip
        return design

    @classmethod
    def _of_json(cls, content: dict[str, Any]) -> Design:
        nodes = tuple(_node(node) for node in content["nodes"])
        return cls(**{**content, "sources": tuple(content["sources"]), "nodes": nodes})


def _node(content: dict[str, Any]) -> DesignNode:
    keys = ("sources", "takes", "output_bits", "functions")
    return DesignNode(**{**content, **{key: tuple(content[key]) for key in keys if key in content}})
