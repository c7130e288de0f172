"""C headers of a core and the program that tests them: sizes, packing, the host's float arithmetic, golden vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from xnorflow.artifact.design import Design
from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.streams import StreamSpec, pack
from xnorflow.package.config import PackageSettings
from xnorflow.render.templates import banner, load_template

__all__ = ["TEMPLATES", "Vectors", "has_logits", "render_software"]

TEMPLATES = Path(__file__).parent / "templates"
_TABLE_LIMIT = 65_536
"""Most entries of a table of logits: a few hundred kilobytes of text."""

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vectors:
    """Golden frames.

    Args:
        frames: float32 (frames, elements) as the network takes them, flattened.
        inputs: int64 (frames, elements) as they travel.
        outputs: int64 (frames, out_elements) as the core must give them.
        labels: int64 (frames,), the class that each output means.
        classes: classes of the network.
    """

    frames: FloatArray
    inputs: IntArray
    outputs: IntArray
    labels: IntArray
    classes: int


@dataclass(frozen=True)
class _Range:
    """Values of an element, both included."""

    least: int
    most: int


def _range(spec: StreamSpec) -> _Range:
    if spec.datatype == "BIPOLAR":
        return _Range(-1, 1)
    return _Range(-(1 << spec.bits - 1), (1 << spec.bits - 1) - 1) if spec.signed else _Range(0, (1 << spec.bits) - 1)


def _rows(values: Sequence[str], a_row: int) -> str:
    """Return an initializer's lines, ``a_row`` values in each."""
    lines = [", ".join(values[start : start + a_row]) for start in range(0, len(values), a_row)]
    return ",\n".join(f"    {line}" for line in lines)


def _floats(values: FloatArray) -> list[str]:
    """Return C literals that read back as the same floats."""
    return [_float(value) for value in values.tolist()]


def _float(value: float) -> str:
    if math.isinf(value):
        return "HUGE_VALF" if value > 0 else "-HUGE_VALF"
    text = f"{value:.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def _ints(values: npt.NDArray[Any]) -> list[str]:
    return [str(value) for value in values.ravel().tolist()]


def _order(codec: HostCodec) -> str:
    """Tell how the elements of a frame are placed: ``same``, ``pixels`` (channels last) or by a ``table``."""
    if codec.order is None:
        return "same"
    places = np.arange(len(codec.order)).reshape(codec.input_shape)
    return "pixels" if np.array_equal(codec.order, np.moveaxis(places, 0, -1).ravel()) else "table"


def has_logits(codec: HostCodec) -> bool:
    """Tell whether the headers hold the table of logits: there is one, and it is not too large."""
    return not codec.labels and codec.logits.size <= _TABLE_LIMIT


def _host(codec: HostCodec, classes: int) -> dict[str, Any]:
    """Return what the template of the host's arithmetic takes."""
    table = [_floats(row) for row in codec.logits] if has_logits(codec) else []
    return {
        "shape": codec.input_shape,
        "classes": classes,
        "labels": codec.labels,
        "table": table,
        "table_limit": _TABLE_LIMIT,
        "thresholds": _floats(codec.thresholds),
        "levels": _ints(codec.levels),
        "order": _order(codec),
        "places": [] if codec.order is None else _ints(codec.order),
        "pixels": int(np.prod(codec.input_shape[1:])),
        "first_row": (codec.acc_min - codec.offset) // codec.step,
        "classifies": codec.labels or has_logits(codec),
    }


def _tables(vectors: Vectors, design: Design) -> dict[str, Any]:
    """Return what the template of the golden vectors takes."""
    count = len(vectors.frames)
    return {
        "frames": [_floats(frame) for frame in vectors.frames],
        "in_beats": [_ints(frame) for frame in pack(vectors.inputs, design.input).reshape(count, -1)],
        "out_beats": [_ints(frame) for frame in pack(vectors.outputs, design.output).reshape(count, -1)],
        "results": [_ints(frame) for frame in vectors.outputs],
        "labels_found": _ints(vectors.labels),
    }


def render_software(design: Design, codec: HostCodec, vectors: Vectors, settings: PackageSettings) -> dict[str, str]:
    """Return the C files by name.

    Args:
        design: what is packaged.
        codec: what the host does around it.
        vectors: golden frames for the test.
        settings: the core's name.
    """
    core = settings.core
    widest = max(_range(spec).most for spec in (design.input, design.output))
    context = {
        "banner": banner(),
        "core": core,
        "macro": core.upper(),
        "artifact": design.artifact_sha256,
        "input": design.input,
        "output": design.output,
        "ranges": {"IN": _range(design.input), "OUT": _range(design.output)},
        "cycles": design.cycles_per_frame,
        "latency": design.latency_cycles,
        "clock_hz": round(1e9 / design.clock_ns),
        "tlast_frames": settings.tlast_frames,
        # Not a type that a range fills: compilers warn of comparisons that are always true.
        "value_type": "int32_t" if widest < (1 << 31) - 1 else "int64_t",
        "rows": _rows,
        **_host(codec, vectors.classes),
    }
    files = {f"{core}.h": "header.h.j2", f"{core}_host.h": "host.h.j2", "finn_iodma.h": "finn_iodma.h.j2"}
    texts = {name: load_template(TEMPLATES / template).render(context) for name, template in files.items()}
    texts[f"{core}_vectors.h"] = load_template(TEMPLATES / "vectors.h.j2").render(context | _tables(vectors, design))
    texts[f"{core}_test.c"] = load_template(TEMPLATES / "test.c.j2").render(context)
    return texts
