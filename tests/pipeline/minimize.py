"""Make the smallest network of a failing one: ``python tests/pipeline/minimize.py maps 17``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from descriptions import Case, save_case
from ladder import Failure, failure_of
from random_cases import KINDS
from smaller import smaller_cases

# A search of its own, not Hypothesis's: that draws its networks itself, so that no seed of these tests would keep the
# network it has; it stops shrinking after 300 seconds, some thirty runs of the ladder; and it takes errors for the same
# that are raised in the same line, though one line of ``verify`` speaks for all steps.

CASES = Path(__file__).resolve().parent / "cases"
TRIES = 200
TELL = partial(print, flush=True)


@dataclass(frozen=True)
class Minimized:
    """What a search found.

    Args:
        case: the smallest that fails in the same way.
        failure: how; None where not even the first case fails.
        tries: cases tried, the first one included.
        minimal: whether each smaller case was tried; else the tries ran out.
    """

    case: Case
    failure: Failure | None
    tries: int
    minimal: bool


def command_for(kind: str, seed: int) -> str:
    """Return the command that minimizes a seed."""
    return f"python tests/pipeline/minimize.py {kind} {seed}"


def minimize(
    case: Case,
    fails: Callable[[Case], Failure | None] = failure_of,
    tries: int = TRIES,
    tell: Callable[[str], None] = TELL,
) -> Minimized:
    """Take away from a failing case what it fails without.

    Args:
        case: one that fails.
        fails: how a case fails, if it does.
        tries: the most cases to try.
        tell: told of every try.

    Returns:
        A case none of whose smaller ones fails in the same way, unless the tries ran out; the same for the same
        arguments.
    """
    failure = fails(case)
    tell(f"1: {_shown(case)}: {failure or 'does not fail'}")
    if failure is None:
        return Minimized(case, None, 1, True)
    tried, position, kept = {case}, 0, False
    while True:
        position, candidate = _next_untried(case, position, tried)
        if candidate is None and (position == 0 or not kept):
            return Minimized(case, failure, len(tried), True)
        if candidate is None:  # what did not go before may go now
            position, kept = 0, False
            continue
        if len(tried) >= tries:
            tell(f"stopped after {tries} tries")
            return Minimized(case, failure, len(tried), False)
        tried.add(candidate)
        outcome = fails(candidate)
        verdict = "the same, kept" if outcome == failure else outcome or "does not fail"
        tell(f"{len(tried)}: {_change(case, candidate)}: {verdict}")
        if outcome == failure:
            case, kept = candidate, True


def _next_untried(case: Case, position: int, tried: set[Case]) -> tuple[int, Case | None]:
    """Return the first smaller case from a position on that was not tried, and where; None if there is none."""
    for place, candidate in enumerate(smaller_cases(case)):
        if place >= position and candidate not in tried:
            return place, candidate
    return position, None


def _shown(case: Case) -> str:
    return f"{case.network.kind} of {'-'.join(str(size) for size in case.sizes)} values"


def _change(old: Case, new: Case) -> str:
    """Return what differs between two cases: ``bits 4 -> 2``."""
    owner_old, owner_new = (old, new) if old.network == new.network else (old.network, new.network)
    keys = [key for key in vars(owner_old) if getattr(owner_old, key) != getattr(owner_new, key)]
    if keys == ["blocks"] and len(owner_old.blocks) == len(owner_new.blocks):
        pairs = zip(owner_old.blocks, owner_new.blocks, strict=True)
        index, (owner_old, owner_new) = next((index, pair) for index, pair in enumerate(pairs) if pair[0] != pair[1])
        keys = [key for key in vars(owner_old) if getattr(owner_old, key) != getattr(owner_new, key)]
        return f"block {index}, " + _changes(owner_old, owner_new, keys)
    if keys == ["blocks"]:
        return f"{len(owner_old.blocks)} -> {len(owner_new.blocks)} blocks"
    return _changes(owner_old, owner_new, keys)


def _changes(old: object, new: object, keys: list[str]) -> str:
    return ", ".join(f"{key} {getattr(old, key)} -> {getattr(new, key)}" for key in keys)


def main(arguments: list[str] | None = None) -> int:
    """Minimize a seed and keep what is left as a case; 0 where there is one, 1 where the seed does not fail."""
    parser = argparse.ArgumentParser(
        prog="minimize.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("seed", type=int, help="of the random networks in tests/pipeline")
    parser.add_argument("--tries", type=int, default=TRIES, help=f"cases to try at most (default: {TRIES})")
    given = parser.parse_args(arguments)
    result = minimize(KINDS[given.kind](given.seed), tries=given.tries)
    if result.failure is None:
        print(f"{given.kind} {given.seed} climbs the whole ladder: nothing to minimize")
        return 1
    path = CASES / f"{given.kind}_{given.seed}.json"
    save_case(replace(result.case, note=f"seed {given.seed}: {result.failure}"), path)
    state = "no smaller one fails in this way" if result.minimal else "smaller ones were left untried"
    print(f"{path.name}: {_shown(result.case)}, {result.tries} tries, {state}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
