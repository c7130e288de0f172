"""The README's tables of training methods are what the committed records come to."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPARISONS = sorted((ROOT / "training" / "comparisons").glob("*.toml"))


@pytest.fixture
def copied(tmp_path):
    """Return a README beside the comparisons and their records, as in the repository."""
    shutil.copytree(ROOT / "training" / "comparisons", tmp_path / "training" / "comparisons")
    return Path(shutil.copy(ROOT / "README.md", tmp_path))


@pytest.mark.parametrize("file", COMPARISONS, ids=lambda path: path.stem)
def test_tables_are_those_of_the_records(copied, file, cli):
    before = copied.read_text(encoding="utf-8")
    comparison = copied.parent / file.relative_to(ROOT)
    done = cli("compare", comparison, "--table-only", "--readme", copied)
    assert done.code == 0
    assert copied.read_text(encoding="utf-8") == before


def test_all_tables_are_of_present_settings():
    assert len(COMPARISONS) >= 3
    assert "†" not in (ROOT / "README.md").read_text(encoding="utf-8")
