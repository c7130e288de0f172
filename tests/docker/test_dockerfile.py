"""What the Dockerfile and its scripts keep to; `make docker-check` builds and runs the image itself."""

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = [REPOSITORY / name for name in ("Dockerfile", ".dockerignore", "Makefile", "requirements.lock")]
FILES += sorted((REPOSITORY / "docker").iterdir())
DOCUMENTS = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
CHECK = REPOSITORY / "docker" / "check.sh"


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, continued lines joined."""
    text = "\n".join(
        line for line in (REPOSITORY / "Dockerfile").read_text().splitlines() if not line.lstrip().startswith("#")
    )
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    found = [(line.split(maxsplit=1)[0], " ".join(line.split()[1:])) for line in lines]
    assert {"ARG", "FROM", "RUN", "USER", "COPY", "CMD"} <= {name for name, _ in found}
    return found


def arguments(instructions, name):
    return [text for found, text in instructions if found == name]


def test_the_base_is_one_release_that_a_build_argument_replaces(instructions):
    assert instructions[:2] == [("ARG", "BASE=debian:bookworm-slim"), ("FROM", "${BASE}")]
    assert len(arguments(instructions, "FROM")) == 1


def test_the_user_is_not_root_from_the_first_package_of_python_on(instructions):
    users = arguments(instructions, "USER")
    assert users == ["xnorflow"]
    behind = instructions[instructions.index(("USER", "xnorflow")) :]
    assert any("install.sh" in text for name, text in behind if name == "RUN")
    assert all("--chown=xnorflow" in text for name, text in behind if name == "COPY")


def test_no_layer_keeps_package_lists_or_caches(instructions):
    runs = arguments(instructions, "RUN")
    for run in (run for run in runs if "apt-get" in run):
        assert "--no-install-recommends" in run and run.endswith("rm -rf /var/lib/apt/lists/*")
    script = (REPOSITORY / "docker" / "install.sh").read_text()
    pips = [line for text in (*runs, script) for line in text.splitlines() if re.search(r"\bpip install\b", line)]
    assert len(pips) == 2 and all("--no-cache-dir" in line and "--no-deps" in line for line in pips)


def test_notebooks_are_published_on_the_loopback_address_alone(instructions):
    """Inside, the server listens on all addresses of the container: docker could not forward to it otherwise."""
    assert "EXPOSE" not in dict(instructions) and "--port=8888" in arguments(instructions, "CMD")[0]
    texts = {path: path.read_text(encoding="utf-8") for path in (*DOCUMENTS, *FILES)}
    published = {
        (path.name, port)
        for path, text in texts.items()
        for port in re.findall(r"(?:\s-p|--publish)[ =]+([\w.:$\[\]]+)", text)
        if "docker" in text.lower() and ":" in port
    }
    assert ("README.md", "127.0.0.1:8888:8888") in published
    assert all(port.startswith("127.0.0.1:") for _, port in published)


def test_vendor_tools_are_mounted_and_never_copied(instructions):
    assert not [text for name, text in instructions if name in ("COPY", "ADD", "RUN") and "xilinx" in text.lower()]
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "-v /opt/Xilinx:/opt/Xilinx:ro" in readme and "XILINX_VIVADO=" in readme and "XILINX_HLS=" in readme


def test_what_is_of_one_machine_stays_out():
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert {".git", ".venv", "runs", "build", "dist"} <= set(ignored)
    assert not [line for line in ignored if line.startswith("!")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_has_an_address(path):
    text = path.read_text(encoding="utf-8")
    addresses = re.findall(r"\w+://[^\s\"']+", text)
    assert [address for address in addresses if not address.startswith("http://127.0.0.1:")] == []


@pytest.mark.parametrize("path", sorted((REPOSITORY / "docker").glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_executable_and_parse(path):
    assert path.stat().st_mode & stat.S_IXUSR
    shell = path.read_text().splitlines()[0].removeprefix("#!")
    assert subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False).stderr == ""


@pytest.fixture
def programs(tmp_path):
    """A folder of stand-ins to search for programs in: each prints the text given for it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("bash", "dirname", "head", "tail"):
        (folder / name).symlink_to(shutil.which(name))

    def write(**prints):
        for name, text in prints.items():
            (folder / name.replace("_", "-")).write_text(f"#!/bin/sh\nprintf '%s' '{text}'\n")
            (folder / name.replace("_", "-")).chmod(0o755)
        return {"PATH": str(folder)}

    return write


@pytest.mark.parametrize(
    ("present", "found"),
    [
        ({}, "not found: buildah debootstrap; run: apt-get install -y buildah debootstrap"),
        ({"buildah": ""}, "not found: debootstrap; run: apt-get install -y debootstrap"),
        ({"buildah": "", "debootstrap": "", "id": "1000"}, "are for root; run: sudo make docker-check"),
        (
            {"buildah": "", "debootstrap": "", "id": "0", "apt_get": "mirror", "df": "Avail\n12"},
            "/var/tmp has 12 MB free, 32000 are needed; give TMPDIR=...",
        ),
        (
            {"buildah": "", "debootstrap": "", "id": "0", "apt_get": ""},
            "no mirror of Debian 12 (bookworm); give MIRROR=",
        ),
    ],
)
def test_what_the_check_lacks_is_said_in_one_line(programs, present, found):
    done = subprocess.run([CHECK], env=programs(**present), capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: ") and found in done.stderr and done.stderr.count("\n") == 1


def install(tmp_path, *torch):
    """Run install.sh with a python3 that only notes what it is called with; returns the calls and the lock it read."""
    folder = tmp_path / "bin"
    folder.mkdir()
    note = 'echo "$*" >> "$NOTES"; for word; do [ -f "$word" ] && cat "$word" > "$NOTES.lock"; done; true'
    for path in (folder / "python3", tmp_path / "venv" / "bin" / "python"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{note}\n")
        path.chmod(0o755)
    environment = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "NOTES": str(tmp_path / "notes"),
        "XNORFLOW_VENV": str(tmp_path / "venv"),
    }  # fmt: skip
    subprocess.run([REPOSITORY / "docker" / "install.sh", *torch], cwd=REPOSITORY, env=environment, check=True)
    return (tmp_path / "notes").read_text().splitlines(), (tmp_path / "notes.lock").read_text()


def names_in(lock):
    return {line.split("==")[0] for line in lock.splitlines() if "==" in line}


def test_the_whole_lock_is_installed_hashes_checked(tmp_path):
    calls, lock = install(tmp_path)
    assert lock == (REPOSITORY / "requirements.lock").read_text()
    assert len(calls) == 2 and "--require-hashes -r" in calls[1] and "--only-binary :all:" in calls[1]


def test_other_wheels_of_torch_replace_it_and_its_cuda_libraries(tmp_path):
    calls, lock = install(tmp_path, "torch==2.12.1+cpu torchvision==0.27.1+cpu")
    whole = (REPOSITORY / "requirements.lock").read_text()
    left_out = names_in(whole) - names_in(lock)
    assert {"torch", "torchvision", "triton", "nvidia-cublas"} <= left_out
    assert {name.split("-")[0] for name in left_out} == {"torch", "torchvision", "triton", "nvidia", "cuda"}
    assert "torchmetrics" in names_in(lock) and lock.count("--hash=") == whole.count("--hash=") - sum(
        entry.count("--hash=") for entry in re.split(r"\n(?=\w)", whole) if entry.split("==")[0] in left_out
    )
    assert calls[2].endswith(" torch==2.12.1+cpu torchvision==0.27.1+cpu") and "hashes" not in calls[2]


def test_make_passes_the_users_number_and_never_roots():
    printed = subprocess.run(
        ["make", "--dry-run", "docker", "docker-demo"], cwd=REPOSITORY, capture_output=True, text=True, check=True,
        env={key: value for key, value in os.environ.items() if not key.startswith("MAKE")},  # as make test sets them
    ).stdout  # fmt: skip
    number = int(re.search(r"--build-arg UID=(\d+)", printed)[1])
    assert number == (os.getuid() or 1000)
    assert "/runs:/home/xnorflow/xnorflow/runs" in printed and printed.rstrip().endswith("xnorflow make demo")
