"""Every module is clean under Verilator's -Wall, and refuses parameters outside their ranges."""

from __future__ import annotations

from typing import Any

import pytest

from xnorflow.artifact.errors import SimulateError

# Each generate branch of each module at least once.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "mvau": [
        {},
        {"Mw": 784, "Mh": 64, "Simd": 49, "Pe": 16, "InputWidth": 8, "AccWidth": 20},
        {"Mw": 21, "Mh": 6, "Simd": 7, "Pe": 3, "AccWidth": 7},
        {"Mw": 1, "Mh": 1, "Simd": 1, "Pe": 1},
        {"Mw": 4, "Mh": 1, "Simd": 1, "Pe": 1, "InputWidth": 2},
        {"Mw": 1, "Mh": 4, "Simd": 1, "Pe": 1, "WeightStyle": "block"},
        {"Mw": 64, "Mh": 10, "Simd": 32, "Pe": 10, "Thresholded": 0, "OutputWidth": 4, "WeightStyle": "logic"},
        {"Mw": 64, "Mh": 10, "Simd": 64, "Pe": 10, "Thresholded": 0, "OutputWidth": 14, "AccWidth": 10},
        {"Mw": 1024, "Mh": 8, "Simd": 512, "Pe": 2, "AccWidth": 4},
        {"Mw": 16, "Mh": 4, "Simd": 4, "Pe": 4, "InputWidth": 3, "AccWidth": 2, "Thresholded": 0, "OutputWidth": 1},
        {"Mw": 27, "Mh": 8, "Simd": 9, "Pe": 2, "InputWidth": 8, "WeightWidth": 2, "AccWidth": 16},
        {"Mw": 4, "Mh": 4, "Simd": 4, "Pe": 1, "InputWidth": 2, "WeightWidth": 8, "AccWidth": 6},
    ],
    "fold_steps": [{}, {"Sf": 1, "Nf": 1}, {"Sf": 1, "Nf": 5}, {"Sf": 2, "Nf": 1}, {"Sf": 7, "Nf": 3}],
    "xnor_popcount": [{}, {"Width": 1}, {"Width": 32}, {"Width": 33}, {"Width": 784}],
    "counter": [
        {},
        {"Positions": 1, "Pairs": 0},
        {"Positions": 2, "Pairs": 0},
        {"Positions": 3, "Pairs": 1},
        {"Positions": 4, "Pairs": 0},  # pairs further up: in test_compressors.py
    ],
    "parity_tree": [{}, {"Width": 1}, {"Width": 2}, {"Width": 3}, {"Width": 130, "Stages": 2}, {"Stages": 3}],
    "xnor_carries": [{}, {"Width": 2}, {"Width": 3}, {"Width": 7}, {"Width": 144}],
    "row_accumulator": [
        {"Primitives": primitives, **variant}
        for primitives in (0, 1)
        for variant in (
            {},
            {"AccWidth": 2, "RowWidth": 1},
            {"AccWidth": 3, "RowWidth": 1, "OneStep": 1},
            {"AccWidth": 8, "RowWidth": 6},
            {"AccWidth": 8, "RowWidth": 7, "OneStep": 1},
            {"AccWidth": 5, "RowWidth": 5},
            {"AccWidth": 4, "RowWidth": 9},
        )
    ],
    "carry4": [{}],
    "popcount_array": [
        {"Simd": 9, "InputWidth": 8, "RowWidth": 12, "Latency": 4},
        {},
        {"Simd": 1, "Pe": 1, "Words": 1, "RowWidth": 1, "Latency": 1},
        {"Simd": 7, "Pe": 3, "Words": 33, "RowWidth": 3, "WeightStyle": "block"},
        {"Simd": 144, "Pe": 2, "Words": 3, "RowWidth": 8, "Latency": 9},
        {"Simd": 2, "Pe": 2, "Words": 2, "RowWidth": 9},
        {"Simd": 9, "InputWidth": 8, "RowWidth": 12, "Latency": 4, "Pe": 3, "Windows": 2},
    ],
    "xnor_unit": [
        {"Primitives": primitives, **variant}
        for primitives in (0, 1)
        for variant in (
            {},
            {"Mw": 21, "Mh": 6, "Simd": 7, "Pe": 3, "AccWidth": 6, "RowWidth": 3},
            {"Mw": 1, "Mh": 1, "Simd": 1, "Pe": 1, "AccWidth": 2, "RowWidth": 1, "CountLatency": 1},
            {"Mw": 64, "Mh": 64, "Simd": 64, "Pe": 64, "CountLatency": 7},
            {"Mw": 576, "Mh": 4, "Simd": 144, "Pe": 4, "AccWidth": 11, "RowWidth": 8, "Thresholded": 0},
            {"Mw": 64, "Mh": 4, "Pe": 1, "Thresholded": 0, "OutputWidth": 20},
            {"Mw": 27, "Simd": 9, "InputWidth": 8, "AccWidth": 16, "RowWidth": 12, "CountLatency": 4},
            {"Mw": 21, "Mh": 6, "Simd": 7, "Pe": 3, "Windows": 5, "AccWidth": 6, "RowWidth": 3, "InputWidth": 2},
        )
    ],
    "popcount_pipeline": [{}, {"Width": 1, "Latency": 1}, {"Width": 33, "Latency": 4}, {"Width": 784, "Latency": 10}],
    "sign_sum": [{}, {"Terms": 1}, {"Terms": 5, "Width": 2}, {"Terms": 17}, {"Terms": 49}],
    "product_sum": [{}, {"Terms": 1}, {"Terms": 5, "Width": 2, "WeightWidth": 5}, {"Terms": 17, "WeightWidth": 4}],
    "sum_tree": [{}, {"Terms": 1}, {"Terms": 5, "Signed": 1}, {"Terms": 17, "Width": 1}],
    "fifo": [{}, {"Depth": 1}, {"Depth": 3}, {"Depth": 4}, {"Depth": 784, "Width": 1}],
    "credit_fifo": [{}, {"Depth": 1}, {"Depth": 2}, {"Depth": 5, "Width": 1}],
    "dwc": [
        {},
        {"InWidth": 8, "OutWidth": 1},
        {"InWidth": 1, "OutWidth": 8},
        {"InWidth": 21, "OutWidth": 7},
        {"InWidth": 2, "OutWidth": 4},
    ],
    "argmax": [
        {},
        {"Pe": 10, "LabelWidth": 8},
        {"Pe": 5, "Signed": 0, "Width": 1},
        {"Labels": 1, "LabelWidth": 1},
        {"Labels": 12, "Pe": 3},
        {"Labels": 2, "Pe": 2, "LabelWidth": 1, "Width": 1},
    ],
    "fork": [{}, {"Width": 1, "Outputs": 3}],
    "join": [{}, {"WidthA": 1, "WidthB": 9, "OutWidth": 3}],
    "add": [
        {},
        {"Pe": 3, "OutWidth": 8},
        {"WidthA": 4, "WidthB": 7, "OutWidth": 2},
        {"OutWidth": 12},
        {"SignedA": 0, "SignedB": 0, "WidthA": 1, "WidthB": 1, "OutWidth": 3},
        {"SignedB": 0, "WidthB": 1, "ShiftB": 3, "ShiftA": 24, "OutWidth": 33},
        {"ShiftA": 4, "WidthB": 2, "OutWidth": 5},
        {"WidthA": 32, "ShiftA": 24, "WidthB": 32, "ShiftB": 24, "SignedB": 0, "OutWidth": 58},
        {"WidthA": 4, "ShiftA": 3, "WidthB": 1, "SignedB": 0, "OutWidth": 7},
    ],
    "gate": [
        {},
        {"Pe": 3, "Width": 2, "CodeWidth": 3, "MaxShift": 7, "OutWidth": 9},
        {"Signed": 0, "Width": 1, "Scale": 2, "Offset": -1, "CodeWidth": 2, "MaxShift": 2, "OutWidth": 4},
        {"Signed": 0, "Width": 7, "Scale": 2, "Offset": -9, "CodeWidth": 2, "MaxShift": 3, "OutWidth": 9},
        {"Signed": 0, "Width": 7, "Offset": -64, "OutWidth": 8},
        {"Width": 32, "Offset": 5, "OutWidth": 34},
    ],
    "requantize": [
        {},
        {"Channels": 15, "Pe": 5, "OutWidth": 1},
        {"Mode": "thresholds", "OutWidth": 1},
        {"Mode": "thresholds", "OutWidth": 7, "Steps": 100, "Channels": 1, "Pe": 1},
        {"Mode": "affine", "Shift": 8},
        {"Mode": "affine", "Slopes": 2},
    ],
    "requantize_thresholds": [
        {},
        {"Falling": 1, "Folds": 1},
        {"OutWidth": 2, "Steps": 3, "Base": -2, "Pe": 1, "RomStyle": "logic"},
        {"OutWidth": 8, "Steps": 255, "Folds": 3, "Pe": 2, "RomStyle": "block"},
    ],
    "requantize_affine": [
        {},
        {"Slopes": 2, "Shift": 16, "Folds": 1},
        {"Slopes": 2, "Shift": 7, "OutWidth": 4, "Pe": 1, "RomStyle": "block"},
        {"OutWidth": 24, "OffsetWidth": 4, "InWidth": 2, "FactorWidth": 2, "Shift": 4, "RomStyle": "logic"},
    ],
    "requantize_table": [
        {},
        {"Folds": 3, "Pe": 1, "OutWidth": 1, "RomStyle": "logic"},
        {"Folds": 1, "Pe": 3, "InWidth": 1, "RomStyle": "block"},
    ],
    "repeat": [{}, {"Beats": 1, "Width": 1}, {"Beats": 5, "Times": 3}, {"Beats": 3, "Times": 65536}],
    "uart_rx": [{}, {"CyclesPerBit": 8}, {"CyclesPerBit": 9}],
    "uart_tx": [{}, {"CyclesPerBit": 2}],
    "uart_shell": [{}, {"InBytes": 7, "OutBytes": 2}, {"InBytes": 2, "OutBytes": 5, "Depth": 2, "CyclesPerBit": 8}],
    "pool": [
        {},
        {"Positions": 1, "Folds": 1},
        {"Folds": 1, "Pe": 5, "InWidth": 7, "OutWidth": 7},
        {"Positions": 9, "Folds": 3, "InWidth": 8, "OutWidth": 8, "Signed": 0, "MemoryStyle": "distributed"},
        {"Mode": "sum", "OutWidth": 4},
        {"Mode": "sum", "OutWidth": 3, "Signed": 0},
        {"Mode": "sum", "Positions": 49, "Folds": 1024, "Pe": 2, "InWidth": 8, "OutWidth": 14, "MemoryStyle": "block"},
        {"Mode": "sum", "Positions": 1, "OutWidth": 1, "Signed": 0},
        {"Mode": "sum", "Positions": 1, "OutWidth": 9},
        {"Mode": "sum", "InWidth": 32, "OutWidth": 34, "Signed": 0},
    ],
    "swg_parallel": [
        {},
        {"Rows": 1, "KernelRows": 1, "Columns": 3, "Width": 1},
        {"Columns": 1, "KernelColumns": 1, "Rows": 3},
        {"KernelRows": 2, "KernelColumns": 2, "StrideRows": 3, "StrideColumns": 4},
        {"Windows": 2},
        {"KernelColumns": 1, "Windows": 8},
        {"KernelRows": 2, "KernelColumns": 2, "StrideRows": 3, "StrideColumns": 4, "Windows": 2},
    ],
    "swg": [
        {},
        {"PadTop": 1, "PadBottom": 1, "PadLeft": 1, "PadRight": 1, "MemoryStyle": "block"},
        {"Rows": 1, "Columns": 1, "Channels": 1, "Simd": 1, "KernelRows": 1, "KernelColumns": 1},
        {"Rows": 1, "Columns": 1, "PadTop": 1, "PadBottom": 1, "PadLeft": 1, "PadRight": 1, "Bits": 8},
        {"Rows": 3, "Columns": 3, "Simd": 1},
        {"Rows": 1, "Columns": 9, "KernelRows": 1, "KernelColumns": 4, "PadLeft": 3},
        {"Rows": 9, "Columns": 1, "KernelRows": 4, "KernelColumns": 1, "PadBottom": 3},
        {"KernelRows": 1, "KernelColumns": 1, "StrideRows": 2, "StrideColumns": 9, "MemoryStyle": "distributed"},
        {"Rows": 32, "Columns": 32, "Channels": 64, "Simd": 64},
    ],
    "swg_ring": [
        {},
        {"Depth": 1, "Span": 1, "Gap": 0, "Width": 1, "ToFrame": 1, "ToRow": 1},
        {"Depth": 33, "Lead": 19, "MemoryStyle": "block"},
    ],
}
CASES = [(module, variant) for module, variants in VARIANTS.items() for variant in variants]

ILLEGAL: list[tuple[str, dict[str, Any], str]] = [
    ("mvau", {"Mw": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("mvau", {"Mh": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("mvau", {"Simd": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("mvau", {"Pe": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("mvau", {"Mw": 10, "Simd": 3}, "Simd must divide Mw"),
    ("mvau", {"Mw": 4, "Simd": 8}, "Simd must divide Mw"),
    ("mvau", {"Mh": 10, "Pe": 3}, "Pe must divide Mh"),
    ("mvau", {"Mh": 2, "Pe": 4}, "Pe must divide Mh"),
    ("mvau", {"InputWidth": 0}, "InputWidth must be at least 1"),
    ("mvau", {"WeightWidth": 0}, "WeightWidth must be 1, or more with an InputWidth of at least 2"),
    ("mvau", {"WeightWidth": 2}, "WeightWidth must be 1, or more with an InputWidth of at least 2"),
    ("mvau", {"AccWidth": 1}, "AccWidth must be at least 2"),
    ("mvau", {"Thresholded": 0, "OutputWidth": 0}, "OutputWidth must be at least 1"),
    ("mvau", {"WeightFile": ""}, "WeightFile and StartFile must be named"),
    ("mvau", {"StartFile": ""}, "WeightFile and StartFile must be named"),
    ("mvau", {"WeightStyle": "distributed"}, "WeightStyle must be auto, block or logic"),
    ("xnor_popcount", {"Width": 0}, "Width must be at least 1"),
    ("counter", {"Positions": 0}, "Positions must be 1 to 4"),
    ("counter", {"Positions": 5}, "Positions must be 1 to 4"),
    ("counter", {"Positions": 4, "Pairs": 3}, "Pairs must not overlap and must end within Positions"),
    ("counter", {"Positions": 4, "Pairs": 8}, "Pairs must not overlap and must end within Positions"),
    ("counter", {"Positions": 1, "Pairs": 1}, "Pairs must not overlap and must end within Positions"),
    ("parity_tree", {"Width": 0}, "Width must be at least 1"),
    ("parity_tree", {"Stages": 0}, "Stages must be at least 1"),
    ("xnor_carries", {"Width": 1}, "Width must be at least 2"),
    ("row_accumulator", {"AccWidth": 1}, "AccWidth must be at least 2 and RowWidth at least 1"),
    ("row_accumulator", {"RowWidth": 0}, "AccWidth must be at least 2 and RowWidth at least 1"),
    ("popcount_array", {"Simd": 0}, "Simd, InputWidth, Pe and Words must be at least 1"),
    ("popcount_array", {"Pe": 0}, "Simd, InputWidth, Pe and Words must be at least 1"),
    ("popcount_array", {"Words": 0}, "Simd, InputWidth, Pe and Words must be at least 1"),
    ("popcount_array", {"Windows": 0}, "Windows must be at least 1"),
    ("popcount_array", {"Simd": 1, "RowWidth": 0}, "RowWidth must hold half of the largest count"),
    ("popcount_array", {"RowWidth": 5}, "RowWidth must hold half of the largest count"),
    ("popcount_array", {"InputWidth": 8, "RowWidth": 14, "Latency": 2}, "Latency must be at least that of the count"),
    ("popcount_array", {"WeightFile": ""}, "WeightFile must be named"),
    ("popcount_array", {"WeightStyle": "auto"}, "WeightStyle must be block or logic"),
    ("xnor_unit", {"Mw": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("xnor_unit", {"Mh": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("xnor_unit", {"Simd": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("xnor_unit", {"Pe": 0}, "Mw, Mh, Simd and Pe must be at least 1"),
    ("xnor_unit", {"Mw": 10, "Simd": 3}, "Simd must divide Mw"),
    ("xnor_unit", {"Mw": 4, "Simd": 8}, "Simd must divide Mw"),
    ("xnor_unit", {"Mh": 10, "Pe": 3}, "Pe must divide Mh"),
    ("xnor_unit", {"Mh": 2, "Pe": 4}, "Pe must divide Mh"),
    ("xnor_unit", {"Windows": 0}, "Windows must be at least 1"),
    ("xnor_unit", {"InputWidth": 0}, "InputWidth must be at least 1"),
    ("xnor_unit", {"AccWidth": 1}, "AccWidth must be at least 2"),
    ("xnor_unit", {"Thresholded": 0, "OutputWidth": 0}, "OutputWidth must be at least 1"),
    ("xnor_unit", {"StartFile": ""}, "StartFile must be named"),
    ("xnor_unit", {"RowWidth": 0}, "RowWidth and CountLatency must be at least 1"),
    ("xnor_unit", {"CountLatency": 0}, "RowWidth and CountLatency must be at least 1"),
    ("popcount_pipeline", {"Width": 0}, "Width must be at least 1"),
    ("popcount_pipeline", {"Latency": 0}, "Latency must be at least 1"),
    ("sign_sum", {"Terms": 0}, "Terms must be at least 1"),
    ("sign_sum", {"Width": 1}, "Width must be at least 2"),
    ("product_sum", {"Terms": 0}, "Terms must be at least 1"),
    ("product_sum", {"Width": 1}, "Width must be at least 2"),
    ("product_sum", {"WeightWidth": 1}, "WeightWidth must be at least 2"),
    ("sum_tree", {"Terms": 0}, "Terms must be at least 1"),
    ("sum_tree", {"Width": 0}, "Width must be at least 1"),
    ("fifo", {"Width": 0}, "Width must be at least 1"),
    ("fifo", {"Depth": 0}, "Depth must be at least 1"),
    ("fold_steps", {"Sf": 0}, "Sf and Nf must be at least 1"),
    ("fold_steps", {"Nf": 0}, "Sf and Nf must be at least 1"),
    ("credit_fifo", {"Width": 0}, "Width must be at least 1"),
    ("credit_fifo", {"Depth": 0}, "Depth must be at least 1"),
    ("dwc", {"InWidth": 0}, "InWidth and OutWidth must be at least 1"),
    ("dwc", {"OutWidth": 0}, "InWidth and OutWidth must be at least 1"),
    ("dwc", {"InWidth": 6, "OutWidth": 4}, "InWidth and OutWidth must divide one another"),
    ("argmax", {"Labels": 0}, "Labels, Pe and Width must be at least 1"),
    ("argmax", {"Pe": 0}, "Labels, Pe and Width must be at least 1"),
    ("argmax", {"Width": 0}, "Labels, Pe and Width must be at least 1"),
    ("argmax", {"Pe": 3}, "Pe must divide Labels"),
    ("argmax", {"LabelWidth": 0}, "LabelWidth must hold Labels - 1"),
    ("argmax", {"Labels": 20, "LabelWidth": 4}, "LabelWidth must hold Labels - 1"),
    ("fork", {"Width": 0}, "Width must be at least 1"),
    ("fork", {"Outputs": 1}, "Outputs must be at least 2"),
    ("add", {"Pe": 0}, "Pe must be at least 1"),
    ("add", {"WidthA": 1}, "WidthA and WidthB must be 2 to 32, or 1 to 32 where unsigned"),
    ("add", {"WidthB": 1}, "WidthA and WidthB must be 2 to 32, or 1 to 32 where unsigned"),
    ("add", {"WidthA": 0, "SignedA": 0}, "WidthA and WidthB must be 2 to 32, or 1 to 32 where unsigned"),
    ("add", {"WidthB": 0, "SignedB": 0}, "WidthA and WidthB must be 2 to 32, or 1 to 32 where unsigned"),
    ("add", {"WidthA": 33}, "WidthA and WidthB must be 2 to 32, or 1 to 32 where unsigned"),
    ("add", {"WidthB": 33}, "WidthA and WidthB must be 2 to 32, or 1 to 32 where unsigned"),
    ("add", {"OutWidth": 1}, "OutWidth must be at least 2"),
    ("add", {"ShiftA": 25}, "ShiftA and ShiftB must be at most 24"),
    ("add", {"ShiftB": 25}, "ShiftA and ShiftB must be at most 24"),
    ("join", {"WidthA": 0}, "WidthA, WidthB and OutWidth must be at least 1"),
    ("join", {"WidthB": 0}, "WidthA, WidthB and OutWidth must be at least 1"),
    ("join", {"OutWidth": 0}, "WidthA, WidthB and OutWidth must be at least 1"),
    ("gate", {"Pe": 0}, "Pe must be at least 1"),
    ("gate", {"Width": 1}, "Width must be 2 to 32, or 1 to 32 where unsigned"),
    ("gate", {"Width": 0, "Signed": 0}, "Width must be 2 to 32, or 1 to 32 where unsigned"),
    ("gate", {"Width": 33, "OutWidth": 40}, "Width must be 2 to 32, or 1 to 32 where unsigned"),
    ("gate", {"CodeWidth": 0, "MaxShift": 1}, "CodeWidth must be 1 to 3"),
    ("gate", {"CodeWidth": 4}, "CodeWidth must be 1 to 3"),
    ("gate", {"MaxShift": 0}, "MaxShift must be 1 to 2**CodeWidth - 1"),
    ("gate", {"MaxShift": 2, "OutWidth": 12}, "MaxShift must be 1 to 2**CodeWidth - 1"),
    ("gate", {"Scale": 0}, "Scale must be 1, or 2 with an Offset of at most -1"),
    ("gate", {"Scale": 3, "OutWidth": 16}, "Scale must be 1, or 2 with an Offset of at most -1"),
    ("gate", {"Scale": 2, "OutWidth": 16}, "Scale must be 1, or 2 with an Offset of at most -1"),
    ("gate", {"OutWidth": 8}, "OutWidth must hold every result"),
    ("gate", {"CodeWidth": 2, "MaxShift": 3, "OutWidth": 10}, "OutWidth must hold every result"),
    ("gate", {"Offset": 1}, "OutWidth must hold every result"),
    ("gate", {"Scale": 2, "Offset": -128, "Signed": 0}, "OutWidth must hold every result"),
    ("requantize", {"Channels": 0}, "Channels and Pe must be at least 1"),
    ("requantize", {"Pe": 0}, "Channels and Pe must be at least 1"),
    ("requantize", {"Pe": 7}, "Pe must divide Channels"),
    ("requantize", {"Channels": 2, "Pe": 4}, "Pe must divide Channels"),
    ("requantize", {"Mode": "linear"}, "Mode must be thresholds, affine or table"),
    ("requantize_thresholds", {"Folds": 0}, "Folds and Pe must be at least 1"),
    ("requantize_thresholds", {"Pe": 0}, "Folds and Pe must be at least 1"),
    ("requantize_thresholds", {"InWidth": 1}, "InWidth must be at least 2"),
    ("requantize_thresholds", {"OutWidth": 0}, "OutWidth must be 1 to 30"),
    ("requantize_thresholds", {"OutWidth": 31}, "OutWidth must be 1 to 30"),
    ("requantize_thresholds", {"Steps": 0}, "Steps must be 1 to 2**OutWidth - 1"),
    ("requantize_thresholds", {"OutWidth": 2, "Steps": 4}, "Steps must be 1 to 2**OutWidth - 1"),
    ("requantize_thresholds", {"Base": -1}, "Base must be 0 where OutWidth is 1"),
    ("requantize_thresholds", {"OutWidth": 2, "Base": -3}, "Base to Base + Steps must fit into OutWidth bits"),
    (
        "requantize_thresholds",
        {"OutWidth": 2, "Base": -1, "Steps": 3},
        "Base to Base + Steps must fit into OutWidth bits",
    ),
    (
        "requantize_thresholds",
        {"OutWidth": 2, "Base": 1, "Steps": 3},
        "Base to Base + Steps must fit into OutWidth bits",
    ),
    ("requantize_thresholds", {"ParameterFile": ""}, "ParameterFile must be named"),
    ("requantize_thresholds", {"RomStyle": "distributed"}, "RomStyle must be auto, block or logic"),
    ("requantize_affine", {"Folds": 0}, "Folds and Pe must be at least 1"),
    ("requantize_affine", {"Pe": 0}, "Folds and Pe must be at least 1"),
    ("requantize_affine", {"InWidth": 1}, "widths must be at least 2"),
    ("requantize_affine", {"OutWidth": 1}, "widths must be at least 2"),
    ("requantize_affine", {"FactorWidth": 1}, "widths must be at least 2"),
    ("requantize_affine", {"OffsetWidth": 1}, "widths must be at least 2"),
    ("requantize_affine", {"Shift": 17}, "Shift must leave a bit of the sum"),
    ("requantize_affine", {"Slopes": 0}, "Slopes must be 1 or 2"),
    ("requantize_affine", {"Slopes": 3}, "Slopes must be 1 or 2"),
    ("requantize_affine", {"ParameterFile": ""}, "ParameterFile must be named"),
    ("requantize_affine", {"RomStyle": "distributed"}, "RomStyle must be auto, block or logic"),
    ("requantize_table", {"Folds": 0}, "Folds and Pe must be at least 1"),
    ("requantize_table", {"Pe": 0}, "Folds and Pe must be at least 1"),
    ("requantize_table", {"InWidth": 0}, "InWidth must be 1 to 16"),
    ("requantize_table", {"InWidth": 17}, "InWidth must be 1 to 16"),
    ("requantize_table", {"OutWidth": 0}, "OutWidth must be at least 1"),
    ("requantize_table", {"TableFiles": ""}, "TableFiles must be named"),
    ("requantize_table", {"RomStyle": "distributed"}, "RomStyle must be auto, block or logic"),
    ("repeat", {"Width": 0}, "Width must be at least 1"),
    ("repeat", {"Beats": 0}, "Beats must be at least 1"),
    ("repeat", {"Times": 1}, "Times must be at least 2"),
    ("pool", {"Positions": 0}, "Positions, Folds and Pe must be at least 1"),
    ("pool", {"Folds": 0}, "Positions, Folds and Pe must be at least 1"),
    ("pool", {"Pe": 0}, "Positions, Folds and Pe must be at least 1"),
    ("pool", {"InWidth": 0}, "InWidth must be 1 to 32"),
    ("pool", {"InWidth": 33}, "InWidth must be 1 to 32"),
    ("pool", {"OutWidth": 0}, "OutWidth must be InWidth in mode max"),
    ("pool", {"OutWidth": 2}, "OutWidth must be InWidth in mode max"),
    ("pool", {"Mode": "sum", "OutWidth": 3}, "OutWidth must hold every sum"),
    ("pool", {"Mode": "sum", "OutWidth": 2, "Signed": 0}, "OutWidth must hold every sum"),
    ("pool", {"Mode": "sum", "InWidth": 8, "OutWidth": 9}, "OutWidth must hold every sum"),
    ("pool", {"Mode": "sum", "InWidth": 32, "OutWidth": 33, "Signed": 0}, "OutWidth must hold every sum"),
    ("pool", {"Mode": "mean"}, "Mode must be max or sum"),
    ("pool", {"MemoryStyle": "logic"}, "MemoryStyle must be auto, block or distributed"),
    ("swg_parallel", {"Width": 0}, "Width must be at least 1"),
    ("swg_parallel", {"KernelRows": 0}, "a window must have at least two pixels"),
    ("swg_parallel", {"KernelColumns": 0}, "a window must have at least two pixels"),
    ("swg_parallel", {"KernelRows": 1, "KernelColumns": 1}, "a window must have at least two pixels"),
    ("swg_parallel", {"Rows": 2}, "a window must fit into the map"),
    ("swg_parallel", {"Columns": 2}, "a window must fit into the map"),
    ("swg_parallel", {"StrideRows": 0}, "StrideRows and StrideColumns must be at least 1"),
    ("swg_parallel", {"StrideColumns": 0}, "StrideRows and StrideColumns must be at least 1"),
    ("swg_parallel", {"Windows": 0}, "Windows must be at least 1"),
    ("swg_parallel", {"Windows": 4}, "Windows must divide the windows of a row"),
    ("swg_parallel", {"Windows": 12}, "Windows must divide the windows of a row"),
    ("swg", {"Rows": 0}, "sizes of map, beat, element, kernel and strides must be at least 1"),
    ("swg", {"Columns": 0}, "sizes of map, beat, element, kernel and strides must be at least 1"),
    ("swg", {"Channels": 0}, "sizes of map, beat, element, kernel and strides must be at least 1"),
    ("swg", {"Simd": 0}, "sizes of map, beat, element, kernel and strides must be at least 1"),
    ("swg", {"Bits": 0}, "sizes of map, beat, element, kernel and strides must be at least 1"),
    ("swg", {"KernelRows": 0}, "sizes of map, beat, element, kernel and strides must be at least 1"),
    ("swg", {"KernelColumns": 0}, "sizes of map, beat, element, kernel and strides must be at least 1"),
    ("swg", {"StrideRows": 0}, "sizes of map, beat, element, kernel and strides must be at least 1"),
    ("swg", {"StrideColumns": 0}, "sizes of map, beat, element, kernel and strides must be at least 1"),
    ("swg", {"Simd": 3}, "Simd must divide Channels"),
    ("swg", {"Channels": 2}, "Simd must divide Channels"),
    ("swg", {"PadTop": 3}, "padding must be less than the kernel"),
    ("swg", {"PadBottom": 3}, "padding must be less than the kernel"),
    ("swg", {"PadLeft": 3}, "padding must be less than the kernel"),
    ("swg", {"PadRight": 3}, "padding must be less than the kernel"),
    ("swg", {"Rows": 2}, "the kernel must fit into the padded map"),
    ("swg", {"Columns": 2}, "the kernel must fit into the padded map"),
    ("swg_ring", {"Width": 0}, "Width and Span must be at least 1"),
    ("swg_ring", {"Span": 0}, "Width and Span must be at least 1"),
    ("swg_ring", {"Depth": 19}, "Depth must be at least Span"),
    ("swg_ring", {"Lead": -1}, "Lead must be 0 to Span - 1"),
    ("swg_ring", {"Lead": 20}, "Lead must be 0 to Span - 1"),
    ("swg_ring", {"MemoryStyle": "logic"}, "MemoryStyle must be auto, block or distributed"),
    ("uart_rx", {"CyclesPerBit": 7}, "CyclesPerBit must be at least 8"),
    ("uart_tx", {"CyclesPerBit": 1}, "CyclesPerBit must be at least 2"),
    ("uart_shell", {"InBytes": 0}, "InBytes and OutBytes must be at least 1"),
    ("uart_shell", {"OutBytes": 0}, "InBytes and OutBytes must be at least 1"),
    ("uart_shell", {"Depth": 1}, "Depth must be at least 2"),
]


def case_id(value: object) -> str:
    return "_".join(f"{key}_{item}" for key, item in value.items()) if isinstance(value, dict) else str(value)


def test_every_module_has_its_cases(bench):
    modules = {path.stem.removeprefix("xnorflow_") for path in bench.sources}
    assert modules == set(VARIANTS) == {module for module, _, _ in ILLEGAL} | {"carry4"}  # without parameters


@pytest.mark.parametrize(("module", "parameters"), CASES, ids=case_id)
def test_clean_under_wall(bench, module, parameters):
    assert bench.lint(module, **parameters) == []
    if module in {"mvau", "popcount_array", "sign_sum"}:  # they have a body for synthesis
        assert bench.lint(module, synthesis=True, **parameters) == []


def test_no_lint_waivers(bench):
    for path in bench.sources:
        assert "lint_off" not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize(("module", "parameters", "message"), ILLEGAL, ids=case_id)
def test_illegal_parameters_are_refused(bench, module, parameters, message):
    said = [line for line in bench.lint(module, **parameters) if f": xnorflow_{module}: " in line]
    assert [line.split(f"xnorflow_{module}: ")[1] for line in said] == [message]


def test_illegal_parameters_do_not_simulate(bench):
    """A build in which warnings are not fatal is refused too, there or when it starts."""
    with pytest.raises(SimulateError, match="InWidth and OutWidth must divide one another"):
        bench.open("dwc", InWidth=6, OutWidth=4).close()


def test_heads_and_guards(bench):
    """Each file: two SPDX lines, a purpose, latency and cost; no implicit nets, and none forbidden to others."""
    for path in bench.sources:
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        assert lines[:2] == [
            "// SPDX-FileCopyrightText: xnorflow authors",
            "// SPDX-License-Identifier: BSD-3-Clause",
        ], path.name
        head = text.split("`default_nettype none")[0]
        assert "// Why this structure: " in head and "// Latency: " in head and "// Cost: " in head, path.name
        assert lines[-1] == "`default_nettype wire", path.name
        assert max(map(len, lines)) <= 100, path.name
