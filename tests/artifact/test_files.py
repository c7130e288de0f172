from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from xnorflow.artifact.errors import OutputError
from xnorflow.artifact.files import (
    copy_together,
    disk_full,
    output_lock,
    replaced,
    sha256_of,
    stage_directory,
    write_json,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_stage_folder_appears_when_its_work_is_done(tmp_path):
    final = tmp_path / "deep" / "out"
    with stage_directory(final) as work:
        (work / "a").write_text("1")
        assert not final.exists()
    assert (final / "a").read_text() == "1"
    assert names(tmp_path / "deep") == ["out"]


def test_a_second_run_replaces_the_first_as_a_whole(tmp_path):
    for name in ("a", "b"):
        with stage_directory(tmp_path / "out") as work:
            (work / name).write_text(name)
    assert names(tmp_path / "out") == ["b"]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("reason", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_the_earlier_results(tmp_path, reason):
    with stage_directory(tmp_path / "out") as work:
        (work / "a").write_text("1")
    with pytest.raises(reason), stage_directory(tmp_path / "out") as work:
        (work / "b").write_text("2")
        raise reason
    assert names(tmp_path / "out") == ["a"]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("moved", [False, True], ids=["in the body", "between the renames"])
def test_what_a_killed_process_left_is_undone(tmp_path, moved):
    with stage_directory(tmp_path / "out") as work:
        (work / "a").write_text("1")
    if moved:
        (tmp_path / "out").rename(tmp_path / ".out.previous")
    (tmp_path / ".out.unfinished-abc").mkdir()
    (tmp_path / ".out.unfinished-abc" / "half").write_text("")
    (tmp_path / ".out.theirs").mkdir()
    with pytest.raises(KeyError), stage_directory(tmp_path / "out"):
        raise KeyError
    assert names(tmp_path / "out") == ["a"]
    assert names(tmp_path) == [".out.theirs", "out"]


def test_an_interrupted_text_leaves_the_one_before_and_nothing_else(tmp_path, monkeypatch):
    write_text(tmp_path / "text", "old")

    def interrupt(path, target):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "text", "new")
    assert names(tmp_path) == ["text"]
    assert (tmp_path / "text").read_text() == "old"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    message = r"output folder .*file/out: .+; allowed: a folder you may write to; choose another folder"
    with pytest.raises(OutputError, match=message), stage_directory(tmp_path / "file" / "out"):
        pass
    with pytest.raises(OutputError, match=r"output folder .*file: .+; choose another folder"):
        write_text(tmp_path / "file" / "out", "")


def test_text_and_json_replace_what_was_there_and_leave_no_other_file(tmp_path):
    write_text(tmp_path / "sub" / "text", "old")
    write_text(tmp_path / "sub" / "text", "new\n")
    write_json(tmp_path / "sub" / "json", {"b": [1], "a": None})
    assert (tmp_path / "sub" / "text").read_text() == "new\n"
    assert (tmp_path / "sub" / "json").read_text() == '{\n  "b": [\n    1\n  ],\n  "a": null\n}\n'
    assert names(tmp_path / "sub") == ["json", "text"]
    assert (tmp_path / "sub" / "text").stat().st_mode & 0o777 == 0o644


def test_the_hash_is_sha256_of_the_bytes(tmp_path):
    data = os.urandom((1 << 20) + 7)
    (tmp_path / "a").write_bytes(data)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_a_folder_is_held_by_one_process_at_a_time(tmp_path):
    with output_lock(tmp_path / "run"):
        message = rf"process {os.getpid()} is writing to it; wait for it to end, or remove .*\.lock if"
        with pytest.raises(OutputError, match=message), output_lock(tmp_path / "run"):
            pass
    assert names(tmp_path / "run") == []
    with output_lock(tmp_path / "run"):
        assert names(tmp_path / "run") == [".lock"]


def test_a_lock_is_released_on_ctrl_c(tmp_path):
    with pytest.raises(KeyboardInterrupt), output_lock(tmp_path):
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def test_the_lock_of_a_process_that_ended_is_taken_over(tmp_path):
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (tmp_path / ".lock").write_bytes(ended.stdout)
    with output_lock(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize("reason", [None, ValueError, KeyboardInterrupt])
def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, reason):
    path = tmp_path / "net.npz"
    path.write_text("old")
    with contextlib.suppress(ValueError, KeyboardInterrupt), replaced(path) as partial:
        assert partial.suffix == ".npz"  # numpy appends one to other names
        partial.write_text("new")
        if reason is not None:
            raise reason
    assert path.read_text() == ("old" if reason else "new")
    assert names(tmp_path) == ["net.npz"]


def test_files_are_copied_all_or_none(tmp_path, monkeypatch):
    sources = [tmp_path / name for name in ("a", "b")]
    targets = [tmp_path / "one" / "a", tmp_path / "two" / "b"]
    for path in sources:
        path.write_text(path.name)
    copies = dict(zip(targets, sources, strict=True))
    copy_together(copies)
    assert [path.read_text() for path in targets] == ["a", "b"] and all(path.is_file() for path in sources)
    for path in sources:
        path.write_text("new")
    copy = shutil.copyfile

    def full(source, target):
        if source == sources[1]:
            raise OSError(28, "No space left on device", str(target))
        return copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space left"):
        copy_together(copies)
    assert [path.read_text() for path in targets] == ["a", "b"]
    assert [path.name for folder in ("one", "two") for path in (tmp_path / folder).iterdir()] == ["a", "b"]


def test_a_full_disk_is_found_behind_other_exceptions(tmp_path):
    def wrapped(number):
        try:
            try:
                raise OSError(number, os.strerror(number))
            except OSError as inner:
                raise ValueError from inner
        except ValueError as outer:
            return outer

    full = disk_full(tmp_path, wrapped(errno.ENOSPC))
    message = (
        f"output folder {tmp_path}: no space left on its disk, or on that of {tempfile.gettempdir()}; make room and"
    )
    assert str(full).startswith(message) and str(full).endswith("what was finished before is as it was")
    assert str(disk_full(tmp_path, wrapped(errno.EDQUOT))) == str(full)
    assert disk_full(tmp_path, wrapped(errno.EACCES)) is None
    assert disk_full(tmp_path, None) is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full takes nothing, and is not here")
def test_text_on_a_full_disk_names_the_folder(tmp_path, monkeypatch):
    write_text(tmp_path / "text", "old")
    monkeypatch.setattr("xnorflow.artifact.files.replaced", lambda path: contextlib.nullcontext(Path("/dev/full")))
    with pytest.raises(OutputError, match=f"output folder {tmp_path}: no space left on its disk"):
        write_text(tmp_path / "text", "new")
    assert (tmp_path / "text").read_text() == "old"


def test_a_lock_that_cannot_be_written_is_not_left(tmp_path, monkeypatch):
    class Full:
        def __enter__(self):
            raise OSError(errno.ENOSPC, "No space left on device")

        def __exit__(self, *details):
            return False

    def opened(handle, *arguments, **options):
        os.close(handle)
        return Full()

    monkeypatch.setattr("os.fdopen", opened)
    with pytest.raises(OutputError, match="no space left on its disk"), output_lock(tmp_path):
        pass
    assert names(tmp_path) == []
