"""Every network that once failed, as small as it can be, through the whole ladder."""

from __future__ import annotations

import pytest
from descriptions import load_case
from ladder import climb
from minimize import CASES

FILES = sorted(CASES.glob("*.json"))


def test_there_are_cases():
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_case(path, tmp_path):
    climb(load_case(path), tmp_path)
