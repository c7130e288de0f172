"""``xnorflow draw``: digits drawn in a browser, recognized by the design's RTL on a virtual board."""

from __future__ import annotations

import dataclasses
import math
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from xnorflow.artifact.errors import DeployError
from xnorflow.artifact.files import sha256_of
from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.progress import SilentProgress
from xnorflow.deploy.accelerator import Accelerator
from xnorflow.deploy.overlay import DESCRIPTION, HOST, GoldenFrames, OverlayDescription
from xnorflow.flow.deploy import build_virtual_board, deploy
from xnorflow.flow.draw_server import RequestError, open_server
from xnorflow.flow.folders import Folders
from xnorflow.flow.progress import RichProgress, console_for
from xnorflow.flow.report import fill_template
from xnorflow.flow.strokes import Strokes, draw_strokes, pen_for

__all__ = ["Answer", "Recognizer", "deployed_folder", "draw", "read_strokes"]

GOLDEN_FRAMES = 20
MOST_POINTS = 4000
LARGEST_SIDE = 64


@dataclasses.dataclass(frozen=True)
class Answer:
    """What the accelerator says of a drawing.

    Args:
        label: class with the largest logit; of equal ones the first.
        name: of the class.
        logits: one a class; None where the accelerator sends labels.
        pixels: what the accelerator sees, row by row, 0 (lowest level) to 1 (highest).
        cycles: clock cycles of the virtual board, from the first write to a register to the answer seen by the host.
        microseconds: cycles times the assumed clock.
    """

    label: int
    name: str
    logits: list[float] | None
    pixels: list[list[float]]
    cycles: int
    microseconds: float


class Recognizer:
    """The accelerator of a folder on a virtual board, which takes drawings. Close it after use.

    Args:
        folder: that ``xnorflow deploy`` wrote.
        quiet: say nothing while the simulation is compiled.

    Raises:
        UserError: the folder holds no accelerator, or one that does not take square gray images, or the simulation
            cannot be built.
    """

    def __init__(self, folder: Path, *, quiet: bool = True) -> None:
        self.description = OverlayDescription.load(folder)
        progress = SilentProgress() if quiet else RichProgress(console_for(sys.stderr))
        self._codec = HostCodec.load(folder / HOST)
        self.side = _side(self._codec.input_shape, folder)
        self._pen = pen_for(self.side)
        self._range = self.description.input_range or _range_of(folder)
        self._board = build_virtual_board(folder, progress)
        self._accelerator = Accelerator(folder, self._board)
        self._one_at_a_time = threading.Lock()

    def close(self) -> None:
        """End the simulation."""
        with self._one_at_a_time:
            self._accelerator.close()

    def image(self, strokes: Strokes) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Return what the network is given for a drawing, float32 (1, *input_shape)."""
        low, high = self._range
        shade = draw_strokes(strokes, self._pen)
        return (low + shade * (high - low)).astype(np.float32).reshape(1, *self._codec.input_shape)

    def recognize(self, strokes: Strokes) -> Answer:
        """Let the accelerator compute a drawing.

        Raises:
            DeployError: it does not answer.
        """
        image = self.image(strokes)
        with self._one_at_a_time:
            before = self._board.cycles()
            result = self._accelerator.execute(image)[0]
            cycles = self._board.cycles() - before
        logits = None if result.ndim == 0 else [float(value) for value in result]
        label = int(result if result.ndim == 0 else result.argmax())
        clock = self.description.clock_ns
        name = self.description.classes[label]
        return Answer(label, name, logits, self._seen(image), cycles, cycles * clock / 1000)

    def _seen(self, image: np.ndarray[Any, np.dtype[np.float32]]) -> list[list[float]]:
        """Return the levels that travel to the accelerator, 0 to 1, at their places in the image."""
        levels = self._codec.levels
        travelling = self._codec.quantize(image)[0].astype(np.float64)
        flat = np.empty_like(travelling)
        flat[np.arange(flat.size) if self._codec.order is None else self._codec.order] = travelling
        share = (flat - levels[0]) / max(int(levels[-1] - levels[0]), 1)
        return [[float(value) for value in row] for row in share.reshape(self.side, self.side)]

    def page(self) -> str:
        """Return the page."""
        design = self.description
        return fill_template(
            "draw.html.j2", design=design, side=self.side, bits=math.ceil(math.log2(len(self._codec.levels)))
        )


def draw(directory: Path, port: int, *, quiet: bool) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        UserError: there is no design, or none that takes square gray images; the port is taken.
    """
    folder = deployed_folder(directory, quiet=quiet)
    _side(HostCodec.load(folder / HOST).input_shape, folder)
    progress = RichProgress(console_for(sys.stdout), quiet=quiet)
    recognizer: Recognizer | None = None

    def answer(content: Any) -> dict[str, Any]:
        assert recognizer is not None, "the server runs behind it"
        return dataclasses.asdict(recognizer.recognize(read_strokes(content)))

    with open_server(port, answer) as server:  # first, so that a port that is taken is told at once
        recognizer = Recognizer(folder, quiet=quiet)
        server.page = recognizer.page().encode()
        progress.say(f"http://127.0.0.1:{server.server_port}/  (virtual board, simulated; Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            progress.say("ended")
        finally:
            recognizer.close()


def read_strokes(content: Any) -> list[np.ndarray[Any, np.dtype[np.float64]]]:
    """Return the strokes of a request, checked.

    Raises:
        RequestError: they are no lists of points within the drawing area, or too many.
    """
    strokes = content.get("strokes") if isinstance(content, dict) else None
    if not isinstance(strokes, list) or not strokes:
        raise RequestError(400, 'no strokes; send {"strokes": [[[x, y], ...], ...]}, x and y from 0 to 1')
    if not all(isinstance(stroke, list) and stroke for stroke in strokes):
        raise RequestError(400, "a stroke is no list of points, or has none")
    points = [point for stroke in strokes for point in stroke]
    if len(points) > MOST_POINTS:
        raise RequestError(413, f"{len(points):,} points; at most {MOST_POINTS:,}")
    for point in points:
        numbers = isinstance(point, list) and len(point) == 2 and all(type(value) in (int, float) for value in point)
        if not numbers or not all(0 <= value <= 1 for value in point):
            raise RequestError(400, "a point is not [x, y] with x and y from 0 to 1")
    return [np.array(stroke, np.float64) for stroke in strokes]


def deployed_folder(directory: Path, *, quiet: bool) -> Path:
    """Return the folder of the accelerator; a run that has none, or that of an earlier design, gets one."""
    if (directory / DESCRIPTION).is_file():
        return directory
    folders = Folders.find(directory)
    design = folders.load_rtl_design()
    _side_of_design(folders)
    target = folders.deployed
    if not (target / DESCRIPTION).is_file() or not _is_current(
        OverlayDescription.load(target), design, target, folders
    ):
        deploy(directory, None, GOLDEN_FRAMES, None, None, test=False, quiet=quiet)
    return target


def _is_current(description: OverlayDescription, design: Any, target: Path, folders: Folders) -> bool:
    same = (description.artifact_sha256, description.input, description.output, description.cycles_per_frame)
    host = sha256_of(target / HOST) == sha256_of(folders.build / HOST)
    return host and same == (design.artifact_sha256, design.input, design.output, design.cycles_per_frame)


def _side_of_design(folders: Folders) -> int:
    """Refuse a design that takes no drawings before anything is written."""
    return _side(HostCodec.load(folders.build / HOST).input_shape, folders.root)


def _side(shape: tuple[int, ...], where: Path) -> int:
    """Return the width of the images.

    Raises:
        DeployError: they are not square, not gray or not small.
    """
    side = math.isqrt(math.prod(shape))
    square = side * side == math.prod(shape) and (len(shape) == 1 or shape[-2:] == (side, side))
    if not square or not 4 <= side <= LARGEST_SIDE:
        raise DeployError(
            f"accelerator {where}", f"takes inputs of shape {shape}",
            f"square images of one channel, at most {LARGEST_SIDE} pixels wide", "give a run on digits or mnist",
        )  # fmt: skip
    return side


def _range_of(folder: Path) -> tuple[float, float]:
    """Return the range of the golden images, where the description does not say that of all."""
    images = GoldenFrames.load(folder).images
    return float(images.min()), float(images.max())
