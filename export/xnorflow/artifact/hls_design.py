"""Description of a design in C++ for HLS (``build/hls_design.json``): what generate writes and C simulation reads."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.files import write_json
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
        content = asdict(self)
        content["input"], content["output"] = self.input.to_json(), self.output.to_json()
        write_json(path, content)

    @classmethod
    def load(cls, path: Path) -> HlsDesign:
        """Read what :meth:`save` wrote.

        Raises:
            InputModelError: the file is missing or not a description of an HLS design.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            content["sources"], content["nodes"] = tuple(content["sources"]), tuple(content["nodes"])
            content["input"] = StreamSpec.from_json(content["input"])
            content["output"] = StreamSpec.from_json(content["output"])
            return cls(**content)
        except (OSError, ValueError, KeyError, TypeError) as reason:
            raise InputModelError(
                f"design {path}", "missing or not a description of an HLS design",
                f"the {HLS_DESIGN_FILE} that `xnorflow build --backend hls` writes", "build first",
            ) from reason  # fmt: skip
