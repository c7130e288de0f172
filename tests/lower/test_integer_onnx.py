"""integer.onnx: exact, fast, and refused where float32 would round."""

from __future__ import annotations

import itertools
import time

import numpy as np
import onnx
import pytest
import variants

from xnorflow.artifact.errors import LowerError
from xnorflow.lower.integer_layer import IntegerLayer
from xnorflow.lower.integer_network import IntegerNetwork
from xnorflow.lower.integer_onnx import run_integer, write_integer_onnx


def network(widths, datatype="BIPOLAR", labels=False, seed=0):
    rng = np.random.default_rng(seed)
    layers = []
    for index, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        last, kind = index == len(widths) - 2, datatype if index == 0 else "BIPOLAR"
        thresholds = None if last else rng.integers(-inputs - 2, inputs + 2, outputs)
        layers.append(IntegerLayer(f"l{index}", rng.choice([-1, 1], (inputs, outputs)), thresholds, kind))
    return IntegerNetwork(tuple(layers), labels)


def by_hand(net, values):
    """Compute with Python's integers only."""
    rows = [[int(x) for x in row] for row in values]
    for layer in net.products:
        columns = [[int(w) for w in column] for column in layer.weights.T]
        rows = [[sum(x * w for x, w in zip(row, column, strict=True)) for column in columns] for row in rows]
        if layer.thresholds is not None:
            rows = [[1 if a >= int(t) else -1 for a, t in zip(row, layer.thresholds, strict=True)] for row in rows]
    return np.asarray(rows)


@pytest.mark.parametrize(
    ("datatype", "levels"), [("BIPOLAR", (-1, 1)), ("INT8", range(-128, 128)), ("INT2", (-1, 0, 1))]
)
@pytest.mark.parametrize("widths", [(31, 17, 5), (13, 3), (8, 1, 1), (24, 7, 11, 2)])
def test_equals_integers_computed_by_hand(widths, datatype, levels, tmp_path):
    net = network(widths, datatype)
    values = np.random.default_rng(1).choice(np.asarray(levels), (20, widths[0]))
    write_integer_onnx(net, tmp_path / "integer.onnx")
    found = run_integer(tmp_path / "integer.onnx", values)
    assert found.dtype == np.int64 and np.array_equal(found, by_hand(net, values))
    assert np.array_equal(net.accumulators(values), found)


def test_labels_are_the_first_of_equals(tmp_path):
    weights = np.ones((4, 3), np.int64)
    weights[0, 0] = -1
    net = IntegerNetwork((IntegerLayer("l", weights, None, "BIPOLAR"),), True)
    values = np.asarray([[1, 1, 1, 1], [-1, 1, 1, 1]])
    write_integer_onnx(net, tmp_path / "integer.onnx")
    assert run_integer(tmp_path / "integer.onnx", values).tolist() == [[1], [0]]
    assert net.results(values).tolist() == [[1], [0]]


def test_batches_are_put_together_and_told(tmp_path):
    net = network((9, 5, 3))
    values = np.random.default_rng(0).choice([-1, 1], (9000, 9))
    write_integer_onnx(net, tmp_path / "integer.onnx")
    told = []

    class Listener:
        def task(self, label, total=None):
            import contextlib

            @contextlib.contextmanager
            def context():
                yield lambda steps, note: told.append(steps)

            assert total == 9000
            return context()

    assert np.array_equal(run_integer(tmp_path / "integer.onnx", values, Listener()), net.results(values))
    assert sum(told) == 9000 and len(told) > 1


def test_sums_that_float32_cannot_hold_are_refused(tmp_path):
    edge = 2**24 // 128
    fits = IntegerLayer("wide", np.ones((edge - 1, 1), np.int64), None, "INT8")
    write_integer_onnx(IntegerNetwork((fits,), False), tmp_path / "integer.onnx")
    largest = run_integer(tmp_path / "integer.onnx", np.full((1, edge - 1), -128))
    assert largest.tolist() == [[-128 * (edge - 1)]]
    too_wide = IntegerLayer("wide", np.ones((edge, 1), np.int64), None, "INT8")
    with pytest.raises(LowerError, match=r"layer wide: sums up to 16777216; allowed: sums below 2\*\*24.*use fewer"):
        write_integer_onnx(IntegerNetwork((too_wide,), False), tmp_path / "other.onnx")
    assert not (tmp_path / "other.onnx").exists()


def test_is_a_plain_onnx_file_of_equal_bytes_every_time(tmp_path):
    net = network((9, 5, 3))
    for name in ("a", "b"):
        write_integer_onnx(net, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    model = onnx.load(tmp_path / "a")
    onnx.checker.check_model(model, full_check=True)
    assert {node.domain for node in model.graph.node} == {""}


def test_tfc_runs_20000_images_a_second_on_two_cores(tmp_path):
    net = network((784, 64, 64, 64, 10))
    values = np.random.default_rng(0).choice([-1, 1], (20000, 784))
    write_integer_onnx(net, tmp_path / "integer.onnx")
    rates = []
    for _ in range(3):
        started = time.perf_counter()
        run_integer(tmp_path / "integer.onnx", values, threads=2)
        rates.append(len(values) / (time.perf_counter() - started))
    print(f"integer.onnx: TFC at {max(rates):,.0f} images/s on 2 threads")
    assert max(rates) >= 20000


def test_host_tables_survive_a_file(tmp_path, network_of):
    path = tmp_path / "model.onnx"
    variants.save("input_8_bit_quant_other_scale", path)
    codec = network_of(path).codec
    codec.save(tmp_path / "host.npz")
    loaded = type(codec).load(tmp_path / "host.npz")
    assert np.array_equal(loaded.thresholds, codec.thresholds) and np.array_equal(loaded.logits, codec.logits)
