"""A run as a Python object: stages where they are wanted, other foldings, traces, one maker at a time."""

import multiprocessing
import threading

import numpy as np
import pytest

from xnorflow.artifact.errors import ConfigError, InputModelError
from xnorflow.cycles.run import predict_cycles
from xnorflow.flow.experiment import TEST_SET, Experiment
from xnorflow.lower.cycle_graph import stream_channels
from xnorflow.lower.explore import explore_foldings

CONFIG = """
name = "tiny"
[data]
dataset = "digits"
[train]
network = "TFC_1W1A"
hidden = [12]
epochs = 1
[build]
target_cycles = 40
output = "logits"
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """An experiment with its design."""
    folder = tmp_path_factory.mktemp("experiment")
    (folder / "tiny.toml").write_text(CONFIG, encoding="utf-8")
    return Experiment(folder / "tiny.toml", folder / "runs").until("lower", quiet=True)


def test_what_stages_left_can_be_had(made):
    golden, data = made.golden, made.data
    assert np.array_equal(golden.inputs, data.test_images) and np.array_equal(golden.labels, data.test_labels)
    assert np.array_equal(made.codec.decode(made.run_integer(golden.inputs)), golden.logits)
    assert made.design.cycles_per_frame <= 40 and made.model.is_file()
    assert made.results.training["network"] == "TFC_1W1A"
    deployed, stage = made.network().state_dict(), made.network("binary").state_dict()
    assert all(bool((deployed[key] == stage[key]).all()) for key in deployed)


def test_stages_that_are_done_are_kept(made, capfd):
    before = made.folders.design.stat().st_mtime_ns
    made.until("generate")
    assert capfd.readouterr().out.count("unchanged, kept") == 3
    assert made.folders.design.stat().st_mtime_ns == before


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_traces_are_those_of_the_cycle_model(made, stall):
    images = made.golden.inputs[:5]
    traces, graph = made.trace_streams(images, stall_probability=stall, seed=3), made.cycle_graph()
    report = predict_cycles(graph, len(images), stall_probability=stall, seed=3, trace=True)
    channels = stream_channels(graph)
    assert set(channels) == set(traces)
    for stream, channel in channels.items():
        handshakes = report.trace[:, report.channels.index(channel)]
        assert np.array_equal(handshakes, traces[stream].valid + 2 * traces[stream].ready), stream
        assert np.array_equal(traces[stream].transfers, report.transfers(channel))


def test_a_trace_holds_the_results(made):
    images, design = made.golden.inputs[:3], made.design
    out = made.trace_streams(images)[f"{design.nodes[-1].name}.out0"]
    mask = (1 << design.output.bits) - 1
    assert design.output.per_beat == 1 and not design.output.signed
    raw = np.array([out.data[cycle] & mask for cycle in out.transfers]).reshape(len(images), -1)
    assert np.array_equal(made.codec.accumulators(raw), made.run_integer(images))


def test_no_folding_is_in_front_of_the_front(made):
    space = made.explore(sample=300)
    assert space.count > 300 and len(space.sample) == 300
    pairs = [(point.cycles, point.luts) for point in space.front]
    assert pairs == sorted(pairs) and [luts for _, luts in pairs] == sorted((luts for _, luts in pairs), reverse=True)
    for point in space.sample:
        assert any(best.cycles <= point.cycles and best.luts <= point.luts for best in space.front)
    assert space.sample == made.explore(sample=300).sample
    assert space.front[0].frames_per_second(10.0) == 1e8 / space.front[0].cycles


def test_a_point_of_the_front_is_built_as_estimated(made):
    before = made.folders.design.read_bytes()
    point = made.explore(sample=0).front[-2]
    found = made.variant("small", until="generate", folding=point.folding, quiet=True)
    assert found.design.cycles_per_frame == point.cycles and not found.synthesis
    luts = sum(layer["LUT"] for name, layer in found.estimates.items() if name != "total")
    assert 0.85 * point.luts <= luts <= point.luts  # less where FIFOs were merged into output buffers
    assert made.folders.design.read_bytes() == before


def test_a_variant_of_unknown_settings_is_refused(made):
    with pytest.raises(ConfigError, match=r"unknown key 'target_cycle'"):
        made.variant("none", target_cycle=4)


def test_the_folder_for_a_board_holds_the_test_set(made):
    folder = made.deploy()
    with np.load(folder / TEST_SET) as content:
        assert np.array_equal(content["images"], made.golden.inputs)
        assert np.array_equal(content["labels"], made.golden.labels)
    stamp = (folder / TEST_SET).stat().st_mtime_ns
    assert made.deploy() == folder and (folder / TEST_SET).stat().st_mtime_ns == stamp


def test_no_such_stage(made):
    with pytest.raises(ValueError, match="place"):
        made.until("place")


def test_nothing_to_explore(tmp_path):
    with pytest.raises(InputModelError, match=r"step_create_dataflow_partition.onnx is missing"):
        explore_foldings(tmp_path, "Pynq-Z2")


def hold(experiment, held, release):
    with experiment._alone():
        held.set()
        release.wait(20)


def test_one_process_waits_for_another(made):
    context = multiprocessing.get_context("fork")
    held, release = context.Event(), context.Event()
    other = context.Process(target=hold, args=(made, held, release))
    other.start()
    try:
        assert held.wait(20)
        threading.Timer(0.3, release.set).start()
        with made._alone():
            assert release.is_set()
    finally:
        release.set()
        other.join(20)
