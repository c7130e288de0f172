"""What a board's owner does first, by pynq alone: runs unchanged on a board, a virtual one, and from a remote client.

``python demo.py --design deploy [--images golden.npz] [--finn]``
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xnorflow.artifact.errors import DeployError, UserError
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.host import HostCodec
from xnorflow.deploy.accelerator import Accelerator
from xnorflow.deploy.finn_settings import SETTINGS
from xnorflow.deploy.overlay import HOST, GoldenFrames, OverlayDescription

__all__ = ["main", "show_accelerator", "show_finn_driver"]

FRAMES = 200
"""Of the throughput test."""


def show_accelerator(folder: Path, images: Path | None) -> None:
    """Load the overlay, compute golden frames, name one picture, count right answers, and measure.

    Args:
        folder: that ``xnorflow deploy`` wrote.
        images: ``golden.npz`` of a run's export, with labels; None: no counting.

    Raises:
        UserError: a result differs, or the board does not answer.
    """
    with Accelerator(folder) as accelerator:
        print(f"self-test: {accelerator.self_test()} golden frames equal")
        pictures = GoldenFrames.load(folder).images
        print(f"one picture: class {accelerator.classify(pictures[:1])[0]!r}")
        if images is not None:
            vectors = GoldenVectors.load(images)
            if len(vectors.labels):
                print(f"accuracy: {accelerator.validate(vectors.inputs, vectors.labels)}")
        print(f"throughput: {accelerator.throughput_test(FRAMES)}")


def show_finn_driver(folder: Path) -> None:
    """Let finn-plus-driver compute the golden frames, and measure by its own test.

    Raises:
        UserError: a result differs.
    """
    from finn_plus_driver import get_driver_class

    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))["driver_information"]
    description, golden = OverlayDescription.load(folder), GoldenFrames.load(folder)
    values = HostCodec.load(folder / HOST).quantize(golden.images)
    driver = get_driver_class(settings["driver_type"])(
        str((folder / f"{description.name}.bit").resolve()), batch_size=len(values), **settings
    )
    results = driver.execute(values.astype(np.float32).reshape(driver.ishape_normal()))
    differing = int((results.reshape(golden.results.shape) != golden.results).any(axis=1).sum())
    if differing:
        raise DeployError(
            "finn-plus-driver", f"{differing} of {len(values)} golden frames differ", "none", "report this"
        )
    print(f"finn-plus-driver: {len(values)} golden frames equal")
    found = driver.throughput_test()
    print(
        f"finn-plus-driver: {found['throughput[images/s]']:,.0f} images/s by the wall clock, "
        "that is the simulator's speed on a virtual board"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo.

    Args:
        arguments: without the program's name; None takes ``sys.argv``.

    Returns:
        0, or 2 where something is not as it must be.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--design", type=Path, default=os.environ.get("XNORFLOW_DESIGN", "deploy"), metavar="FOLDER")
    parser.add_argument("--images", type=Path, metavar="GOLDEN.npz", help="with labels, to count right answers")
    parser.add_argument("--finn", action="store_true", help="by finn-plus-driver instead of xnorflow's own")
    options = parser.parse_args(arguments)
    try:
        if options.finn:
            show_finn_driver(options.design)
        else:
            show_accelerator(options.design, options.images)
    except UserError as reason:
        print(f"error: {reason}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
