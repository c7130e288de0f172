"""Nothing half-written: parts of a folder are replaced all together or not at all."""

import pytest

from xnorflow.artifact.errors import OutputError
from xnorflow.flow.staging import staged_contents


def test_entries_replace_those_of_the_same_name_only(tmp_path):
    final = tmp_path / "build"
    (final / "rtl").mkdir(parents=True)
    (final / "rtl" / "old.sv").write_text("old", encoding="utf-8")
    (final / "golden.npz").write_text("kept", encoding="utf-8")
    with staged_contents(final) as work:
        (work / "rtl").mkdir()
        (work / "rtl" / "new.sv").write_text("new", encoding="utf-8")
        (work / "design.json").write_text("{}", encoding="utf-8")
        assert (final / "rtl" / "old.sv").exists()
    found = sorted(str(path.relative_to(final)) for path in final.rglob("*"))
    assert found == ["design.json", "golden.npz", "rtl", "rtl/new.sv"]


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt])
def test_a_failure_leaves_everything_as_it_was(tmp_path, kind):
    final = tmp_path / "build"
    final.mkdir()
    (final / "design.json").write_text("old", encoding="utf-8")
    with pytest.raises(kind), staged_contents(final) as work:
        (work / "design.json").write_text("new", encoding="utf-8")
        raise kind
    assert [path.name for path in final.iterdir()] == ["design.json"]
    assert (final / "design.json").read_text(encoding="utf-8") == "old"


def test_a_failure_leaves_no_folder_that_was_not_there(tmp_path):
    with pytest.raises(RuntimeError), staged_contents(tmp_path / "build"):
        raise RuntimeError
    assert not (tmp_path / "build").exists()


def test_what_a_killed_process_left_is_removed(tmp_path):
    (tmp_path / "build" / ".staged.abc").mkdir(parents=True)
    with staged_contents(tmp_path / "build"):
        pass
    assert not list((tmp_path / "build").iterdir())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with (
        pytest.raises(OutputError, match=r"output folder .*file/build: Not a directory; allowed: a folder you may"),
        staged_contents(tmp_path / "file" / "build"),
    ):
        pass
