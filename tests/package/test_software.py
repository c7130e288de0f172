"""The C headers pack and unpack as the Python side does, bit for bit, in C99 and in C++."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.compiler import find_compiler
from xnorflow.artifact.host import HostCodec
from xnorflow.artifact.streams import StreamSpec, pack, unpack
from xnorflow.package.config import PackageSettings
from xnorflow.package.software import Vectors, render_software

CORE = "xnorflow_small"
STRICT = ("-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wshadow")
CPP = find_compiler().program
LANGUAGES = [("gcc", "-std=c99"), (CPP, "-std=c++11", "-x", "c++")]
RAW = HostCodec(
    (3,), "BIPOLAR", np.zeros(1, np.float32), np.array([-1, 1]), 1, 0, 0, np.zeros((0, 0), np.float32), True
)
STREAMS = [
    StreamSpec("in0_V", "BIPOLAR", 1, 12, 4),
    StreamSpec("in0_V", "BIPOLAR", 1, 36, 9),
    StreamSpec("in0_V", "UINT8", 8, 6, 3),
    StreamSpec("in0_V", "INT8", 8, 5, 5),
    StreamSpec("in0_V", "INT4", 4, 9, 3),
    StreamSpec("in0_V", "INT5", 5, 21, 7),
    StreamSpec("in0_V", "UINT2", 2, 130, 65),
    StreamSpec("in0_V", "INT19", 19, 10, 1),
    StreamSpec("in0_V", "INT32", 32, 4, 2),
    StreamSpec("in0_V", "UINT32", 32, 4, 1),
    StreamSpec("in0_V", "INT40", 40, 3, 3),
]


def random_values(spec: StreamSpec, frames: int) -> np.ndarray:
    """Values of all of the range, its ends among them."""
    rng = np.random.default_rng(spec.elements)
    if spec.datatype == "BIPOLAR":
        return 2 * rng.integers(0, 2, (frames, spec.elements)) - 1
    least = -(1 << spec.bits - 1) if spec.signed else 0
    values = rng.integers(least, least + (1 << spec.bits), (frames, spec.elements))
    values[0, 0], values[0, -1] = least, least + (1 << spec.bits) - 1
    return values


def compile_headers(folder: Path, texts: dict[str, str], language: tuple[str, ...]) -> ctypes.CDLL:
    """Compile the header into a library whose functions can be called."""
    for name, text in texts.items():
        (folder / name).write_text(text)
    value = "int64_t" if "typedef int64_t" in texts[f"{CORE}.h"] else "int32_t"
    (folder / "calls.c").write_text(f"""#include "{CORE}.h"
#ifdef __cplusplus
extern "C" {{
#endif
int call_pack(const {value} *elements, uint8_t *beats);
void call_unpack(const uint8_t *beats, {value} *elements);
int call_pack(const {value} *elements, uint8_t *beats) {{ return {CORE}_pack(elements, beats); }}
void call_unpack(const uint8_t *beats, {value} *elements) {{ {CORE}_unpack(beats, elements); }}
#ifdef __cplusplus
}}
#endif
""")
    library = folder / "calls.so"
    subprocess.run([*language, *STRICT, "-shared", "-fPIC", "-o", library, folder / "calls.c"], check=True)
    return ctypes.CDLL(str(library))


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one[1])
@pytest.mark.parametrize("spec", STREAMS, ids=lambda spec: f"{spec.datatype}x{spec.per_beat}")
def test_packing_equals_pythons(tmp_path, design, spec, language):
    """Packs into beats as Python does and reads the very beats back; the output has the type of the input here."""
    frames = 3
    values = random_values(spec, frames)
    one = replace(design, input=spec, output=replace(spec, name="out0_V"))
    vectors = Vectors(np.zeros((1, spec.elements), np.float32), values[:1], values[:1], np.zeros(1, np.int64), 2)
    texts = render_software(one, RAW, vectors, PackageSettings(name="small"))
    calls = compile_headers(tmp_path, texts, language)
    number = np.int64 if "typedef int64_t" in texts[f"{CORE}.h"] else np.int32
    expected = pack(values, spec).reshape(frames, -1)
    for frame in range(frames):
        given, beats = values[frame].astype(number), np.full(expected.shape[1], 0xA5, np.uint8)
        assert calls.call_pack(ctypes.c_void_p(given.ctypes.data), ctypes.c_void_p(beats.ctypes.data)) == 0
        np.testing.assert_array_equal(beats, expected[frame])
        back = np.empty(spec.elements, number)
        calls.call_unpack(ctypes.c_void_p(beats.ctypes.data), ctypes.c_void_p(back.ctypes.data))
        np.testing.assert_array_equal(back, values[frame])
    np.testing.assert_array_equal(unpack(pack(values, spec), spec), values)


@pytest.mark.parametrize("spec", [spec for spec in STREAMS if spec.bits < 32], ids=lambda spec: spec.datatype)
def test_packing_equals_that_of_finns_driver(spec):
    """FINN's own function, called as its generated driver calls it: what IODMA finds in memory is the same."""
    from finn.util.data_packing import finnpy_to_packed_bytearray
    from qonnx.core.datatype import DataType

    values = random_values(spec, 3)
    folded = values.reshape(3, spec.beats, spec.per_beat).astype(np.float32)
    packed = finnpy_to_packed_bytearray(folded, DataType[spec.datatype], reverse_inner=True, reverse_endian=True)
    np.testing.assert_array_equal(packed.reshape(-1, spec.tdata_bytes), pack(values, spec))


def run_test(folder: Path, language: tuple[str, ...], program: Path) -> str:
    subprocess.run([*language, *STRICT, "-o", program, folder / f"{CORE}_test.c"], check=True)
    return subprocess.run([program], capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda one: one[1])
def test_the_packaged_program(package, language, tmp_path):
    """Floats to beats and beats to classes, on the golden frames."""
    assert run_test(package / "sw", language, tmp_path / "program") == "PASS: 5 frames\n"


@pytest.mark.parametrize(
    ("table", "told"),
    [("in_beats", "input beats differ"), ("results", "results differ"), ("classes", "class ")],
)
def test_the_packaged_program_compares(package, tmp_path, table, told):
    """A number changed in the expected tables is found."""
    for path in (package / "sw").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    header = tmp_path / f"{CORE}_vectors.h"
    text = header.read_text()
    start = text.index("    ", text.index("= {", text.index(f"{CORE}_{table}[")))
    number, rest = text[start:].strip().split(",", 1)
    header.write_text(f"{text[:start]}    {int(number) ^ 1},{rest}")
    assert f"FAIL: frame 0: {told}" in run_test(tmp_path, LANGUAGES[0], tmp_path / "program")


def logits_in_c(tmp_path: Path, texts: dict[str, str], codec: HostCodec, images: np.ndarray, raw: np.ndarray):
    """Quantize images and decode results by the C header."""
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "host.c").write_text(f"""#include "{CORE}_host.h"
void call_quantize(const float *frame, int32_t *elements);
void call_logits(const int32_t *results, float *logits);
size_t call_classify(const int32_t *results);
void call_quantize(const float *frame, int32_t *elements) {{ {CORE}_quantize(frame, elements); }}
void call_logits(const int32_t *results, float *logits) {{ {CORE}_logits(results, logits); }}
size_t call_classify(const int32_t *results) {{ return {CORE}_classify(results); }}
""")
    library = tmp_path / "host.so"
    subprocess.run([*LANGUAGES[0], *STRICT, "-shared", "-fPIC", "-o", library, tmp_path / "host.c"], check=True)
    calls = ctypes.CDLL(str(library))
    pointer = ctypes.c_void_p
    elements = np.empty(images.shape, np.int32)
    logits = np.empty((len(raw), codec.logits.shape[1]), np.float32)
    classes = np.empty(len(raw), np.int64)
    for frame in range(len(images)):
        calls.call_quantize(pointer(images[frame].ctypes.data), pointer(elements[frame].ctypes.data))
    for frame in range(len(raw)):
        calls.call_logits(pointer(raw[frame].ctypes.data), pointer(logits[frame].ctypes.data))
        classes[frame] = calls.call_classify(pointer(raw[frame].ctypes.data))
    return elements, logits, classes


@pytest.mark.parametrize("order", ["same", "pixels", "table"])
def test_the_hosts_arithmetic_equals_pythons(tmp_path, design, order):
    """Thresholds at, below and above their floats; every row of the table of logits; ties go to the first class."""
    rng = np.random.default_rng(7)
    shape, classes, rows = (3, 4, 5), 4, 21
    thresholds = np.sort(rng.normal(size=7)).astype(np.float32)
    thresholds[-1] = np.inf
    places = np.arange(60).reshape(shape)
    orders = {"same": None, "pixels": np.moveaxis(places, 0, -1).ravel(), "table": rng.permutation(60)}
    logits = rng.normal(size=(rows, classes)).astype(np.float32)
    logits[3] = logits[3, 0]
    codec = HostCodec(shape, "INT3", thresholds, np.arange(-4, 4), 2, -20, -20, logits, False, orders[order])
    ends = thresholds[:-1]
    around = np.concatenate([ends, np.nextafter(ends, np.float32(-9)), np.nextafter(ends, np.float32(9))])
    images = np.concatenate([rng.normal(size=(4, 60)), rng.choice(around, (12, 60))]).astype(np.float32)
    one = replace(
        design, input=StreamSpec("in0_V", "INT3", 3, 60, 6), output=StreamSpec("out0_V", "UINT5", 5, classes, 1)
    )
    raw = np.concatenate([np.repeat(np.arange(rows)[:, None], classes, 1), rng.integers(0, rows, (30, classes))])
    vectors = Vectors(images, codec.quantize(images), raw[: len(images)], np.zeros(len(images), np.int64), classes)
    texts = render_software(one, codec, vectors, PackageSettings(name="small"))
    elements, found, best = logits_in_c(tmp_path, texts, codec, images, raw.astype(np.int32))
    np.testing.assert_array_equal(elements, codec.quantize(images))
    expected = codec.decode(codec.accumulators(raw))
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(best, expected.argmax(axis=1))


def test_labels_need_no_table(design):
    one = replace(design, output=StreamSpec("out0_V", "UINT4", 4, 1, 1))
    vectors = Vectors(np.zeros((1, 30), np.float32), np.zeros((1, 30), np.int64), np.array([[3]]), np.array([3]), 10)
    texts = render_software(one, RAW, vectors, PackageSettings(name="small"))
    host = texts[f"{CORE}_host.h"]
    assert "XNORFLOW_SMALL_HAS_LOGITS 0" in host and "_logits(const" not in host
    assert "return (size_t)results[0];" in host


def test_huge_tables_are_left_out(tmp_path, design, codec, vectors):
    """Then the program compares what there is."""
    rows = 65_536 // codec.logits.shape[1] + 1
    huge = replace(codec, logits=np.zeros((rows, codec.logits.shape[1]), np.float32))
    texts = render_software(design, huge, vectors, PackageSettings(name="small"))
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert "_classify(const" not in texts[f"{CORE}_host.h"] and "XNORFLOW_SMALL_HAS_LOGITS 0" in texts[f"{CORE}_host.h"]
    assert run_test(tmp_path, LANGUAGES[0], tmp_path / "program") == "PASS: 5 frames\n"


def test_sizes(package, design):
    header = (package / "sw" / f"{CORE}.h").read_text()
    frame_bytes = design.input.beats * design.input.tdata_bytes
    for line in (
        f"#define XNORFLOW_SMALL_IN_ELEMENTS {design.input.elements}",
        f"#define XNORFLOW_SMALL_IN_FRAME_BYTES {frame_bytes}",
        "#define XNORFLOW_SMALL_IN_MIN (-8)",
        "#define XNORFLOW_SMALL_IN_MAX (7)",
        f"#define XNORFLOW_SMALL_OUT_BEATS {design.output.beats}",
        f"#define XNORFLOW_SMALL_CYCLES_PER_FRAME {design.cycles_per_frame}",
        f"#define XNORFLOW_SMALL_LATENCY_CYCLES {design.latency_cycles}",
        "#define XNORFLOW_SMALL_ASSUMED_CLOCK_HZ 100000000",
        f'#define XNORFLOW_SMALL_ARTIFACT "{design.artifact_sha256}"',
    ):
        assert f"{line}\n" in header or f"{line}  /*" in header, line
