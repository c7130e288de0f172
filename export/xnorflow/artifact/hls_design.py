"""Description of a design in C++ for HLS (``build/hls_design.json``): what generate writes and C simulation reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.artifact.design import load_description, save_description
from xnorflow.artifact.streams import StreamSpec

__all__ = ["HLS_DESIGN_FILE", "HlsDesign"]

HLS_DESIGN_FILE = "hls_design.json"


@dataclass(frozen=True)
class HlsDesign:
    """An accelerator as one C++ function of two streams, which computes a frame.

    Args:
        top: name of the function; ``hls/top.hpp`` declares it.
        hls_dir: folder of all sources relative to the build folder; it includes nothing else but AMD's headers.
        sources: names of the files in it that belong to this design, the library excepted.
        widest: bits of the widest integer in it.
        board: board name, e.g. ``Pynq-Z2``.
        part: part string, e.g. ``xc7z020clg400-1``.
        clock_ns: clock period to synthesize for.
        input: stream that takes frames.
        output: stream that gives results.
        nodes: layers in stream order; the function of each is ``<node>_frame`` in ``<node>.hpp``.
        artifact_sha256: hash of the ONNX file that the design was made from.
    """

    top: str
    hls_dir: str
    sources: tuple[str, ...]
    widest: int
    board: str
    part: str
    clock_ns: float
    input: StreamSpec
    output: StreamSpec
    nodes: tuple[str, ...]
    artifact_sha256: str

    def save(self, path: Path) -> None:
        """Write as JSON."""
        save_description(path, self)

    @classmethod
    def load(cls, path: Path) -> HlsDesign:
        """Read what :meth:`save` wrote.

        Raises:
            InputModelError: the file is missing or not a description of an HLS design.
        """
        return load_description(
            path, cls._of_json, "description of an HLS design",
            f"the {HLS_DESIGN_FILE} that `xnorflow build --backend hls` writes", "build first",
        )  # fmt: skip

    @classmethod
    def _of_json(cls, content: dict[str, Any]) -> HlsDesign:
        return cls(**{**content, "sources": tuple(content["sources"]), "nodes": tuple(content["nodes"])})
