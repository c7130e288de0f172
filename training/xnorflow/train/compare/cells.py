"""What the table and the plot show of each method on each network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xnorflow.train.compare.config import ComparisonSettings
from xnorflow.train.compare.plan import Run
from xnorflow.train.compare.results import Record, Results
from xnorflow.train.compare.statistics import Difference, Sample, difference

__all__ = ["Cell", "Cells", "collect"]

Cells = dict[tuple[str, str], "Cell"]
"""By network and method; what is not part of the comparison is absent."""


@dataclass(frozen=True)
class Cell:
    """One method on one network.

    Args:
        run: one of its runs, whatever the seed.
        records: those that are shown, sorted by seed: current ones, or stale ones where there are no others.
        stale: whether these were made from other settings than the file's.
        left_out: number of stale records beside current ones, which do not count.
        planned: number of seeds in the file.
    """

    run: Run
    records: tuple[Record, ...]
    stale: bool
    left_out: int
    planned: int

    @property
    def accuracy(self) -> Sample:
        """Accuracies (float) in percent."""
        return Sample(tuple(100 * record.accuracy_float for record in self.records))

    def difference(self, baseline: Cell | None) -> Difference | None:
        """Return the difference to the baseline in points; None where no error can be given, or one is stale."""
        if baseline is None or baseline is self or self.stale or baseline.stale:
            return None
        return difference(self.accuracy, baseline.accuracy)


def collect(comparison: ComparisonSettings, plan: Sequence[Run], results: Results) -> Cells:
    """Sort the records into cells.

    Args:
        comparison: says how many seeds there are to be.
        plan: all of its runs.
        results: records; those of other networks and methods are passed over.
    """
    cells: Cells = {}
    for run in plan:
        if run.cell in cells:
            continue
        found = [record for record in results.records if (record.network, record.method) == run.cell]
        current = [record for record in found if results.is_current(record, run)]
        stale = not current and bool(found)
        left_out = 0 if stale else len(found) - len(current)
        cells[run.cell] = Cell(run, tuple(current or found), stale, left_out, len(comparison.seeds))
    return cells
