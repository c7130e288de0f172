"""A run as a Python object, for notebooks and scripts: stages where they are wanted, and what they left."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import Design
from xnorflow.artifact.files import make_folder, replaced, write_json
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.progress import SilentProgress
from xnorflow.flow import commands
from xnorflow.flow.config import load_config, settings_from_options
from xnorflow.flow.folders import Folders
from xnorflow.flow.results import Results, load_results
from xnorflow.flow.session import working_in
from xnorflow.flow.stages import Plan, Stage
from xnorflow.flow.workflow import Workflow
from xnorflow.lower.config import BuildSettings
from xnorflow.synthesize.config import SynthesizeSettings

if TYPE_CHECKING:
    from xnorflow.cycles.graph import Graph
    from xnorflow.lower.explore import DesignSpace
    from xnorflow.simulate.taps import StreamTrace
    from xnorflow.train.data import DataSplits
    from xnorflow.train.models.base import Network

__all__ = ["TEST_SET", "Experiment"]

TEST_SET = "test_set.npz"
"""Images and labels beside an accelerator, for whoever wants to validate it."""
WAYS_TO_FOLD = ("target_fps", "target_cycles", "budget", "maximize", "fill", "folding")
IntArray = npt.NDArray[np.int64]


class Experiment:
    """A run of an experiment file.

    Several processes may use one at a time: those that want what another one is making wait for it.

    Args:
        config: the experiment file.
        runs: folder that the run's own folder stands in; made when something is written.

    Raises:
        ConfigError: the file is missing, or something in it is not allowed.
    """

    def __init__(self, config: str | Path, runs: str | Path = "runs") -> None:
        self.config = load_config(Path(config))
        self.folders = Folders.of_run(Path(runs) / self.config.name)

    def until(self, stage: str, *, quiet: bool = False) -> Experiment:
        """Go the path as far as ``stage``; what is done and current is kept.

        Args:
            stage: train, export, generate, simulate or synthesize; lower goes on to generate.
            quiet: whether to print nothing.

        Returns:
            the experiment itself.

        Raises:
            ValueError: there is no such stage.
            UserError: a stage cannot be done.
        """
        last = Stage.GENERATE if stage == Stage.LOWER else Stage(stage)
        with self._alone(), working_in(self.folders.root, quiet=quiet) as session:
            commands.run_stages(self.config, self.folders, session, Plan(last))
        return self

    def report(self) -> Path:
        """Print the table of results, write report.html, and return its path."""
        with self._alone():
            commands.report([self.folders.root], None, quiet=False)
        return self.folders.report / "report.html"

    @property
    def results(self) -> Results:
        """What all stages so far came to."""
        return load_results(self.folders)

    @property
    def data(self) -> DataSplits:
        """The data set."""
        from xnorflow.train.data import load_data

        return load_data(self.config.data)

    @property
    def model(self) -> Path:
        """The exported QONNX file."""
        return self.folders.export / "model.onnx"

    @property
    def golden(self) -> GoldenVectors:
        """The test set with its labels and torch's logits, after export."""
        return GoldenVectors.load(self.folders.golden)

    @property
    def codec(self) -> HostCodec:
        """What the host does around the accelerator, after lowering."""
        return HostCodec.load(self.folders.build / "host.npz")

    @property
    def design(self) -> Design:
        """The generated design."""
        return Design.load(self.folders.design)

    def network(self, stage: str | None = None) -> Network:
        """Return a trained torch network in eval mode: that of a stage of the training, or the deployed one."""
        from xnorflow.train.checkpoint import load_network, read_checkpoint

        if stage is None:
            return load_network(self.folders.train)
        return read_checkpoint(self.folders.train / "stages" / f"{stage}.pt").network()

    def run_integer(self, images: npt.NDArray[Any]) -> IntArray:
        """Return what integer.onnx makes of images: int64 (frames, classes) sums, or (frames, 1) labels."""
        from xnorflow.lower.integer_onnx import run_integer

        return run_integer(self.folders.build / "integer.onnx", self.codec.quantize(images))

    def trace_streams(
        self, images: npt.NDArray[Any], *, stall_probability: float = 0.0, seed: int = 1
    ) -> dict[str, StreamTrace]:
        """Let images go through the RTL in Verilator; see :func:`xnorflow.simulate.taps.trace_streams`."""
        from xnorflow.simulate.taps import trace_streams

        return trace_streams(
            self.folders.build, self.codec.quantize(images), SilentProgress(), stall_probability=stall_probability,
            seed=seed,
        )  # fmt: skip

    def cycle_graph(self) -> Graph:
        """Return the design as the cycle model takes it."""
        from qonnx.core.modelwrapper import ModelWrapper

        from xnorflow.lower.cycle_graph import read_layers
        from xnorflow.lower.finn_compat import prepare_finn

        prepare_finn()
        path = self.folders.build / "intermediate_models" / "step_merge_fifos.onnx"
        return read_layers(ModelWrapper(str(path))).graph()

    def explore(self, *, sample: int = 1000, seed: int = 1) -> DesignSpace:
        """Estimate other foldings; see :func:`xnorflow.lower.explore.explore_foldings`."""
        from xnorflow.lower.explore import explore_foldings

        return explore_foldings(self.folders.build, self.config.build.board, sample=sample, seed=seed)

    def variant(self, name: str, *, until: str = "synthesize", quiet: bool = False, **build: Any) -> Results:
        """Build the exported network in another way, beside the experiment's own; it is not simulated.

        Args:
            name: of its folder, ``variants/<name>`` in the run's folder.
            until: last stage, generate or synthesize.
            quiet: whether to print nothing.
            **build: keys of the ``[build]`` table that differ, such as ``target_cycles=512``, which take the place of
                the experiment's own way to fold; ``folding`` may be what a folding file holds, as
                :attr:`xnorflow.lower.explore.FoldingPoint.folding`.

        Raises:
            ConfigError: a key or a value is not allowed.
            UserError: a stage cannot be done.
        """
        folders = Folders.of_build(self.folders.root / "variants" / name)
        if isinstance(build.get("folding"), dict):
            path = folders.root.with_suffix(".json")
            write_json(path, {"Defaults": {}, **build["folding"]})
            build["folding"] = path
        table = self.config.build.model_dump(mode="json", exclude_none=True)
        if any(key in build for key in WAYS_TO_FOLD):
            table = {key: value for key, value in table.items() if key not in WAYS_TO_FOLD}
        table |= build
        settings = settings_from_options(BuildSettings, [((key,), f"build.{key}", table[key]) for key in table])
        with self._alone(), working_in(folders.root, quiet=quiet) as session:
            if not folders.golden.is_file():
                self.golden.save(folders.golden)
            workflow = Workflow(folders, session)
            workflow.build(self.model, settings)
            if Plan(Stage(until)).includes(Stage.SYNTHESIZE):
                workflow.synthesize(SynthesizeSettings())
        return load_results(folders)

    def deploy(self) -> Path:
        """Return the folder that a board takes, with the test set in it; made when missing or older."""
        from xnorflow.flow.deploy import deploy

        folder, golden = self.folders.deployed, self.golden
        test_set, design = folder / TEST_SET, self.folders.design
        with self._alone():
            if not test_set.is_file() or test_set.stat().st_mtime < design.stat().st_mtime:
                deploy(self.folders.root, None, len(golden.inputs), None, None, test=False, quiet=True)
                with replaced(test_set) as partial, partial.open("wb") as stream:
                    np.savez_compressed(stream, images=golden.inputs, labels=golden.labels)
        return folder

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other experiment makes anything in the folder."""
        root = self.folders.root
        make_folder(root.parent)
        with (root.parent / f".{root.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the process at the latest
            yield
