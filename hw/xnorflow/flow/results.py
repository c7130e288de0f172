"""What the stages of a run left behind, read back for the report. A stage that was not run leaves gaps, not errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.files import sha256_of
from xnorflow.flow.folders import Folders

__all__ = ["VIRTUAL_BOARD", "Results", "load_results"]

VIRTUAL_BOARD = "virtual_board.json"
SYNTHESIS_PREFIX = "yosys_synth_"


@dataclass(frozen=True)
class Results:
    """Contents of the JSON files of a run; empty where a stage is absent.

    Args:
        name: of the run or build.
        metrics: one entry an epoch.
        training: facts of the train stage's manifest.
        accuracy: accuracy.json.
        design: the generated design.
        cycles: estimate_layer_cycles.json, by layer.
        estimates: estimate_layer_resources.json, by layer, with ``total``.
        counts: op_and_param_counts.json, by layer, with ``total``.
        lowering: lowering.json.
        simulation: simulation.json.
        csim: csim.json.
        syntheses: by chip family, yosys_synth_<family>.json.
        routed: ecp5_route.json.
        virtual_board: virtual_board.json, where it is of this design.
        outdated: what was made from an earlier version of what it reads, in words.
    """

    name: str
    metrics: list[dict[str, Any]]
    training: dict[str, Any]
    accuracy: dict[str, Any]
    design: Design | None
    cycles: dict[str, Any]
    estimates: dict[str, Any]
    counts: dict[str, Any]
    lowering: dict[str, Any]
    simulation: dict[str, Any]
    csim: dict[str, Any]
    syntheses: dict[str, dict[str, Any]]
    routed: dict[str, Any]
    virtual_board: dict[str, Any]
    outdated: tuple[str, ...]

    @property
    def synthesis(self) -> dict[str, Any]:
        """The synthesis for the board's own family, or the first there is; empty without any."""
        own = [entry for entry in self.syntheses.values() if self.design and entry.get("board") == self.design.board]
        return next(iter([*own, *self.syntheses.values()]), {})

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """What nodes are there for, to how many they are and their resources in that synthesis."""
        return dict(self.synthesis.get("functions", {}))

    @property
    def layers(self) -> list[str]:
        """Names of the layers in stream order."""
        if self.design is not None:
            return [node.name for node in self.design.nodes]
        return list(self.cycles)


def load_results(folders: Folders) -> Results:
    """Read what there is.

    Raises:
        InputModelError: a file is there but is not JSON, or not of the right form.
    """
    report = folders.report
    names = sorted(report.glob(f"{SYNTHESIS_PREFIX}*.json"))
    training, export = _read(folders.train / "manifest.json"), _read(folders.export / "manifest.json")
    design = Design.load(folders.design) if folders.design.is_file() else None
    return Results(
        name=folders.root.resolve().name,
        metrics=_read_lines(folders.train / "metrics.jsonl"),
        training=training.get("facts", {}),
        accuracy=_read(report / "accuracy.json"),
        design=design,
        cycles=_read(report / "estimate_layer_cycles.json"),
        estimates=_read(report / "estimate_layer_resources.json"),
        counts=_read(report / "op_and_param_counts.json"),
        lowering=_read(report / "lowering.json"),
        simulation=_read(report / "simulation.json"),
        csim=_read(report / "csim.json"),
        syntheses={path.stem.removeprefix(SYNTHESIS_PREFIX): _read(path) for path in names},
        routed=_read(report / "ecp5_route.json"),
        virtual_board=_of_this_design(_read(report / VIRTUAL_BOARD), folders.design),
        outdated=tuple(_outdated(training, export, design)),
    )


def _of_this_design(figures: dict[str, Any], design: Path) -> dict[str, Any]:
    """Return figures where they were measured on the design that is there now, else nothing."""
    return figures if design.is_file() and figures.get("design_sha256") == sha256_of(design) else {}


def _outdated(training: dict[str, Any], export: dict[str, Any], design: Design | None) -> Iterator[str]:
    checkpoint = training.get("files", {}).get("checkpoint.pt")
    exported = export.get("facts", {}).get("checkpoint_sha256")
    if checkpoint and exported and checkpoint != exported:
        yield "the export, and all behind it, is of an earlier training"
    model = export.get("files", {}).get("model.onnx")
    if model and design is not None and model != design.artifact_sha256:
        yield "the build is of an earlier export"


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content = _parse(path, path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise _unreadable(path)
    return content


def _read_lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return [_parse(path, line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _parse(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as reason:
        raise _unreadable(path) from reason


def _unreadable(path: Path) -> InputModelError:
    return InputModelError(
        f"report file {path}", "not JSON of the expected form", fix="run the stage that writes it again"
    )
