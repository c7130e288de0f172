"""What the tests of random networks share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # descriptions, ladder, minimize, ...
sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))  # styled_folding


@pytest.fixture
def climb_seed(tmp_path):
    """Return a function that takes a random network up the ladder; an error says how to make it small."""

    def call(kind, seed):
        from ladder import climb
        from minimize import command_for
        from random_cases import KINDS

        try:
            climb(KINDS[kind](seed), tmp_path)
        except Exception as error:
            error.add_note(f"to minimize this network and keep it as a test: {command_for(kind, seed)}")
            raise

    return call
