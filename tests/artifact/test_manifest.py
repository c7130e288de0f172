from __future__ import annotations

import json

import pytest

from xnorflow.artifact.errors import InputModelError
from xnorflow.artifact.manifest import Manifest, tool_versions


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").write_text("alpha")
    (tmp_path / "b").write_text("beta")
    Manifest.of_folder(
        tmp_path, ["a", "b"], name="net", stage="export", tools={"numpy": "2"}, facts={"shape": [1, 8, 8]}
    ).save(tmp_path)
    return tmp_path


def test_it_reads_back_as_it_was_written(folder):
    manifest = Manifest.load(folder)
    assert (manifest.name, manifest.stage, manifest.tools) == ("net", "export", {"numpy": "2"})
    assert manifest.facts == {"shape": [1, 8, 8]}
    assert manifest.files["a"] == "8ed3f6ad685b959ead7022518e1af76cd816f8e8ec7ccdda1ed4018e8f2223f8"


def test_a_changed_file_is_found_unless_nobody_asks(folder):
    (folder / "b").write_text("bets")
    with pytest.raises(InputModelError, match=r"artifact .*/b: its SHA-256 differs from the manifest's; the file was"):
        Manifest.load(folder)
    assert Manifest.load(folder, verify=False).name == "net"


def test_a_missing_file_is_found(folder):
    (folder / "a").unlink()
    with pytest.raises(InputModelError, match=r"a is missing; run the stage that writes it again"):
        Manifest.load(folder)


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"name": "x"}', json.dumps({"name": "x", "other": 1})])
def test_a_folder_without_a_readable_manifest_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(InputModelError, match=r"no readable manifest\.json; allowed: a folder that an xnorflow stage"):
        Manifest.load(tmp_path)


def test_absent_tools_are_left_out():
    assert set(tool_versions("numpy", "no-such-distribution")) == {"numpy"}
