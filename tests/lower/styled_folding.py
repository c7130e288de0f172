"""A small perceptron with a width converter, and folding files that put layers into HLS."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

WIDTHS = (30, 12, 9, 4)
FOLDING = {  # a width converter behind the first layer; not left to estimates, which may change
    "fc0_mvau": {"PE": 6, "SIMD": 5}, "fc1_mvau": {"PE": 3, "SIMD": 3}, "fc2_mvau": {"PE": 1, "SIMD": 3},
    "label_argmax": {"PE": 1},
}  # fmt: skip
"""Of a perceptron of these widths that gives labels."""


def write_folding(path: Path, in_hls: Iterable[str] = ()) -> Path:
    """Write that folding, layers in HLS."""
    styles = {name: {"preferred_impl_style": "hls"} for name in in_hls}
    names = dict.fromkeys([*FOLDING, *styles])
    folding = {name: {**FOLDING.get(name, {}), **styles.get(name, {})} for name in names}
    path.write_text(json.dumps(folding), encoding="utf-8")
    return path


def fold_in_hls(build: Path, layers: Iterable[str]) -> Path:
    """Write the folding that a build came to, these layers in HLS; return the file."""
    folding = json.loads((build / "final_hw_config.json").read_text(encoding="utf-8"))
    for name in layers:
        folding[name]["preferred_impl_style"] = "hls"
    path = build / "folding.json"
    path.write_text(json.dumps(folding), encoding="utf-8")
    return path
