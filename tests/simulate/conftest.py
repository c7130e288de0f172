"""A small design whose faults are chosen at run time, built once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from xnorflow.simulate.verilator import compile_design

KNOBS = ("stop_after", "flip_from", "drop_valid", "gap", "surplus_after", "fatal_at", "finish_at")


def write_knobs(folder: Path, **knobs: int) -> Path:
    """Write ``knobs.mem``, which the design reads when it starts; a knob that is not named is 0, off."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "knobs.mem").write_text("".join(f"{knobs.pop(name, 0):08x}\n" for name in KNOBS))
    assert not knobs
    return folder


@pytest.fixture(scope="session")
def inverter_source() -> Path:
    return Path(__file__).parent / "inverter.sv"


@pytest.fixture(scope="session")
def library(tmp_path_factory, inverter_source) -> Path:
    return compile_design("inverter", [inverter_source], tmp_path_factory.mktemp("work"))


@pytest.fixture
def knobs(tmp_path):
    """Write ``knobs.mem`` and return the folder that the design runs in."""
    return lambda **values: write_knobs(tmp_path / "rtl", **values)
