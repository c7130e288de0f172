"""The further processes of a training that several share: they train along, and leave folders and terminal alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xnorflow.artifact.progress import SilentProgress
from xnorflow.flow.folders import Folders
from xnorflow.flow.records import StageRecords
from xnorflow.flow.workflow import training_key

if TYPE_CHECKING:
    from xnorflow.flow.config import ExperimentConfig

__all__ = ["follow", "is_follower"]

RANKS = ("RANK", "SLURM_PROCID", "LOCAL_RANK")  # torchrun, Slurm, and Lightning Fabric's own launcher


def is_follower(config: ExperimentConfig) -> bool:
    """Return whether this process is not the first of those that train together."""
    if config.train.devices * config.train.nodes == 1:
        return False
    rank = next((os.environ[name] for name in RANKS if name in os.environ), "0")
    return rank.isdigit() and int(rank) > 0


def follow(config: ExperimentConfig, folders: Folders, *, force: bool) -> None:
    """Train along with the first process, or not at all where it keeps what is done already."""
    from xnorflow.train.stage import train

    if force or not StageRecords(folders.root).is_current("train", training_key(config)):
        train(config.data, config.train, config.seed, folders.train, SilentProgress(), resume=not force)
