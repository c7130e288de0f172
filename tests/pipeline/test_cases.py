"""Every network that once failed, as small as it can be, through the whole ladder."""

from __future__ import annotations

import pytest
from descriptions import load_case
from ladder import climb
from minimize import CASES

FILES = sorted(CASES.glob("*.json"))
LONG = ("branches_17", "branches_20")
PATHS = [pytest.param(path, marks=[pytest.mark.full] if path.stem in LONG else [], id=path.stem) for path in FILES]


def test_there_are_cases():
    assert FILES


@pytest.mark.parametrize("path", PATHS)
def test_case(path, tmp_path):
    climb(load_case(path), tmp_path)
