"""Makes the helpers of the folder above importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # units, hls_units


@pytest.fixture(scope="module")
def simulation(request, tmp_path_factory):
    """The units of a test module as one library."""
    from hls_units import compiled

    return compiled(request.module.UNITS, tmp_path_factory.mktemp("units"))
