"""Memory files by the names that sources give them."""

from xnorflow.artifact.memory_files import memory_files, string_literals


def test_literals():
    assert string_literals('.Start("b.mem"), .Style("a") // "a"\n"open\n') == ["a", "b.mem"]


def test_one_file_or_numbered_ones(tmp_path):
    for name in ("weights.mem", "table_0.mem", "table_1.mem", "table_3.mem"):
        (tmp_path / name).write_text("0")
    assert [path.name for path in memory_files(tmp_path / "weights.mem")] == ["weights.mem"]
    assert [path.name for path in memory_files(tmp_path / "table")] == ["table_0.mem", "table_1.mem"]
    assert not list(memory_files(tmp_path / "block"))
