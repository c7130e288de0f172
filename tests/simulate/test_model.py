"""The streaming model: exact data, exact cycles, and a clear word when a design misbehaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from xnorflow.artifact.errors import SimulateError
from xnorflow.simulate.model import StreamModel
from xnorflow.simulate.ports import PortNames
from xnorflow.simulate.verilator import compile_design


def random_beats(count: int, size: int = 1, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, size), dtype=np.uint8)


@pytest.fixture
def model(library, knobs):
    with StreamModel(library, knobs()) as model:
        yield model


def test_every_beat_comes_out_in_order_one_cycle_later(model):
    beats = random_beats(1000)
    run = model.run(beats, 1000, frame_in=4, frame_out=2)
    assert np.array_equal(run.beats, ~beats)
    assert run.cycles == 1001
    assert run.first_output == 1
    assert np.array_equal(run.frame_starts, np.arange(0, 1000, 4))
    assert np.array_equal(run.frame_ends, np.arange(2, 1001, 2))
    assert np.array_equal(run.intervals, np.full(499, 2))
    assert run.latency == 2


@pytest.mark.parametrize("stalls", [0.5, (0.5, 0.0), (0.0, 0.5)])
def test_stalls_cost_cycles_but_change_no_data(model, stalls):
    beats = random_beats(2000)
    run = model.run(beats, 2000, stall_probability=stalls)
    assert np.array_equal(run.beats, ~beats)
    assert run.cycles > 3000


def test_one_seed_gives_one_sequence_of_stalls(library, knobs):
    def cycles(seed: int) -> list[int]:
        with StreamModel(library, knobs()) as model:
            return model.run(random_beats(300), 300, stall_probability=0.3, seed=seed).frame_ends.tolist()

    assert cycles(1) == cycles(1)
    assert cycles(1) != cycles(2)


@pytest.mark.parametrize("chunk", [1, 7, 100_000])
def test_chunks_do_not_disturb(library, knobs, chunk):
    seen: list[int] = []
    with StreamModel(library, knobs()) as model:
        whole = model.run(random_beats(500), 500, stall_probability=0.3, seed=9)
    with StreamModel(library, knobs()) as model:
        parts = model.run(
            random_beats(500), 500, stall_probability=0.3, seed=9, chunk_cycles=chunk, on_chunk=seen.append
        )
    assert parts.cycles == whole.cycles
    assert np.array_equal(parts.frame_ends, whole.frame_ends)
    assert np.array_equal(parts.beats, whole.beats)
    assert seen == sorted(seen)
    assert seen[-1] == 500
    assert abs(len(seen) - whole.cycles / chunk) <= 1


def test_second_call_goes_on_with_the_same_hardware(library, knobs):
    with StreamModel(library, knobs(flip_from=5)) as model:
        first, second = (model.run(np.zeros((4, 1), np.uint8), 4) for _ in range(2))
    assert first.beats.ravel().tolist() == [255] * 4
    assert second.beats.ravel().tolist() == [255, 254, 254, 254]
    assert second.frame_starts[0] == 0


def test_registers_without_reset_start_at_what_the_seed_says(library, knobs):
    with StreamModel(library, knobs(), seed=1) as one, StreamModel(library, knobs(), seed=2) as two:
        assert np.array_equal(one.run(random_beats(50), 50).beats, two.run(random_beats(50), 50).beats)


@pytest.mark.parametrize("width", [13, 40, 100])
def test_any_width_and_library_port_names(tmp_path, width):
    source = tmp_path / "buffer.sv"
    source.write_text("""
module buffer #(parameter int unsigned Width = 8, parameter string Check = "") (
  input logic clk_i, input logic rst_ni,
  input logic [Width-1:0] data_i, input logic valid_i, output logic ready_o,
  output logic [Width-1:0] data_o, output logic valid_o, input logic ready_i);
  if (Check != "as given") $error("Check is wrong");
  assign ready_o = ready_i || !valid_o;
  always_ff @(posedge clk_i) if (!rst_ni) valid_o <= 1'b0; else if (ready_o) valid_o <= valid_i;
  always_ff @(posedge clk_i) if (ready_o) data_o <= data_i;
endmodule
""")
    library = compile_design(
        "buffer", [source], tmp_path, ports=PortNames.library(), parameters={"Width": width, "Check": "as given"}
    )
    beats = random_beats(500, -(-width // 8))
    beats[:, -1] &= 0xFF >> (-width % 8)
    with StreamModel(library) as model:
        assert (model.input_bits, model.output_bits) == (width, width)
        assert np.array_equal(model.run(beats, 500, stall_probability=0.4).beats, beats)
        if width % 8:
            with pytest.raises(ValueError, match=f"bits above the port's {width} are set"):
                model.run(np.full_like(beats, 255), 500)


def test_deadlock_says_where_and_what_is_pending(library, knobs):
    with StreamModel(library, knobs(stop_after=7)) as model, pytest.raises(SimulateError) as caught:
        model.run(random_beats(12), 12, frame_in=4, frame_out=4, timeout_cycles=50)
    assert str(caught.value) == (
        "design inverter: no transfer for 50 cycles, stuck at cycle 57, frame 1, output beat 3: "
        "input beat 3 of frame 1 is not accepted and 5 of 12 output beats have not come; "
        "deepen the FIFOs, or raise timeout_cycles if the design is merely slow"
    )


def test_slow_is_not_stuck(library, knobs):
    with StreamModel(library, knobs(gap=40)) as model:
        assert model.run(random_beats(20), 20, timeout_cycles=50).cycles == 19 * 41 + 2


def test_valid_that_falls_is_reported(library, knobs):
    with StreamModel(library, knobs(drop_valid=1)) as model, pytest.raises(SimulateError) as caught:
        model.run(random_beats(50), 50, stall_probability=(0.0, 0.5))
    assert "output valid fell or its data changed before it was taken, at cycle" in str(caught.value)
    assert "allowed: valid stays up with the same data until ready; mend the RTL" in str(caught.value)


@pytest.mark.parametrize(("knob", "reason"), [("fatal_at", r"inverter\.sv:\d+: "), ("finish_at", r"called \$finish")])
def test_design_that_stops_itself(library, knobs, knob, reason):
    with (
        StreamModel(library, knobs(**{knob: 3})) as model,
        pytest.raises(SimulateError, match=rf"design inverter: stopped itself at cycle 3, frame 3, .*: .*{reason}"),
    ):
        model.run(random_beats(8), 8)


def test_memory_file_missing(library, tmp_path):
    with pytest.raises(SimulateError, match=r"^design inverter: cannot start: knobs\.mem: .*file not found$"):
        StreamModel(library, tmp_path)


def test_surplus_output_is_seen(library, knobs):
    with StreamModel(library, knobs(surplus_after=3)) as model:
        model.run(random_beats(3), 3)
        assert model.idle(20) == 1
        assert model.idle(20) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beats": np.zeros((4, 2), np.uint8)}, r"beats: uint8 \(4, 2\), expected uint8 \(beats, 1\)"),
        ({"beats": np.zeros((4, 1), np.int64)}, r"beats: int64 \(4, 1\), expected"),
        ({"stall_probability": 1.0}, r"stall_probability: \(1.0, 1.0\), expected numbers in \[0, 1\)"),
        ({"frame_in": 3}, "4 beats in, 4 out: not whole frames of 3 and 1"),
    ],
)
def test_arguments_out_of_range(model, arguments, message):
    with pytest.raises(ValueError, match=message):
        model.run(**{"beats": np.zeros((4, 1), np.uint8), "n_out": 4, **arguments})


def test_closed_model_is_refused(library, knobs):
    model = StreamModel(library, knobs())
    model.close()
    model.close()
    with pytest.raises(ValueError, match="this model is closed"):
        model.run(random_beats(1), 1)


def test_interrupt_ends_a_long_run(library, knobs):
    code = f"""
import signal
import numpy as np
from pathlib import Path
from xnorflow.simulate.model import StreamModel
model = StreamModel(Path({str(library)!r}), Path({str(knobs(stop_after=1))!r}))
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job's is to be ignored
print("running", flush=True)
model.run(np.zeros((2, 1), np.uint8), 2, timeout_cycles=10**15)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "running\n"
        time.sleep(0.3)
        os.kill(child.pid, signal.SIGINT)
        _, errors = child.communicate(timeout=10)
    finally:
        child.kill()
    assert child.returncode != 0
    assert "KeyboardInterrupt" in errors
