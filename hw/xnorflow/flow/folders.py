"""Where the stages of a run keep their things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.hls_design import HLS_DESIGN_FILE

__all__ = ["Folders"]


@dataclass(frozen=True)
class Folders:
    """Folders of one run, or of one build of a third party's model.

    Args:
        root: folder that holds the lock, the log and ``stages.json``.
        build: folder of lowering and everything after it; ``root`` itself for a third party's model.
    """

    root: Path
    build: Path

    @classmethod
    def of_run(cls, root: Path) -> Folders:
        """Return the folders of ``runs/<name>``."""
        return cls(root, root / "build")

    @classmethod
    def of_build(cls, build: Path) -> Folders:
        """Return the folders of ``xnorflow build --output build``."""
        return cls(build, build)

    @classmethod
    def find(cls, directory: Path) -> Folders:
        """Return the folders of what ``directory`` is: a run folder, its ``build`` folder, or a build of its own.

        Raises:
            InputModelError: it is none of these.
        """
        if (directory / "build").is_dir() or (directory / "train").is_dir():
            return cls.of_run(directory)
        resolved = directory.resolve()
        if resolved.name == "build" and (resolved.parent / "export").is_dir():
            return cls.of_run(resolved.parent)
        if (directory / "report").is_dir() or (directory / "design.json").is_file():
            return cls.of_build(directory)
        found = "holds no run and no build" if directory.is_dir() else "no such folder"
        raise InputModelError(
            f"folder {directory}",
            found,
            "runs/<name>, or the --output of `xnorflow build`",
            "give one that `xnorflow run` or `xnorflow build` wrote",
        )

    @property
    def train(self) -> Path:
        """Folder of the checkpoint and the training curve."""
        return self.root / "train"

    @property
    def partial(self) -> Path:
        """Folder of what an unfinished training has come to."""
        return self.root / "train.partial"

    @property
    def export(self) -> Path:
        """Folder of the QONNX file and the golden vectors."""
        return self.root / "export"

    @property
    def report(self) -> Path:
        """Folder of the JSON reports and of report.html."""
        return self.build / "report"

    @property
    def design(self) -> Path:
        """Description of the generated design."""
        return self.build / "design.json"

    @property
    def hls_design(self) -> Path:
        """Description of the design in C++, where that is what was generated."""
        return self.build / HLS_DESIGN_FILE

    @property
    def deployed(self) -> Path:
        """What a board's Python takes."""
        return self.root / "deploy"

    @property
    def golden(self) -> Path:
        """Inputs and logits that the design is compared with."""
        exported = self.export / "golden.npz"
        return exported if exported.is_file() else self.build / "golden.npz"

    def load_rtl_design(self) -> Design:
        """Return the design, all layers of which are RTL.

        Raises:
            InputModelError: there is none, or it is C++, whole or in part.
        """
        if self.hls_design.is_file():
            raise InputModelError(
                f"design {self.hls_design}", "is C++ for HLS", "a design in RTL",
                "let Vitis HLS export its own IP by hls/hls_syn_xnorflow_top.tcl, or build with --backend rtl",
            )  # fmt: skip
        return Design.load_rtl(self.design)
