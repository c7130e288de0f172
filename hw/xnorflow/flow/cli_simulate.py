"""Command line of ``xnorflow simulate``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from xnorflow.flow.options import Debug, Directory, Frames, Jobs, Quiet, Seed, Stall

__all__ = ["simulate"]


def simulate(
    directory: Directory,
    frames: Frames = None,
    stall: Stall = None,
    jobs: Jobs = None,
    seed: Seed = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Simulate a generated design in Verilator on its golden vectors."""
    from xnorflow.flow import commands

    commands.simulate(directory, commands.simulate_overrides(frames, stall, jobs, seed), quiet=quiet)
