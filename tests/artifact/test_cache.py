"""The user's cache: whole files or none, bounded, and never a reason to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xnorflow.artifact.cache import cache_directory, cache_get, cache_put, content_key


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("XNORFLOW_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_what_was_put_comes_back(tmp_path):
    (tmp_path / "a").write_text("content")
    assert not cache_get("kind", "name", tmp_path / "b")
    cache_put("kind", tmp_path / "a", "name")
    assert not cache_get("other", "name", tmp_path / "b")
    assert cache_get("kind", "name", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "content"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "cache"]


def test_the_ones_not_used_for_longest_go(tmp_path, cache):
    (tmp_path / "a").write_text("content")
    for age, name in enumerate(("one", "two", "three")):
        cache_put("kind", tmp_path / "a", name, keep=3)
        os.utime(cache / "kind" / name, (1000 + age, 1000 + age))
    cache_get("kind", "one", tmp_path / "b")
    cache_put("kind", tmp_path / "a", "four", keep=3)
    assert sorted(path.name for path in (cache / "kind").iterdir()) == ["four", "one", "three"]


def test_cache_that_cannot_be_written_is_no_error(tmp_path, cache):
    cache.write_text("a file, not a folder")
    (tmp_path / "a").write_text("content")
    cache_put("kind", tmp_path / "a", "name")
    assert not cache_get("kind", "name", tmp_path / "b")


def test_place_without_override(monkeypatch, tmp_path):
    monkeypatch.delenv("XNORFLOW_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory("kind") == tmp_path / "xnorflow" / "kind"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_directory("kind") == tmp_path / ".cache" / "xnorflow" / "kind"


def test_key_tells_lists_of_parts_apart():
    keys = [content_key("ab", "c"), content_key("a", "bc"), content_key("abc"), content_key("abc", "")]
    assert len(set(keys)) == 4
    assert content_key("ab", b"c") == keys[0]
    assert len(keys[0]) == 32
