"""The layout that packaging, type checkers and readers rely on; CONTRIBUTING.md says why."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
ROOTS = [REPOSITORY / name for name in ("training", "export", "hw")]
PACKAGES = sorted(path for root in ROOTS for path in (root / "xnorflow").iterdir() if path.is_dir())
PACKAGES = [path for path in PACKAGES if path.name != "__pycache__"]
SOURCES = sorted(path for root in ROOTS for path in root.rglob("*.py"))
LONGEST_FILE = 300
# Spelled in parts, so that this file does not hold what it looks for.
INDEX_MARKS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "--index" + "-url",
    "--extra-index" + "-url",
    "download.pytorch" + ".org",
)
TEXT_SUFFIXES = {
    ".py", ".toml", ".md", ".sv", ".cpp", ".hpp", ".j2", ".json", ".yaml", ".yml", ".txt", ".cfg", ".lock", ".sh", "",
}  # fmt: skip


def tracked_files() -> list[Path]:
    """Files of the repository that are not ignored."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [REPOSITORY / name for name in listing.stdout.split("\0") if name]


def test_the_sources_are_found():
    assert {"train", "artifact", "export", "lower", "flow", "rtl"} <= {path.name for path in PACKAGES}
    assert len(SOURCES) > 30


def test_the_namespace_has_no_init():
    """One __init__.py in the namespace would hide the other two roots."""
    assert not [root for root in ROOTS if (root / "xnorflow" / "__init__.py").exists()]


def test_no_two_roots_supply_the_same_package():
    """An editable install would silently shadow one of them."""
    counts = Counter(path.name for path in PACKAGES)
    assert not [name for name, count in counts.items() if count > 1]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_package_is_marked_as_typed(package):
    assert (package / "py.typed").is_file()


@pytest.mark.parametrize("root", ROOTS, ids=lambda path: path.name)
def test_no_module_lies_directly_in_a_root(root):
    """It would be importable under a generic name in a development install."""
    assert not list(root.glob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_source_file_is_too_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_the_stages_import_one_way():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_names_a_package_index():
    pattern = re.compile("|".join(re.escape(mark) for mark in INDEX_MARKS))
    texts = [path for path in tracked_files() if path.suffix in TEXT_SUFFIXES and path.is_file()]
    assert len(texts) > 40
    assert not [path for path in texts if pattern.search(path.read_text(encoding="utf-8", errors="ignore"))]
