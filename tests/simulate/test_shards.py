"""Frames shared out to several processes: the same outputs, the same errors, wherever the processes are."""

from __future__ import annotations

import contextlib
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import psutil
import pytest

from xnorflow.artifact.errors import SimulateError, ToolError
from xnorflow.artifact.streams import StreamSpec, unpack
from xnorflow.simulate import shards
from xnorflow.simulate.shards import Hardware, plan_shards, run_shards, shard_seed

FRAMES = 60
STARTS = [0, 20, 40]


@pytest.fixture
def hardware(library, knobs):
    """Describe the inverter, 16 elements a frame in 2 beats."""
    sink = StreamSpec("out0_V", "BIPOLAR", 1, 16, 8)

    def describe(**faults: int) -> Hardware:
        return Hardware("inverter", library, knobs(**faults), replace(sink, name="in0_V"), sink, 7, 500, 100)

    return describe


@pytest.fixture
def inputs():
    return 2 * np.random.default_rng(5).integers(0, 2, (FRAMES, 16)) - 1


@pytest.fixture
def steps():
    """A list of the steps that an advance was told of, and that advance."""
    told: list[int] = []
    return told, lambda frames, note: told.append(frames)


@pytest.mark.parametrize(
    ("frames", "cycles", "jobs", "starts"),
    [
        (360, 128, 8, [0]),  # 46,080 cycles: not worth a process
        (10_000, 128, 2, [0, 5000]),
        (10_000, 128, 8, [0, 3333, 6666]),  # 1,280,000 cycles: three times 400,000, not four
        (10_000, 8100, 4, [0, 2500, 5000, 7500]),
        (2, 10**9, 16, [0, 1]),
        (10_000, 8100, 1, [0]),
        (1, 0, 5, [0]),
    ],
)
def test_shards_are_made_where_it_pays(frames, cycles, jobs, starts):
    assert plan_shards(frames, cycles, jobs) == starts


def test_every_shard_has_stalls_of_its_own():
    assert shard_seed(5, 0) == 5
    seeds = {shard_seed(seed, first) for seed in range(3) for first in range(0, 5000, 50)}
    assert len(seeds) == 300 and max(seeds) < 2**64


def test_outputs_of_shards_are_those_of_all_frames_in_one(hardware, inputs, steps):
    told, advance = steps
    description = hardware()
    runs = run_shards(description, inputs, STARTS, 0.3, advance)
    assert np.array_equal(np.concatenate([unpack(run.beats, description.sink) for run in runs]), -inputs)
    assert sum(told) == FRAMES
    assert len({run.cycles for run in runs}) > 1  # not one sequence of stalls three times
    again = run_shards(description, inputs, STARTS, 0.3, advance)
    assert [run.cycles for run in again] == [run.cycles for run in runs]
    assert not list(description.library.parent.glob(".shards.*"))


def test_fault_in_a_worker_is_the_same_error_with_the_frame_of_all(hardware, inputs, steps):
    with pytest.raises(SimulateError) as caught:
        run_shards(hardware(stop_after=35), inputs, [0, 10], 0.0, steps[1])  # the first shard ends before it sticks
    assert str(caught.value) == (
        "design inverter: no transfer for 500 cycles, stuck at cycle 535, frame 27, output beat 1: input beat 1 of "
        "frame 27 is not accepted and 65 of 100 output beats have not come; deepen the FIFOs, or raise timeout_cycles "
        "if the design is merely slow"
    )
    assert caught.value.fix.startswith("deepen the FIFOs")


def test_every_shard_looks_for_surplus_beats(hardware, inputs, steps):
    with pytest.raises(SimulateError, match=r"^design inverter: sends output beats that belong to no frame; mend the"):
        run_shards(hardware(surplus_after=40), inputs, [0, 40], 0.3, steps[1])


@pytest.mark.parametrize("backend", ["threading", "loky", "sequential"])
def test_backend_around_the_call_is_taken(hardware, inputs, steps, backend, monkeypatch):
    used: list[str] = []
    call = joblib.Parallel.__call__

    def spy(self, calls):
        used.append(type(self._backend).__name__)
        return call(self, calls)

    monkeypatch.setattr(joblib.Parallel, "__call__", spy)
    description = hardware()
    with joblib.parallel_config(backend=backend):
        runs = run_shards(description, inputs, STARTS, 0.3, steps[1])
    assert used == [f"{backend.capitalize()}Backend"]
    assert np.array_equal(np.concatenate([unpack(run.beats, description.sink) for run in runs]), -inputs)
    assert sum(steps[0]) == FRAMES


def test_threads_that_start_at_once_keep_the_working_folder(hardware, inputs, steps):
    before = Path.cwd()
    with joblib.parallel_config(backend="threading"):
        for _ in range(5):
            run_shards(hardware(), inputs, list(range(0, FRAMES, 4)), 0.0, steps[1])
    assert Path.cwd() == before


def test_library_that_cannot_be_loaded_there(hardware, inputs, steps, tmp_path):
    text = tmp_path / "inverter_0.so"
    text.write_text("of another machine")
    with pytest.raises(ToolError, match=rf"^compiled design {text}: cannot be loaded: .*; allowed: a file that this "):
        run_shards(replace(hardware(), library=text), inputs, STARTS, 0.0, steps[1])


def test_killed_process_is_one_clear_line(hardware, inputs, steps):
    class Suicide:
        """Takes the worker down while it reads its arguments, as the system does when memory runs out."""

        def __reduce__(self):
            return signal.raise_signal, (signal.SIGKILL,)

    with pytest.raises(ToolError) as caught:
        run_shards(replace(hardware(), name=Suicide()), inputs, STARTS, 0.0, steps[1])
    assert str(caught.value) == (
        "a simulation process: was killed by the system, or ran out of memory; free memory or give fewer --jobs"
    )
    assert len(run_shards(hardware(), inputs, STARTS, 0.0, steps[1])) == 3  # the next call has new processes


def test_loss_that_a_cluster_tells_of_by_its_own_name():
    lost = type("KilledWorker", (Exception,), {})
    with pytest.raises(ToolError, match=r"^a simulation process: was killed"), shards._lost_named():
        raise lost
    with pytest.raises(ValueError, match=r"^a fault$"), shards._lost_named():
        raise ValueError("a fault")


def test_shard_ends_when_nobody_waits(hardware, tmp_path):
    """The folder that it tells its frames in goes away with the call that made it."""
    folder = tmp_path / "told"
    folder.mkdir()
    beats = np.zeros((2 * 100_000, 1), np.uint8)
    failed: list[BaseException] = []

    def simulate() -> None:
        try:
            shards._simulate(replace(hardware(gap=400), timeout_cycles=1000), 0, beats, 0.0, folder / "0")
        except SimulateError as reason:
            failed.append(reason)

    thread = threading.Thread(target=simulate)
    thread.start()
    while not (folder / "0").exists():
        time.sleep(0.01)
    with contextlib.suppress(FileNotFoundError):
        (folder / "0").unlink()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert "given up, as nobody waits" in str(failed[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_processes_end_with_the_one_that_waits(hardware, inputs, tmp_path, number):
    """The design is stuck for good, so that nothing else would end them."""
    description = replace(hardware(stop_after=1), timeout_cycles=10**15)
    (tmp_path / "job").write_bytes(pickle.dumps((description, inputs)))
    code = """
import pickle, signal, sys
from pathlib import Path
from xnorflow.simulate.shards import run_shards
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's is to be ignored
hardware, inputs = pickle.loads(Path(sys.argv[1]).read_bytes())
try:
    run_shards(hardware, inputs, [0, 30], 0.0, lambda frames, note: None)
except KeyboardInterrupt:
    sys.exit(130)
"""
    waiting = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "job")])
    folder = description.library.parent
    while len(list(folder.glob(".shards.*/*"))) < 2:  # both are at work
        time.sleep(0.05)
    family = psutil.Process(waiting.pid).children(recursive=True)
    assert len(family) >= 2
    try:
        waiting.send_signal(number)
        assert waiting.wait(timeout=30) == (130 if number == signal.SIGINT else -signal.SIGKILL)
        _, alive = psutil.wait_procs(family, timeout=10)
    finally:
        for process in [waiting, *family]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    left = list(folder.glob(".shards.*"))
    assert not left or number == signal.SIGKILL
    for path in left:
        shutil.rmtree(path)
