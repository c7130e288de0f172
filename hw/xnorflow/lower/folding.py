"""Folding: PE and SIMD of every layer for a wanted number of cycles a frame, or from a file in FINN's format.

FINN's SetFolding stops at weight words of 36 bits and looks for MVAU_hls and MVAU_rtl by name, so it does nothing to
other operators; with 1-bit weights, words of thousands of bits are the point.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xnorflow.artifact.errors import ConfigError

if TYPE_CHECKING:
    from xnorflow.ops.mvau_cost import MvauShape

__all__ = ["MVAUS", "divisors", "fold_for_cycles", "folding_of", "hardware_layers", "has_windows", "read_folding",
           "set_folding", "sizes_of"]  # fmt: skip

MVAUS = ("XnorMVAU", "BinaryWeightMVAU", "FewBitMVAU")
OVER_MAPS = ("SlidingWindow", "WindowPool")
FOLDED_KEYS = ("PE", "SIMD", "parallel_window", "M")
PASSED_OVER = frozenset(
    {"depth", "impl_style", "inFIFODepths", "inWidth", "mem_mode", "outFIFODepths", "outWidth", "preferred_impl_style"}
    | {"ram_style_thresholds", "runtime_writeable_weights", "slr"}
)
"""Keys of FINN's folding files for what our units do not have, what follows from PE and SIMD, and for styles.py."""
RES_TYPES = ("auto", "lut", "dsp")
"""FINN's ways to compute a matrix product; here ``auto`` is in LUTs."""
INSERTED = re.compile(r"\w+_(fifo|dwc)\d*")
"""Layers that are inserted after folding; what they are like follows from it."""


def divisors(number: int) -> list[int]:
    """Return the divisors of ``number``, ascending."""
    return [candidate for candidate in range(1, number + 1) if number % candidate == 0]


def hardware_layers(model: Any) -> list[tuple[Any, Any]]:
    """Return the hardware layers of a graph with their operators, in stream order."""
    from qonnx.custom_op.registry import getCustomOp

    return [(node, getCustomOp(node)) for node in model.graph.node if node.domain.startswith("finn.custom_op")]


def _converter_luts(before: int, after: int) -> int:
    """LUTs of the width converter from ``before`` to ``after`` elements a beat; there is none in front of all."""
    return max(before, after) // 2 + min(before, after) + 10 if 0 < before != after else 0


def _cheapest(mw: int, mh: int, bits: tuple[int, int], before: int, target: int) -> MvauShape:
    """Return the cheapest folding of at most ``target`` cycles a product, or the fastest one of all."""
    from xnorflow.ops.mvau_cost import MvauShape  # loads FINN, which must be prepared first

    def cost(fold: MvauShape) -> int:
        return fold.luts + _converter_luts(before, fold.simd)

    input_bits, weight_bits = bits
    acc_bits = mw.bit_length() + input_bits + weight_bits - 1
    folds = [
        MvauShape(mw, mh, simd, pe, input_bits, acc_bits, weight_bits)
        for simd in divisors(mw)
        for pe in divisors(mh)
        if (mw // simd) * (mh // pe) <= max(target, 1)
    ]
    return min(folds, key=cost)


def fold_for_cycles(model: Any, target: int) -> None:
    """Choose for each layer the cheapest PE and SIMD that need at most ``target`` cycles a frame.

    The cost of a width converter behind the layer before is part of the choice. Windows leave pixel by pixel, so that a
    convolution cannot be faster than that; where it needs more than ``target``, all layers get as many cycles.
    """
    widths: dict[str, int] = {}
    target = max(
        [target, *(_fewest_cycles(operator) for node, operator in hardware_layers(model) if node.op_type in OVER_MAPS)]
    )
    for node, operator in hardware_layers(model):
        before = max((widths.get(name, 0) for name in node.input), default=0)
        if node.op_type == "LabelSelect":
            labels = int(operator.get_nodeattr("Labels"))
            fitting = [pe for pe in divisors(labels) if labels // pe <= target]
            # As wide as what comes in is cheapest; wider only where the target asks for it.
            operator.set_nodeattr("PE", max(fitting[0] if fitting else labels, before if labels % before == 0 else 1))
        elif node.op_type in MVAUS:
            mw, mh = int(operator.get_nodeattr("MW")), int(operator.get_nodeattr("MH"))
            bits = int(operator.get_input_datatype(0).bitwidth()), int(operator.get_input_datatype(1).bitwidth())
            chosen = _cheapest(mw, mh, bits, before, target // int(math.prod(operator.get_nodeattr("numInputVectors"))))
            operator.set_nodeattr("SIMD", chosen.simd)
            operator.set_nodeattr("PE", chosen.pe)
            widths |= dict.fromkeys(node.output, chosen.pe)
        else:
            widths |= dict.fromkeys(node.output, _fold_channels(operator, before, target))


def _fewest_cycles(operator: Any) -> int:
    """Return the cycles of a layer over maps with all that it can do in a cycle."""
    operator.set_nodeattr(operator.fold_key, int(operator.get_nodeattr("IFMChannels")))
    if not operator.can_be_parallel():
        return int(operator.get_exp_cycles())
    operator.set_nodeattr("parallel_window", 1)
    cycles = int(operator.get_exp_cycles())
    operator.set_nodeattr("parallel_window", 0)
    return cycles


def _fold_channels(operator: Any, before: int, target: int) -> int:
    """Give a layer as few channels a beat as ``target`` allows, but as many as come in; return them."""
    key, channels = operator.fold_key, int(operator.get_nodeattr(channels_key(operator)))
    for fold in divisors(channels):
        operator.set_nodeattr(key, fold)
        if operator.get_exp_cycles() <= target and (fold >= before or channels % before):
            break
    if operator.get_exp_cycles() > target and operator.can_be_parallel():
        operator.set_nodeattr("parallel_window", 1)
        return channels * int(operator.window().positions)
    return int(operator.get_nodeattr(key))


def channels_key(operator: Any) -> str:
    """Return the attribute that holds the channels of a layer over maps or pixels."""
    return "IFMChannels" if "IFMChannels" in operator.get_nodeattr_types() else "NumChannels"


def read_folding(path: Path) -> dict[str, dict[str, Any]]:
    """Read a folding file: FINN's JSON, layer name to attributes, with an empty ``Defaults``.

    Raises:
        ConfigError: the file is missing or not such JSON.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not all(isinstance(value, dict) for value in content.values()):
            raise ValueError
    except (OSError, ValueError) as reason:
        raise ConfigError(
            f"folding file {path}", "missing or not JSON of layers", '{"fc0_mvau": {"PE": 16, "SIMD": 49}, ...}',
            "start from final_hw_config.json of an earlier build",
        ) from reason  # fmt: skip
    defaults = content.pop("Defaults", {})
    if defaults:
        raise ConfigError(
            f"folding file {path}, Defaults",
            ", ".join(sorted(defaults)),
            "nothing in it",
            "give each layer its own values",
        )
    return content


def set_folding(model: Any, folding: dict[str, dict[str, Any]]) -> None:
    """Apply a folding by layer name. A layer that it does not name stays at PE=SIMD=1, as in FINN.

    Raises:
        ConfigError: a name, key or value that does not fit this network; the legal values are listed.
    """
    layers = {node.name: (node, operator) for node, operator in hardware_layers(model)}
    for name, attributes in folding.items():
        if INSERTED.fullmatch(name):
            continue
        if name not in layers:
            raise ConfigError(
                f"folding file, layer {name}", "no such layer in this network", ", ".join(layers),
                "use a folding file of this network",
            )  # fmt: skip
        for key, value in attributes.items():
            _set_key(*layers[name], key, value)
        if attributes.get("ram_style") in ("block", "distributed"):
            _set_memory(*layers[name], attributes["ram_style"])
        if "resType" in attributes:
            _set_multipliers(*layers[name], attributes["resType"])
        _check_windows(*layers[name])


def sizes_of(node: Any) -> dict[str, str]:
    """Return the keys that a layer folds by, with the key of what each must divide."""
    if node.op_type == "LabelSelect":
        return {"PE": "Labels"}
    if node.op_type in MVAUS:
        return {"PE": "MH", "SIMD": "MW"}
    if node.op_type in OVER_MAPS:
        return {"SIMD" if node.op_type == "SlidingWindow" else "PE": "IFMChannels"}
    return {"PE": "NumChannels"}


def _set_memory(node: Any, operator: Any, style: str) -> None:
    """Put the weights of a matrix unit where the folding file says; other layers of FINN's files have none."""
    if node.op_type not in MVAUS:
        return
    from xnorflow.ops.xnor_cost import MOST_LOGIC_WORDS  # loads FINN, which must be prepared first

    words = math.prod(int(operator.get_nodeattr(size)) // int(operator.get_nodeattr(key))
                      for key, size in sizes_of(node).items())  # fmt: skip
    if style == "distributed" and words > MOST_LOGIC_WORDS:
        raise ConfigError(
            f"folding file, layer {node.name}, ram_style", f"{style!r} for {words} weight words",
            f"auto, block; distributed for up to {MOST_LOGIC_WORDS} words", "choose one of these, or a larger folding",
        )  # fmt: skip
    operator.set_nodeattr("ram_style", style)


def _set_multipliers(node: Any, operator: Any, kind: Any) -> None:
    """Compute a first layer as the folding file says; other layers of FINN's files have no such choice here."""
    if node.op_type != "BinaryWeightMVAU":
        return
    legal: tuple[str, ...] = RES_TYPES
    found, dsp = repr(kind), operator.multipliers()
    if kind == "dsp" and not dsp.fits:
        legal, found = RES_TYPES[:2], f"'dsp' for inputs of {dsp.input_bits} bits and sums of {dsp.acc_bits}"
    if kind not in legal:
        raise ConfigError(f"folding file, layer {node.name}, resType", found, ", ".join(legal), "choose one of these")
    operator.set_nodeattr("resType", kind)


def _set_key(node: Any, operator: Any, key: str, value: Any) -> None:
    if key in PASSED_OVER or key in ("ram_style", "resType"):  # the first of which depends on the others
        return
    if key == "parallel_window" and node.op_type == "SlidingWindow":
        if value not in ((0, 1) if operator.can_be_parallel() else (0,)):
            raise ConfigError(
                f"folding file, layer {node.name}, {key}", f"{value!r}",
                "0, or 1 for windows of several pixels without padding", "choose one of these",
            )  # fmt: skip
        operator.set_nodeattr(key, value)
        return
    if key == "M" and has_windows(operator):
        _set_windows(node, operator, value)
        return
    known = sizes_of(node) | ({"M": "pixels"} if has_windows(operator) else {})
    if key not in known:
        near = difflib.get_close_matches(key.upper(), known, 1, 0.3)
        raise ConfigError(
            f"folding file, layer {node.name}, {key}", "no such key", ", ".join(known),
            f"did you mean {near[0]}?" if near else "remove it",
        )  # fmt: skip
    size = int(operator.get_nodeattr(known[key]))
    if type(value) is not int or value < 1 or size % value:
        legal = ", ".join(str(divisor) for divisor in divisors(size))
        raise ConfigError(
            f"folding file, layer {node.name}, {key}", f"{value!r} does not divide {known[key]}={size}", legal,
            "choose a divisor",
        )  # fmt: skip
    operator.set_nodeattr(key, value)


def has_windows(operator: Any) -> bool:
    """Return whether a layer has M, the windows or pixels that it gives or takes side by side, and a choice of it."""
    return "M" in operator.get_nodeattr_types() and operator.pixels_of_a_row() > 1


def _set_windows(node: Any, operator: Any, value: Any) -> None:
    row = operator.pixels_of_a_row()
    if type(value) is not int or value < 1 or row % value:
        legal = ", ".join(str(divisor) for divisor in divisors(row))
        raise ConfigError(
            f"folding file, layer {node.name}, M", f"{value!r} does not divide the {row} output pixels of a row", legal,
            "choose a divisor",
        )  # fmt: skip
    operator.set_nodeattr("M", value)


def _check_windows(node: Any, operator: Any) -> None:
    """Refuse an M that the layer's other keys do not go with."""
    if not has_windows(operator) or operator.get_nodeattr("M") == 1:
        return
    key, found = ("parallel_window", 0) if node.op_type == "SlidingWindow" else ("SIMD", 1)
    if operator.get_nodeattr(key) == found:
        raise ConfigError(
            f"folding file, layer {node.name}, M", f"{operator.get_nodeattr('M')} with {key}={found}",
            f"1, or {key}={'1' if found == 0 else '2 and more'}", f"set M to 1 or raise {key}",
        )  # fmt: skip
    if node.op_type == "BinaryWeightMVAU" and operator.get_nodeattr("resType") == "dsp":
        raise ConfigError(
            f"folding file, layer {node.name}, M", f"{operator.get_nodeattr('M')} with resType=dsp",
            "1, or resType lut or auto", "set M to 1 or resType to lut",
        )  # fmt: skip


def folding_of(model: Any) -> dict[str, dict[str, Any]]:
    """Return the folding in the form that :func:`read_folding` reads."""
    result: dict[str, dict[str, Any]] = {"Defaults": {}}
    for node, operator in hardware_layers(model):
        keys = [key for key in (*FOLDED_KEYS, "depth", "inWidth", "outWidth") if key in operator.get_nodeattr_types()]
        if "M" in keys and not has_windows(operator):
            keys.remove("M")
        result[node.name] = {key: int(operator.get_nodeattr(key)) for key in keys}
        if node.op_type.removesuffix("_rtl") in MVAUS:
            result[node.name]["ram_style"] = operator.get_nodeattr("ram_style")
        if node.op_type.removesuffix("_rtl") == "BinaryWeightMVAU":
            result[node.name]["resType"] = operator.get_nodeattr("resType")
    return result
