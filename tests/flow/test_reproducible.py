"""Two builds of one network, by processes that hash differently, in two places: equal bytes; what manifests say."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xnorflow.artifact.files import sha256_of
from xnorflow.artifact.manifest import Manifest
from xnorflow.flow.build_manifest import SHOWN, note_files, packages_of
from xnorflow.flow.folders import Folders

sys.path.insert(0, str(Path(__file__).parents[1] / "lower"))

from map_files import trunk_in

SUFFIXES = {"rtl": {".sv", ".mem", ".json"}, "hls": {".cpp", ".hpp", ".tcl", ".json"}}
BACKENDS = tuple(SUFFIXES)
BUILD = """
import sys
from xnorflow.flow.cli import main
for backend in sys.argv[1:]:
    options = ["--until", "generate", "--frames", "8", "--backend", backend, "--quiet"]
    code = main(["build", "net.onnx", "--board", "Pynq-Z2", "--output", backend, *options])
    if code:
        sys.exit(code)
"""
# Seconds, names that qonnx draws at random, and the hashes of these.
OF_ONE_RUN = ("build.log", "stages.json", "manifest.json", "report/lowering.json", "report/report.html")
MODELS = "intermediate_models"


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> list[Path]:
    """Two folders, each with the network ``net.onnx`` and what was built of it in ``rtl/`` and ``hls/``."""
    model = trunk_in().block().head().save(tmp_path_factory.mktemp("model") / "net.onnx")
    places = []
    for number, seed in enumerate(("1", "20261122")):
        places.append(tmp_path_factory.mktemp("a" * (1 + 9 * number)))
        shutil.copy(model, places[-1] / "net.onnx")
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", BUILD, *BACKENDS]
        done = subprocess.run(command, cwd=places[-1], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return places


@pytest.fixture
def built(places, tmp_path) -> Folders:
    """A copy of one of the builds, to do harm to."""
    return Folders.of_build(Path(shutil.copytree(places[0] / "rtl", tmp_path / "built")))


def contents(folder):
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name not in OF_ONE_RUN and not name.startswith(MODELS)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_equal_networks_give_equal_bytes(places, backend):
    first, second = (contents(place / backend) for place in places)
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []
    assert {Path(name).suffix for name in first} >= SUFFIXES[backend]
    assert {"rtl": "design.json", "hls": "hls_design.json"}[backend] in first


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_manifest_has_every_file_with_its_hash(places, backend):
    folder = places[0] / backend
    manifest = Manifest.load(folder)  # holds every hash against the file
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(manifest.files) == files - {"build.log", "stages.json", "manifest.json"}
    assert manifest.stage == "build" and list(manifest.facts["stages"]) == ["reference", "generate", "report"]
    assert {"python", "xnorflow", "finn-plus", "qonnx", "onnx", "onnxruntime"} <= set(manifest.tools)
    assert manifest.tools["finn-plus"] == "1.6.1" and manifest.tools["python"] == sys.version.split()[0]


def test_manifests_of_equal_builds_differ_only_in_what_is_of_one_run(places):
    first, second = (Manifest.load(place / "rtl") for place in places)
    differing = {name for name in first.files if first.files[name] != second.files[name]}
    assert {name for name in differing if not name.startswith(MODELS)} <= set(OF_ONE_RUN)
    assert (first.tools, first.facts) == (second.tools, second.facts)


def test_a_build_as_it_was_written(cli, built):
    outcome = cli("manifest", built.root)
    count = len(json.loads((built.build / "manifest.json").read_text())["files"])
    assert outcome.code == 0 and f"{count} files as written: {built.root}" in outcome.out
    assert "finn-plus 1.6.1" in outcome.out


def test_files_changed_by_hand_are_named(cli, built):
    with (built.build / "rtl" / "xnorflow_top.sv").open("a", encoding="utf-8") as file:
        file.write("// mine\n")
    (built.build / "host.npz").unlink()
    outcome = cli("manifest", built.root)
    line = outcome.error_line()
    assert outcome.code == 2 and f"folder {built.root}: host.npz is missing, rtl/xnorflow_top.sv was changed; " in line
    assert "run the stages again" in line


def test_a_change_by_hand_stays_one_whatever_is_written_later(cli, built):
    """A later stage must not sign for what was changed before it."""
    (built.build / "rtl" / "xnorflow_top.sv").write_text("// mine\n", encoding="utf-8")
    assert cli("report", built.root).code == 0
    assert "rtl/xnorflow_top.sv was changed" in cli("manifest", built.root).error_line()


def test_of_many_changed_files_the_first_are_named(cli, built):
    sources = sorted((built.build / "rtl").glob("*.sv"))
    assert len(sources) > SHOWN
    for path in sources:
        path.unlink()
    line = cli("manifest", built.root).error_line()
    assert line.count(" is missing") == SHOWN and f" and {len(sources) - SHOWN} more; " in line


@pytest.mark.parametrize("content", [None, "", "[]", '{"name": "x"}'])
def test_a_build_without_a_readable_manifest(cli, built, content):
    path = built.build / "manifest.json"
    path.unlink() if content is None else path.write_text(content, encoding="utf-8")
    outcome = cli("manifest", built.root)
    assert outcome.code == 2 and "no readable manifest.json" in outcome.error_line()


def test_a_lost_manifest_is_written_again_where_all_is_kept(cli, built, places):
    (built.build / "manifest.json").unlink()
    options = ("--board", "Pynq-Z2", "--output", built.root, "--until", "generate", "--frames", "8")
    outcome = cli("build", places[0] / "net.onnx", *options)
    assert outcome.code == 0 and "unchanged, kept" in outcome.out
    assert cli("manifest", built.root).code == 0


def test_files_of_other_makers_are_noted(built):
    made = built.build / "bitfile" / "top.bit"
    made.parent.mkdir()
    made.write_bytes(b"bits")
    note_files(built, "vivado", [made], {"vivado": "2099.1"})
    manifest = Manifest.load(built.build)
    assert manifest.files["bitfile/top.bit"] == sha256_of(made)
    assert manifest.tools["vivado"] == "2099.1" and manifest.facts["stages"]["vivado"] == ["bitfile/top.bit"]


def test_every_stage_names_its_tools():
    assert set(packages_of("simulate")) == {"python", "xnorflow"}
    assert {"torch", "brevitas"} <= set(packages_of("train"))
