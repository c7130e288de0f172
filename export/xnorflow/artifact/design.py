"""Description of a generated design: what generate writes, simulate and synthesize read (``build/design.json``)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.files import write_json
from xnorflow.artifact.streams import StreamSpec

__all__ = ["Design", "DesignNode"]


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
    """

    name: str
    op_type: str
    sources: tuple[str, ...]
    cycles: int
    info: dict[str, Any]
    takes: tuple[str, ...]
    output_bits: tuple[int, ...]


@dataclass(frozen=True)
class Design:
    """A stitched accelerator.

    Args:
        top: name of the top module; its ports are ``ap_clk``, ``ap_rst_n`` (synchronous, active low) and two streams.
        sources: all RTL files relative to the build folder, dependencies first, each once.
        rtl_dir: folder relative to the build folder from which ``$readmemh`` paths are resolved.
        board: board name, e.g. ``Pynq-Z2``.
        part: part string, e.g. ``xc7z020clg400-1``.
        clock_ns: assumed clock period.
        cycles_per_frame: predicted steady-state interval between frames.
        latency_cycles: predicted clock edges from the first frame's first beat in to its last beat out.
        input: port that takes frames.
        output: port that gives results.
        nodes: instances in stream order.
        artifact_sha256: hash of the ONNX file that the design was made from.
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

    def save(self, path: Path) -> None:
        """Write as JSON."""
        content = asdict(self)
        content["input"], content["output"] = self.input.to_json(), self.output.to_json()
        write_json(path, content)

    @classmethod
    def load(cls, path: Path) -> Design:
        """Read what :meth:`save` wrote.

        Raises:
            InputModelError: the file is missing or not a design description.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            content["sources"] = tuple(content["sources"])
            content["input"] = StreamSpec.from_json(content["input"])
            content["output"] = StreamSpec.from_json(content["output"])
            content["nodes"] = tuple(_node(node) for node in content["nodes"])
            return cls(**content)
        except (OSError, ValueError, KeyError, TypeError) as reason:
            raise InputModelError(
                f"design {path}",
                "missing or not a design description",
                "the design.json that `xnorflow build` writes",
                "run `xnorflow build` first",
            ) from reason


def _node(content: dict[str, Any]) -> DesignNode:
    return DesignNode(**{**content, **{key: tuple(content[key]) for key in ("sources", "takes", "output_bits")}})
