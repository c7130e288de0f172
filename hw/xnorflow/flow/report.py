"""``xnorflow report``: one table in the terminal, one self-contained page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from xnorflow.artifact.files import write_text
from xnorflow.flow.folders import Folders
from xnorflow.flow.progress import RichProgress
from xnorflow.flow.results import Results, load_results
from xnorflow.flow.summary import RESOURCES, summary_rows

if TYPE_CHECKING:
    from xnorflow.render.svg import Size

__all__ = ["at_both_sizes", "fill_template", "render_page", "write_report"]

PAGE = "report.html"
FUNCTION_KEYS = ("nodes", "LUT", "FF", "BRAM36")


@dataclass(frozen=True)
class PathStep:
    """A box of the path's picture: verb, what it came to, whether it was done."""

    verb: str
    fact: str
    done: bool


def write_report(
    folders: Folders, progress: RichProgress, *, functions: bool = False, page: Path | None = None
) -> Path:
    """Print the table, that of the functions too where asked for, and write the page.

    Args:
        folders: of the run.
        progress: prints.
        functions: whether to print where the mapped cells go, too.
        page: file to write; None: report.html beside the JSON reports.

    Raises:
        InputModelError: a report file is damaged.
        OutputError: the page cannot be written.
    """
    results = load_results(folders)
    page = page or folders.report / PAGE
    write_text(page, render_page(results))
    progress.show(_table(results))
    if functions and results.functions:
        progress.show(_function_table(results))
    for text in results.outdated:
        progress.say(f"[bold red]outdated:[/] {text}; run `xnorflow run` again")
    progress.say(f"{page}")
    return page


def render_page(results: Results) -> str:
    """Return the page; equal results give equal text."""
    return fill_template(
        "report.html.j2",
        results=results,
        rows=summary_rows(results),
        steps=path_steps(results),
        layers=_layer_rows(results),
        resources=RESOURCES,
        functions=results.functions,
        figures=_figures(results),
    )


def fill_template(name: str, **content: Any) -> str:
    """Return the text that a template of this package gives."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("xnorflow.flow"), undefined=StrictUndefined, autoescape=True, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(name).render(version=metadata.version("xnorflow"), **content)


def at_both_sizes(draw: Callable[[Size], str]) -> str:
    """Return a figure drawn wide and narrow: a page shows the one that its window has room for."""
    from xnorflow.render.svg import Size

    return "\n".join(draw(size) for size in Size)


def path_steps(results: Results) -> list[PathStep]:
    """Return the boxes of the path."""
    facts, simulation, synthesis = results.training, results.simulation, results.synthesis
    accuracy = f"{facts['accuracy_float']:.1%} float" if "accuracy_float" in facts else ""
    layers = f"{len(results.lowering['layers'])} layers" if "layers" in results.lowering else ""
    modules = f"{len(results.design.nodes)} modules" if results.design else ""
    wrong = f"{simulation['mismatches']} of {simulation['frames']:,} differ" if simulation else ""
    board = results.virtual_board
    deployed = f"{board['golden_frames']:,} equal, virtual board" if board else ""
    luts = f"{synthesis['total']['LUT']:,} LUT" if "LUT" in synthesis.get("total", {}) else ""
    exported = "QONNX" if results.training or results.lowering else ""
    texts = {
        "train": accuracy, "export": exported, "lower": layers, "generate": modules, "simulate": wrong,
        "synthesize": luts, "deploy": deployed,
    }  # fmt: skip
    return [PathStep(verb, text or "not run", bool(text)) for verb, text in texts.items()]


def _layer_rows(results: Results) -> list[dict[str, Any]]:
    synthesized = results.synthesis.get("layers", {})
    nodes = {node.name: node for node in results.design.nodes} if results.design else {}
    rows = []
    for name in results.layers:
        node = nodes.get(name)
        rows.append(
            {
                "name": name,
                "op_type": node.op_type if node else "",
                "info": ", ".join(f"{key} {value}" for key, value in node.info.items()) if node else "",
                "cycles": node.cycles if node else results.cycles.get(name),
                "estimate": results.estimates.get(name, {}).get("LUT"),
                "used": synthesized.get(name, {}),
            }
        )
    return rows


def _figures(results: Results) -> dict[str, str]:
    from xnorflow.flow.figures import accuracy_curve, grouped_bars, share_bar

    figures: dict[str, str] = {}
    rows = _layer_rows(results)
    if results.metrics:
        figures["accuracy"] = at_both_sizes(lambda size: accuracy_curve(results.metrics, size))
    timed = [row for row in rows if row["cycles"]]
    if timed:
        cycles = {"predicted": [float(row["cycles"]) for row in timed]}
        names = [row["name"] for row in timed]
        figures["cycles"] = at_both_sizes(lambda size: grouped_bars(names, cycles, "cycles a frame", "cycles", size))
    if results.functions:
        luts = {name: float(used["LUT"]) for name, used in results.functions.items()}
        figures["functions"] = at_both_sizes(lambda size: share_bar(luts, "functions", size))
    columns: dict[str, list[float]] = {}
    if any(row["used"] for row in rows):
        columns["yosys, mapped"] = [float(row["used"].get("LUT", 0)) for row in rows]
        shares = {row["name"]: float(row["used"].get("LUT", 0)) for row in rows}
        figures["shares"] = at_both_sizes(lambda size: share_bar(shares, "shares", size))
    if any(row["estimate"] is not None for row in rows):
        columns["estimate"] = [float(row["estimate"] or 0) for row in rows]
    if columns:
        all_names = [row["name"] for row in rows]
        figures["luts"] = at_both_sizes(lambda size: grouped_bars(all_names, columns, "LUT", "luts", size))
    return figures


def _table(results: Results) -> Table:
    table = Table("quantity", "value", "path", box=SIMPLE_HEAD, title=escape(results.name), title_justify="left")
    previous = ""
    for row in summary_rows(results):
        if previous and row.group != previous:
            table.add_section()
        previous = row.group
        color = {True: "green", False: "bold red"}.get(row.good) if row.good is not None else None
        value = escape(row.value)
        table.add_row(row.quantity, f"[{color}]{value}[/]" if color else value, f"[dim]{escape(row.path)}[/]")
    return table


def _function_table(results: Results) -> Table:
    """Return where the mapped cells go, by function."""
    table = Table("function", box=SIMPLE_HEAD, title="where the mapped cells go", title_justify="left")
    for name in ("nodes", "LUT", "share", "FF", "BRAM36"):
        table.add_column(name, justify="right")
    for name, used in results.functions.items():
        numbers = [f"{used[key]:,g}" if isinstance(used[key], float) else f"{used[key]:,}" for key in FUNCTION_KEYS]
        table.add_row(name, *numbers[:2], f"{used['percent_LUT']:.1f} %", *numbers[2:])
    return table
