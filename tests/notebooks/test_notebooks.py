"""The notebooks: stripped in the repository, numbered like the stages, and each runs by itself."""

import os
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbmake.nb_run import NotebookRun

from xnorflow.flow.experiment import Experiment

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
STAGES = ("train", "export", "lower", "simulate", "synthesize", "deploy")
PATHS = [NOTEBOOKS / f"{number}_{stage}.ipynb" for number, stage in enumerate(STAGES, start=1)]
CELL_SECONDS = 600
PATH_WORDS = ("float", "simulated", "estimate", "yosys", "measured", "cycle model", "torch")


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_is_one_a_stage():
    assert set(PATHS) <= set(NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_output_is_kept(path):
    """To strip one: jupyter nbconvert --clear-output --inplace notebooks/<name>.ipynb."""
    notebook = read(path)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    for cell in code_cells(notebook):
        assert cell.outputs == [] and cell.execution_count is None, cell.id
    for cell in notebook.cells:
        assert not cell.metadata, cell.id


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_begins_with_its_title_and_ends_with_something_to_try(path):
    notebook = read(path)
    assert notebook.cells[0].source.startswith(f"# {path.stem[0]} ")
    assert notebook.cells[-1].source.startswith("## Try this\n")
    sources = [cell.source for cell in code_cells(notebook)]
    assert sum(len(re.findall(r"^ *assert ", source, re.MULTILINE)) for source in sources) >= 2


def executed(path, folder):
    """Run a copy of a notebook in ``folder``, which is new, and return it."""
    for name in (path.name, "digits.toml"):
        shutil.copyfile(NOTEBOOKS / name, folder / name)
    before = path.read_bytes()
    done = NotebookRun(folder / path.name, CELL_SECONDS).execute()
    assert done.error is None, done.error.trace
    assert path.read_bytes() == before
    cells = code_cells(done.nb)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    return [output for cell in cells for output in cell.outputs]


@pytest.fixture
def folder(request):
    """A folder beside that of the runs: notebooks write into ``../runs``, and wait for one another there."""
    made = Path(os.environ["XNORFLOW_CACHE"]) / "notebooks" / request.node.name
    made.mkdir(parents=True)
    return made


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_runs_from_its_first_cell_to_its_last(path, folder):
    outputs = executed(path, folder)
    pictures = [one for one in outputs if {"image/png", "text/html"} & set(one.get("data", {}))]
    assert len(pictures) >= 3
    shown = " ".join(one.get("text", "") + str(one.get("data", "")) for one in outputs)
    assert any(word in shown for word in PATH_WORDS)


@pytest.mark.full
def test_deploy_runs_where_the_accelerators_folder_lies_beside_it(folder):
    """As on a board, where nothing can be trained or built."""
    made = Experiment(NOTEBOOKS / "digits.toml", folder.parent / "runs" / "notebooks").until("generate").deploy()
    shutil.copytree(made, folder / "deploy")
    texts = [one.get("text", "") for one in executed(PATHS[-1], folder)]
    assert any("golden frames equal" in text for text in texts)
    assert not any("integer.onnx" in text for text in texts)
