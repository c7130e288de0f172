"""An accelerator as a Python object on a virtual board: the whole of what a user calls, and what it refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from xnorflow.artifact.errors import DeployError
from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.progress import SilentProgress
from xnorflow.deploy.accelerator import Accelerator
from xnorflow.deploy.board import Control, Engine, Register
from xnorflow.deploy.overlay import GoldenFrames
from xnorflow.flow.deploy import open_virtual


@pytest.fixture(scope="module")
def accelerator(deployed):
    with open_virtual(deployed / "deploy", SilentProgress(), stall=0.2) as found:
        yield found


@pytest.fixture
def images():
    return np.random.default_rng(3).normal(0, 1, (1100, 30)).astype(np.float32)


@pytest.fixture
def expected(deployed, images):
    """Logits of integer.onnx."""
    from xnorflow.lower.integer_onnx import run_integer

    codec = HostCodec.load(deployed / "host.npz")
    return codec.decode(run_integer(deployed / "integer.onnx", codec.quantize(images), threads=1))


def test_logits_are_those_of_the_integers(accelerator, images, expected):
    """In two parts, with a memory that pauses; and one image alone."""
    images = images.reshape(-1, *accelerator.input_shape)
    np.testing.assert_array_equal(accelerator.execute(images), expected)
    np.testing.assert_array_equal(accelerator.execute(images[7:8]), expected[7:8])
    assert len(np.unique(expected, axis=0)) > 20
    assert accelerator.classify(images[:3]) == [str(label) for label in expected[:3].argmax(axis=1)]


def test_validation_counts(accelerator, images, expected):
    images, labels = images[:50].reshape(-1, *accelerator.input_shape), expected[:50].argmax(axis=1)
    labels[:5] = (labels[:5] + 1) % 4
    found = accelerator.validate(images, labels)
    assert (found.frames, found.correct) == (50, 45)
    assert str(found) == "90.00 % of 50 images (virtual board, simulated)"


def test_throughput_is_cycles_times_clock(accelerator):
    found = accelerator.throughput_test(64)
    assert found.cycles is not None and found.cycles >= 64 * accelerator.description.cycles_per_frame
    assert found.frames_a_second == 64 * 1e9 / (found.cycles * 10)
    assert "virtual board, simulated: cycles x assumed 10 ns, DMA included" in str(found)


def test_golden_frames(accelerator, deployed, tmp_path):
    assert accelerator.self_test() == 30
    shutil.copytree(deployed / "deploy", tmp_path / "deploy")
    golden = GoldenFrames.load(tmp_path / "deploy")
    golden.results[4, 2] += 1
    golden.save(tmp_path / "deploy")
    with (
        open_virtual(tmp_path / "deploy", SilentProgress()) as other,
        pytest.raises(DeployError, match=r"golden frame 4: \[.*\], and 1 of 30 differ; allowed: \[.*\]; load the bit"),
    ):
        other.self_test()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda shape: np.zeros((2, 7)), r"images: shape \(2, 7\); allowed: \(frames, .*\); reshape them"),
        (lambda shape: np.zeros(shape), r"images: shape .*; add the batch's dimension"),
        (lambda shape: np.zeros((0, *shape)), "images: none; allowed: at least one; give an image"),
        (lambda shape: np.full((1, *shape), np.nan), "images: NaN or infinite values; allowed: finite numbers"),
        (lambda shape: np.full((1, *shape), "a"), "images: numbers of kind <U1; allowed: floats or integers"),
        (lambda shape: np.zeros((1, *shape), complex), "images: numbers of kind complex128"),
    ],
)
def test_images_that_are_none(accelerator, make, message):
    with pytest.raises(DeployError, match=message):
        accelerator.execute(make(accelerator.input_shape))
    assert accelerator.self_test() == 30


def test_labels_of_another_number(accelerator, images):
    with pytest.raises(DeployError, match="labels: 3; allowed: 5, one an image"):
        accelerator.validate(images[:5].reshape(-1, *accelerator.input_shape), [0, 1, 2])


class DeadBoard:
    """A board that never is done, or whose memory refuses."""

    simulated = False

    def __init__(self, control: int = 0, failure: int = 0) -> None:
        self.control, self.failure, self.closed = control, failure, False

    def allocate(self, size):
        nothing = lambda: None  # noqa: E731
        return SimpleNamespace(
            address=4096, bytes=np.zeros(size, np.uint8), flush=nothing, invalidate=nothing, free=nothing
        )

    def write(self, engine, register, value):
        pass

    def read(self, engine, register):
        return {Register.CONTROL: self.control, Register.FAILURE: self.failure}.get(register, 0x12)

    def rest(self):
        pass

    def cycles(self):
        return None

    def close(self):
        self.closed = True


def test_a_batch_that_is_never_done(deployed, images):
    board = DeadBoard()
    message = r"4 frames not done after 0.05 s, registers .*'frames': '0x12'.*; load"
    with (
        Accelerator(deployed / "deploy", board, timeout=0.05) as dead,
        pytest.raises(DeployError, match=message),
    ):
        dead.execute(images[:4].reshape(-1, *dead.input_shape))
    assert board.closed


def test_memory_that_refuses(deployed, images):
    with (
        Accelerator(deployed / "deploy", DeadBoard(Control.DONE, 1)) as dead,
        pytest.raises(DeployError, match="engine read: memory refused an access; allowed: addresses of alloc"),
    ):
        dead.execute(images[:4].reshape(-1, *dead.input_shape))


def test_a_board_measures_by_the_clock_on_the_wall(deployed):
    with Accelerator(deployed / "deploy", DeadBoard(Control.DONE)) as dead:
        found = dead.throughput_test(10)
    assert found.cycles is None and found.path == "Pynq-Z2, board, DMA included"
    assert found.frames_a_second == 10 / found.seconds


@pytest.mark.parametrize("content", [None, "", "[]", "{}", json.dumps({"format": 99})])
def test_a_folder_without_an_accelerator(deployed, tmp_path, content):
    shutil.copytree(deployed / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("obj"))
    path = tmp_path / "deploy" / "accelerator.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(DeployError, match=r"/accelerator.json: (missing or not a desc|format 99; allowed)"):
        Accelerator(tmp_path / "deploy", DeadBoard())


def test_files_that_are_missing(deployed, tmp_path):
    shutil.copytree(deployed / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("obj"))
    (tmp_path / "deploy" / "host.npz").unlink()
    with pytest.raises(DeployError, match=r"host.npz: missing or unreadable"):
        Accelerator(tmp_path / "deploy", DeadBoard())
    (tmp_path / "deploy" / "golden.npz").write_bytes(b"no")
    with pytest.raises(DeployError, match=r"golden.npz: missing or unreadable"):
        GoldenFrames.load(tmp_path / "deploy")


def test_pixels_of_another_range(deployed, tmp_path):
    """Pictures of 0 to 255 for a network of pixels from 0 to 1: a silent error otherwise."""
    shutil.copytree(deployed / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("obj"))
    path = tmp_path / "deploy" / "accelerator.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "input_range": [0, 1]}))
    with Accelerator(tmp_path / "deploy", DeadBoard(Control.DONE)) as pixels:
        image = np.full((1, *pixels.input_shape), 255, np.uint8)
        with pytest.raises(DeployError, match="images: values from 255 to 255; allowed: 0 to 1; scale them as those"):
            pixels.execute(image)
        assert len(pixels.execute(image / 255)) == 1


def test_a_forgotten_flush_is_wrong(accelerator, images, monkeypatch):
    """The processor's view and the memory's are apart."""
    images = images[:20].reshape(-1, *accelerator.input_shape)
    right = accelerator.execute(images)
    kind = type(accelerator._buffer("in", 1))
    monkeypatch.setattr(kind, "flush", lambda self: None)
    assert (accelerator.execute(images[::-1]) != right[::-1]).any()


def test_the_virtual_boards_memory_ends(deployed):
    with open_virtual(deployed / "deploy", SilentProgress()) as small:
        board = small._board
        first = board.allocate(5000)
        second = board.allocate(100)
        assert (first.address % 4096, second.address - first.address) == (0, 8192)
        first.free()
        assert board.allocate(4096).address == first.address
        with pytest.raises(DeployError, match=r"memory: no room for 16,777,216 bytes; allowed: 16,777,216"):
            board.allocate(1 << 24)
        assert board.read(Engine.READ, Register.FRAMES) == 0


def test_the_boards_side_needs_numpy_only():
    """Neither pynq nor what the workstation has is loaded."""
    code = "import sys, xnorflow.deploy.accelerator; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "numpy" in loaded and not {"torch", "onnx", "finn", "pydantic", "rich", "typer", "pynq"} & set(loaded)
