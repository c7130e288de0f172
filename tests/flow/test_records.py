"""What makes a stage be done again: its inputs, its files, its sources."""

import json
from pathlib import Path

import pytest

from xnorflow.flow.records import StageRecords, fingerprint, source_hash
from xnorflow.flow.workflow import DESIGN_PACKAGES


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.bin").write_bytes(b"weights")
    StageRecords(tmp_path).write("train", "key", [tmp_path / "train" / "a.bin"])
    return tmp_path


def test_a_stage_is_current_while_key_and_files_are_the_same(folder):
    records = StageRecords(folder)
    assert records.is_current("train", "key")
    assert not records.is_current("train", "another key")
    assert not records.is_current("export", "key")


@pytest.mark.parametrize("damage", ["changed", "removed"])
def test_a_stage_whose_file_is_not_as_written_is_not_current(folder, damage):
    file = folder / "train" / "a.bin"
    file.write_bytes(b"other") if damage == "changed" else file.unlink()
    assert not StageRecords(folder).is_current("train", "key")


def test_a_forgotten_stage_is_not_current(folder):
    StageRecords(folder).forget("train")
    assert not StageRecords(folder).is_current("train", "key")


@pytest.mark.parametrize("content", ["", "[1]", '{"train": 3}', '{"train": {"key": "key"}}'])
def test_damaged_records_count_as_none(folder, content):
    (folder / "stages.json").write_text(content, encoding="utf-8")
    assert not StageRecords(folder).is_current("train", "key")


def test_files_are_named_relative_to_the_run(folder):
    content = json.loads((folder / "stages.json").read_text())
    assert list(content["train"]["files"]) == ["train/a.bin"]


def test_a_fingerprint_follows_values_and_contents(tmp_path):
    file = tmp_path / "x"
    absent = fingerprint(file)
    file.write_text("1", encoding="utf-8")
    first = fingerprint(file, {"a": 1})
    assert first == fingerprint(file, {"a": 1})
    file.write_text("2", encoding="utf-8")
    assert len({absent, first, fingerprint(file, {"a": 1}), fingerprint(file, {"a": 2})}) == 4


def test_the_sources_of_packages_differ_and_are_stable():
    assert source_hash("xnorflow.train") == source_hash("xnorflow.train")
    assert len({source_hash("xnorflow.train"), source_hash("xnorflow.rtl"), source_hash()}) == 3


def test_a_forgotten_stage_is_taken_back(folder):
    records = StageRecords(folder)
    record = records.forget("train")
    assert record is not None and records.forget("train") is None
    records.restore("train", record)
    assert StageRecords(folder).is_current("train", "key")


def test_a_design_made_anew_drops_what_was_noted_of_the_one_before(folder):
    records = StageRecords(folder)
    for stage in ("generate", "simulate", "lower"):
        records.write(stage, "key", [folder / "train" / "a.bin"], {"tool": stage})
    assert {stage: tools for stage, (_, tools) in StageRecords(folder).written().items()} == {
        "train": {}, "lower": {"tool": "lower"}
    }  # fmt: skip


def test_a_build_is_repeated_when_what_designs_come_from_changes():
    """Each package of the workstation's is among them, but those that come before or behind the design."""
    import xnorflow

    before, behind = {"train", "export"}, {
        "simulate", "synthesize", "package", "deploy", "virtual_board", "bench", "flow",
    }  # fmt: skip
    found = {path.parent.name for root in xnorflow.__path__ for path in Path(root).glob("*/__init__.py")}
    found |= {path.parent.name for root in xnorflow.__path__ for path in Path(root).glob("*/py.typed")}
    assert found - before - behind == set(DESIGN_PACKAGES)
