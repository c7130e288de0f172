"""Command line of ``xnorflow summary`` and ``xnorflow zoo``. Imports typer only, as :mod:`xnorflow.flow.cli` does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xnorflow.flow.options import DataRoot, Debug, Quiet

__all__ = ["summary", "zoo"]

Source = Annotated[
    str,
    typer.Argument(metavar="CONFIG|RUN|FILE.pt|zoo:NAME", help="Experiment, folder runs/<name>, checkpoint, or zoo."),
]

zoo = typer.Typer(
    name="zoo",
    help="List the trained networks that come with xnorflow.",
    invoke_without_command=True,
    no_args_is_help=False,
)


def summary(source: Source, debug: Debug = False) -> None:
    """Show a network's layers, products, thresholds and stages; nothing is trained, no data set is read."""
    from xnorflow.flow.network_card import summarize

    summarize(Path(source))


@zoo.callback()
def show(context: typer.Context, debug: Debug = False) -> None:
    """List the trained networks that come with xnorflow; `xnorflow build zoo:NAME` builds one."""
    if context.invoked_subcommand is None:
        from xnorflow.flow.zoo import show_zoo

        show_zoo()


@zoo.command()
def add(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder runs/<name> of a finished training.")],
    name: Annotated[str | None, typer.Option("--name", help="Name in the catalog. (else data set and network)")] = None,
    data_root: DataRoot = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """For maintainers: pack a run's network into the source tree, with its accuracies on the whole test set."""
    from xnorflow.flow.zoo import add_to_zoo

    add_to_zoo(run, name, data_root, quiet=quiet)


@zoo.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Networks. (else all of them)")] = None,
    data_root: DataRoot = None,
    update: Annotated[bool, typer.Option("--update", help="For maintainers: write the source tree's catalog.")] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Measure shipped networks on their whole test sets, in floats and integers, and compare with the catalog."""
    from xnorflow.flow.zoo_check import check_zoo

    check_zoo(names or (), data_root, update=update, quiet=quiet)
