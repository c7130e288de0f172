"""The names of the stages, in order. Imports nothing heavy: ``--help`` loads it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["BuildStage", "Plan", "Stage"]


class Stage(StrEnum):
    """The path."""

    TRAIN = "train"
    EXPORT = "export"
    LOWER = "lower"
    GENERATE = "generate"
    SIMULATE = "simulate"
    SYNTHESIZE = "synthesize"


class BuildStage(StrEnum):
    """The part of the path behind a QONNX file."""

    LOWER = "lower"
    GENERATE = "generate"
    SIMULATE = "simulate"
    SYNTHESIZE = "synthesize"


@dataclass(frozen=True)
class Plan:
    """How far to go.

    Args:
        until: last stage.
        simulate: whether to simulate, if the path gets there.
        synthesize: whether to synthesize, if the path gets there.
        force: repeat stages that are up to date.
    """

    until: Stage
    simulate: bool = True
    synthesize: bool = True
    force: bool = False

    def includes(self, stage: Stage) -> bool:
        """Return whether ``stage`` is to be run."""
        order = list(Stage)
        left_out = {Stage.SIMULATE: not self.simulate, Stage.SYNTHESIZE: not self.synthesize}.get(stage, False)
        return order.index(stage) <= order.index(self.until) and not left_out
