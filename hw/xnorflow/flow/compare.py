"""What ``xnorflow compare`` does: read the file, carry out what is missing, write results, table and plot."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xnorflow.artifact.errors import ConfigError, OutputError, TrainError
from xnorflow.artifact.files import write_text
from xnorflow.artifact.progress import Advance
from xnorflow.flow.config import read_toml, resolve_path, validated
from xnorflow.flow.progress import RichProgress, console_for
from xnorflow.flow.session import working_in
from xnorflow.train.compare.cells import collect
from xnorflow.train.compare.config import ComparisonSettings
from xnorflow.train.compare.plan import Run, contents, make_plan, select
from xnorflow.train.compare.results import Record, Results
from xnorflow.train.compare.run import Failed, Job, Workers, remaining_seconds, teacher_is_there
from xnorflow.train.compare.table import comparison_table, replace_table
from xnorflow.train.config import TrainSettings

__all__ = ["CompareOptions", "compare", "load_comparison"]

EXAMPLE = "a comparison file such as training/comparisons/mnist.toml"
NAMED_FAILURES = 3


@dataclass(frozen=True)
class CompareOptions:
    """Options of the command.

    Args:
        data_root: folder of the data sets, in place of the file's.
        jobs: trainings at a time.
        only: texts of which ``<network>/<method>`` of a run must hold one; empty: all runs.
        seeds: as typed, e.g. ``1,2,3``; None: the file's.
        table_only: train nothing.
        readme: file that holds the table.
        runs: folder that holds the runs of all comparisons.
    """

    data_root: Path | None = None
    jobs: int = 1
    only: tuple[str, ...] = ()
    seeds: str | None = None
    table_only: bool = False
    readme: Path = Path("README.md")
    runs: Path = Path("runs/compare")


def compare(file: Path, options: CompareOptions, *, quiet: bool) -> None:
    """Carry out a comparison; everything that can be wrong is looked for before the first training.

    Raises:
        ConfigError: the file, an option, the results or the table's place is not usable.
        DataError: the data set is missing or damaged.
        TrainError: trainings failed; all others were done before.
    """
    comparison = load_comparison(file, options.data_root)
    results = Results(comparison.results, comparison.name)
    plan = select(make_plan(comparison, _seeds(options.seeds)), options.only)
    replace_table(_read_text(options.readme), comparison.name, "", options.readme)
    if options.table_only:
        _write_table(file, comparison, results, options.readme, RichProgress(console_for(sys.stdout), quiet=quiet))
        return
    _load_data(comparison)
    with working_in(options.runs / comparison.name, quiet=quiet) as session:
        results = Results(comparison.results, comparison.name)  # once more, now that nobody else writes it
        failures = _Work(comparison, results, options, session.progress).carry_out(plan)
        _write_table(file, comparison, results, options.readme, session.progress)
    if failures:
        raise _all_failures(comparison.name, failures, len(plan))


def load_comparison(path: Path, data_root: Path | None = None) -> ComparisonSettings:
    """Read a comparison file; relative paths in it count from its own folder.

    Raises:
        ConfigError: the file is missing, not TOML, or holds a key or value that is not allowed.
    """
    content = read_toml(path, EXAMPLE)
    content.setdefault("name", path.stem)
    resolve_path(content, "data", "root", path.parent)
    data = content.get("data")
    if data_root is not None and isinstance(data, dict):
        data["root"] = str(data_root)
    if isinstance(content.get("results"), str):
        content["results"] = str(path.parent / content["results"])
    source = f"config {path}"
    comparison = validated(ComparisonSettings, content, source, {})
    for place, table in contents(comparison):
        validated(TrainSettings, table, f"{source}, {place}", {})
    make_plan(comparison)
    return comparison


@dataclass
class _Round:
    """One command's trainings: those that nobody has begun, those at work, and those that came to nothing."""

    todo: list[Run]
    begun: list[Run] = field(default_factory=list)
    failures: list[Failed] = field(default_factory=list)

    def end(self, run: Run, outcome: Record | Failed) -> None:
        """Take ``run`` off those at work; pupils of a teacher that failed have failed, too."""
        self.begun.remove(run)
        if isinstance(outcome, Failed):
            pupils = [other for other in self.todo if other.teacher == run]
            self.todo[:] = [other for other in self.todo if other not in pupils]
            self.failures += [outcome, *(Failed(pupil, "its teacher's training failed") for pupil in pupils)]


class _Work:
    """The trainings of one command.

    Args:
        comparison: its settings.
        results: takes the records.
        options: folders and number of processes.
        progress: the terminal.
    """

    def __init__(
        self, comparison: ComparisonSettings, results: Results, options: CompareOptions, progress: RichProgress
    ) -> None:
        self._results, self._options, self._progress = results, options, progress
        self._name, self._runs = comparison.name, options.runs / comparison.name

    def carry_out(self, plan: Sequence[Run]) -> list[Failed]:
        """Train what has no current record, in order; runs whose teacher is still to be trained wait for that one."""
        pending = [run for run in plan if not self._results.has(run)]
        teachers = [teacher for teacher in _teachers_of(pending) if not self._has_teacher(teacher)]
        total = len(teachers) + len(pending)
        kept = f", {len(plan) - len(pending)} of {len(plan)} runs are done already" if len(pending) < len(plan) else ""
        self._progress.say(f"[bold]{self._name}[/]  {total} trainings to do{kept}")
        if not total:
            return []
        work = _Round([*teachers, *pending])
        with self._progress.task(f"compare {self._name}", total) as advance, Workers(self._options.jobs) as workers:
            try:
                for job, outcome in workers.carry_out(lambda: self._next(work)):
                    self._take(job.run, outcome, work, advance)
            except KeyboardInterrupt:
                left = len(work.todo) + len(work.begun)
                self._progress.say(f"  interrupted with {left} trainings to do; the same command goes on")
                raise
            advance(0, f"{total - len(work.failures)} of {total} trainings")
        return work.failures

    def _next(self, work: _Round) -> Job | None:
        """Begin the first run whose teacher is there."""
        for run in work.todo:
            if run.teacher is None or self._has_teacher(run.teacher):
                work.todo.remove(run)
                work.begun.append(run)
                return Job(run, self._runs, self._teacher_accuracy(run))
        return None

    def _take(self, run: Run, outcome: Record | Failed, work: _Round, advance: Advance) -> None:
        """Keep and print what a run came to."""
        work.end(run, outcome)
        left = self._left([*work.begun, *work.todo])
        if isinstance(outcome, Failed):
            self._progress.line(run.label, f"FAILED: {outcome.line}; {left}")
        else:
            if self._results.add(outcome, run):
                self._progress.say(f"  dropped the former record of {run.label}: it was of other settings")
            note = f"{outcome.accuracy_float:.2%} (float), {outcome.epochs} epochs; {left}"
            self._progress.line(run.label, note, outcome.seconds)
        advance(1, left)

    def _left(self, todo: Sequence[Run]) -> str:
        if not todo:
            return "none left"
        seconds = remaining_seconds(todo, self._results.records, self._options.jobs)
        return f"{len(todo)} left" + ("" if seconds is None else f", about {_duration(seconds)}")

    def _has_teacher(self, teacher: Run) -> bool:
        return self._results.has(teacher) and teacher_is_there(teacher, self._runs)

    def _teacher_accuracy(self, run: Run) -> float | None:
        record: Record | None = self._results.find(run.teacher) if run.teacher else None
        return record.accuracy_float if record else None


def _teachers_of(runs: Iterable[Run]) -> list[Run]:
    return list({run.teacher.label: run.teacher for run in runs if run.teacher is not None}.values())


def _write_table(
    file: Path, comparison: ComparisonSettings, results: Results, readme: Path, progress: RichProgress
) -> None:
    """Write the table into the text as it is now, for somebody may have edited it meanwhile, and the plot."""
    from xnorflow.train.compare.plot import comparison_plot

    text = _read_text(readme)
    cells = collect(comparison, make_plan(comparison), results)
    links = {"file": _as_seen_from(readme, file), "results": _as_seen_from(readme, comparison.results)}
    changed = replace_table(text, comparison.name, comparison_table(comparison, cells, results, links), readme)
    if changed != text:
        write_text(readme, changed)
    if results.records:
        write_text(comparison.results.with_name(f"{comparison.name}.svg"), comparison_plot(comparison, cells))
    progress.say(f"{comparison.results} -> table in {readme}")


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as reason:
        raise ConfigError(
            f"file {path}", "no such file", "a text file with the table's marks", "give --readme"
        ) from reason
    except (OSError, UnicodeDecodeError) as reason:
        raise OutputError(f"file {path}", f"unreadable: {reason}", "a text file", "give --readme") from reason


def _as_seen_from(readme: Path, path: Path) -> str:
    """Return the path of a file relative to the table's, where it lies below the table's folder."""
    folder, target = readme.resolve().parent, path.resolve()
    return target.relative_to(folder).as_posix() if target.is_relative_to(folder) else target.name


def _load_data(comparison: ComparisonSettings) -> None:
    """Find out about missing or damaged data in this process, with one message."""
    from xnorflow.train.data import load_data

    load_data(comparison.data)


def _seeds(text: str | None) -> list[int] | None:
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) < 2**32 for word in words) or len({*map(int, words)}) < len(words):
        raise ConfigError("option --seeds", repr(text), "different whole numbers from 0 on, e.g. 1,2,3", "change them")
    return [int(word) for word in words]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _all_failures(name: str, failures: Sequence[Failed], total: int) -> TrainError:
    named = "; ".join(f"{failure.run.label}: {failure.line}" for failure in failures[:NAMED_FAILURES])
    more = len(failures) - NAMED_FAILURES
    return TrainError(
        f"comparison {name}", f"{len(failures)} trainings failed, of a plan of {total} runs: {named}", "",
        (f"and {more} more; " if more > 0 else "") + "the same command tries them again",
    )  # fmt: skip
