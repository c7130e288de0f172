"""An overlay as a Python package: its files, what is refused, the wheel that pip makes, and pynq that finds it."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.errors import ConfigError, DeployError, OutputError
from xnorflow.artifact.streams import StreamSpec
from xnorflow.deploy.overlay import GoldenFrames, OverlayDescription
from xnorflow.package.overlay import LabeledImages, PackageName, write_overlay_package

sys.path.insert(0, str(Path(__file__).parent))

from folder_contents import contents

REPOSITORY = Path(__file__).parents[2]
PACKAGE = PackageName("my-overlays")
PART, BOARD = "xczu7ev-ffvc1156-2-e", "ZCU104"
IMAGES = LabeledImages(np.zeros((3, 1, 4, 4), np.float32), np.arange(3))


def bit_file(part: str) -> bytes:
    """The head of a .bit file, as UG470's readers know it."""
    fields = ((b"a", "top_wrapper;UserID=0XFFFFFFFF;Version=2022.2"), (b"b", part), (b"c", "2022/11/22"), (b"d", "05"))
    texts = b"".join(key + (len(text) + 1).to_bytes(2, "big") + text.encode() + b"\0" for key, text in fields)
    return bytes.fromhex("00090ff00ff00ff00ff0000001") + texts + b"e" + (4).to_bytes(4, "big") + b"\xff" * 4


def handoff(*cells: str) -> str:
    return "".join(f'<MODULE INSTANCE="{cell}"/>\n' for cell in cells)


def write_folder(folder: Path, name: str = "tfc") -> Path:
    """What `xnorflow deploy` and Vivado leave."""
    folder.mkdir()
    source, sink = StreamSpec("in0_V", "BIPOLAR", 1, 16, 4), StreamSpec("out0_V", "UINT4", 4, 3, 1)
    classes = ("cat", "dog", "bird")
    OverlayDescription(name, BOARD, PART, 10.0, 4, 9, 128, source, sink, classes, "0" * 64).save(folder)
    GoldenFrames(np.zeros((2, 1, 4, 4), np.float32), np.zeros((2, 3), np.int64)).save(folder)
    (folder / "host.npz").write_bytes(b"host")
    (folder / f"{name}.bit").write_bytes(bit_file(PART))
    (folder / f"{name}.hwh").write_text(handoff("idma0", "odma0"))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "deploy")


def test_what_is_in_it(folder, tmp_path):
    assert write_overlay_package(folder, tmp_path / "out", PACKAGE, IMAGES) is False
    found = contents(tmp_path / "out")
    overlay = ("tfc.bit", "tfc.hwh", "accelerator.json", "host.npz", "golden.npz", "test_images.npz")
    assert set(found) == {
        "pyproject.toml", "README.md", "LICENSE", "my_overlays/__init__.py", "my_overlays/overlays/__init__.py",
        "my_overlays/notebooks/__init__.py", "my_overlays/notebooks/tfc.ipynb",
        *(f"my_overlays/overlays/tfc/{name}" for name in overlay),
    }  # fmt: skip
    for name in overlay[:-1]:
        assert found[f"my_overlays/overlays/tfc/{name}"] == (folder / name).read_bytes()
    project = tomllib.loads(found["pyproject.toml"].decode())["project"]
    assert project["entry-points"] == {
        "pynq.overlays": {"tfc": "my_overlays.overlays"}, "pynq.notebooks": {"tfc": "my_overlays.notebooks"}
    }  # fmt: skip
    assert (project["name"], project["requires-python"]) == ("my-overlays", ">=3.8")
    assert project["dependencies"] == ["xnorflow-board"]
    assert found["LICENSE"] == (REPOSITORY / "LICENSE").read_bytes()
    with np.load(tmp_path / "out" / "my_overlays" / "overlays" / "tfc" / "test_images.npz") as content:
        np.testing.assert_array_equal(content["labels"], IMAGES.labels)
        assert content["images"].shape == (3, 1, 4, 4)


def test_equal_inputs_give_equal_bytes(folder, tmp_path):
    for name in ("one", "two", "one"):  # an earlier package is replaced
        write_overlay_package(folder, tmp_path / name, PACKAGE, IMAGES)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("images", [IMAGES, None])
def test_the_notebook(folder, tmp_path, images):
    """Without outputs, in a Python as old as boards have it; without labels it draws and counts nothing."""
    write_overlay_package(folder, tmp_path / "out", PACKAGE, images)
    notebook = json.loads((tmp_path / "out" / "my_overlays" / "notebooks" / "tfc.ipynb").read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    code = "\n".join("".join(cell["source"]) for cell in cells)
    ast.parse(code, feature_version=(3, 8))
    for call in ("self_test()", "throughput_test()", "close()"):
        assert f"accelerator.{call}" in code
    for call in ("classify(", "validate(", "imshow("):
        assert (call in code) == (images is not None)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


def test_a_virtual_overlay_says_so(folder, tmp_path):
    (folder / "tfc.hwh").write_text(handoff("idma0", "odma0", "virtual_board_cycles"))
    assert write_overlay_package(folder, tmp_path / "out", PACKAGE, None) is True
    assert "for virtual boards only" in (tmp_path / "out" / "README.md").read_text()
    assert "Virtual overlay of" in (tmp_path / "out" / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "tfc.bit",
            None,
            r"overlay .*/tfc.bit: missing; allowed: a .bit and the .hwh of the same build beside it; run",
        ),
        (
            "tfc.hwh",
            None,
            r"overlay .*/tfc.hwh: missing; allowed: .*; run `xnorflow synthesize RUN --target vivado`, or",
        ),
        ("tfc.bit", bit_file("7z020clg400"), r"tfc.bit: a bitstream for 7z020clg400; allowed: xczu7ev-ffvc1156-2-e"),
        ("tfc.bit", b"", r"overlay .*/tfc.bit: "),
        (
            "tfc.hwh",
            handoff("idma0").encode(),
            r"tfc.hwh: no cell odma0; allowed: cells idma0 and odma0; take the .hwh",
        ),
        ("accelerator.json", b"{}", r"accelerator.json: missing or not a description"),
    ],
)
def test_what_is_not_packaged(name, content, message, folder, tmp_path):
    write_overlay_package(folder, tmp_path / "out", PACKAGE, None)
    before = contents(tmp_path / "out")
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(DeployError, match=message):
        write_overlay_package(folder, tmp_path / "out", PACKAGE, None)
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("name", ["", "My", "1st", "a b", "a--b", "a.b", "-a", "a_", "x" * 49, "ä"])
def test_names_that_are_none(name):
    with pytest.raises(
        ConfigError, match=r"option --package: .*; allowed: lower-case letters and digits in words with"
    ):
        PackageName(name)


@pytest.mark.parametrize("name", ["numpy", "pynq", "xnorflow", "xnorflow-board", "json", "class", "test"])
def test_names_that_are_taken(name):
    with pytest.raises(ConfigError, match=f"option --package: {name!r} is taken; allowed: a name of its own"):
        PackageName(name)


def test_an_overlay_that_pynq_could_not_name(tmp_path):
    with pytest.raises(ConfigError, match="overlay 'my run': a name that no entry point has; allowed: letters"):
        write_overlay_package(write_folder(tmp_path / "deploy", "my run"), tmp_path / "out", PACKAGE, None)


def test_a_target_that_is_something_else(folder, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match=r"output .*/file: is a file; allowed: a folder that is new, empty or of an"):
        write_overlay_package(folder, tmp_path / "file", PACKAGE, None)
    other = tmp_path / "other"
    other.mkdir()
    (other / "pyproject.toml").write_text('[project]\nname = "mine"\n')
    with pytest.raises(OutputError, match=r"output folder .*/other: holds other files; allowed: .*; move it away"):
        write_overlay_package(folder, other, PACKAGE, None)
    assert contents(other) == {"pyproject.toml": b'[project]\nname = "mine"\n'}


def wheel(source: Path, target: Path) -> Path:
    """Let pip make the wheel, of nothing but what is here."""
    command = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index")
    subprocess.run([*command, "-w", target, source], check=True, capture_output=True)
    (found,) = target.glob("*.whl")
    return found


def install(target: Path, *wheels: Path) -> Path:
    command = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", target)
    subprocess.run([*command, *wheels], check=True, capture_output=True)
    return target


def test_the_wheel(folder, tmp_path):
    """All files are in it, though a repository around the folder ignores them; twice the same bytes."""
    work = tmp_path / "repository"
    work.mkdir()
    (work / ".git").mkdir()
    (work / ".gitignore").write_text("*\n")
    write_overlay_package(folder, work / "out", PACKAGE, IMAGES)
    first, second = (wheel(work / "out", tmp_path / name) for name in ("one", "two"))
    assert first.name == "my_overlays-1.0.0-py3-none-any.whl" and first.read_bytes() == second.read_bytes()
    site = install(tmp_path / "site", first)
    packaged = {name: data for name, data in contents(work / "out").items() if name.startswith("my_overlays/")}
    assert packaged.items() <= contents(site).items()
    (found,) = metadata.distributions(name="my-overlays", path=[str(site)])
    entries = {(entry.group, entry.name): entry.value for entry in found.entry_points}
    assert entries == {
        ("pynq.overlays", "tfc"): "my_overlays.overlays", ("pynq.notebooks", "tfc"): "my_overlays.notebooks"
    }  # fmt: skip
    assert found.metadata["License-Expression"] == "BSD-3-Clause" and found.requires == ["xnorflow-board"]
    code = "import my_overlays; print(sorted(path.name for path in my_overlays.FOLDER.iterdir()))"
    shown = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(site)}, capture_output=True, text=True,
                           check=True)  # fmt: skip
    assert "'tfc.bit', 'tfc.hwh'" in shown.stdout


@pytest.fixture
def pynq_folder() -> Path:
    """The programs of an environment with pynq 4.0.0."""
    found = Path(os.environ.get("XNORFLOW_BOARD_VENV") or REPOSITORY / ".venv-board") / "bin"
    if not (found / "pynq").is_file():
        pytest.skip(f"no pynq in {found} (`make board-env`), and XNORFLOW_BOARD_VENV names no other environment")
    return found


FIND = """
import sys
from types import SimpleNamespace
from pynq.bitstream import Bitstream
print(Bitstream("tfc.bit", device=SimpleNamespace(name="none", tag="none")).bitfile_name)
"""


def test_pynq_finds_bitstream_and_notebook(folder, tmp_path, pynq_folder):
    """By name, with pynq as PyPI has it, from the wheels of this package and of the board's side."""
    write_overlay_package(folder, tmp_path / "out", PACKAGE, IMAGES)
    wheels = (wheel(tmp_path / "out", tmp_path / "one"), wheel(REPOSITORY / "hw" / "board_side", tmp_path / "two"))
    site = install(tmp_path / "site", *wheels)
    variables = {**os.environ, "PYTHONPATH": str(site)}

    def run(*command: object) -> str:
        done = subprocess.run(
            [str(part) for part in command], env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run(pynq_folder / "python", "-c", FIND).split()[-1] == f"{site}/my_overlays/overlays/tfc/tfc.bit"
    assert "- tfc (source: my_overlays)" in run(pynq_folder / "pynq", "get-notebooks", "--list")
    run(pynq_folder / "pynq", "get-notebooks", "--from-package", "my-overlays", "--ignore-overlays", "all")
    delivered = tmp_path / "pynq-notebooks" / "tfc"
    assert [path.name for path in delivered.iterdir()] == ["tfc.ipynb"]
    source = tmp_path / "out" / "my_overlays" / "notebooks" / "tfc.ipynb"
    assert (delivered / "tfc.ipynb").read_bytes() == source.read_bytes()
