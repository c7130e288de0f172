"""A few odd networks all the way to RTL: what Verilator sends is what the integers say, in the cycles foretold."""

from __future__ import annotations

import numpy as np
import pytest
import variants

from xnorflow.artifact.progress import SilentProgress
from xnorflow.artifact.streams import pack, unpack


@pytest.mark.parametrize("name", ["one_layer_8_bit", "one_output", "end_argmax_of_negated_logits", "prime_widths"])
def test_rtl_equals_the_integers(name, tmp_path, build):
    from xnorflow.generate.stage import generate
    from xnorflow.simulate.model import StreamModel
    from xnorflow.simulate.verilator import compile_design

    path = tmp_path / "model.onnx"
    variants.save(name, path)
    lowered = build(path)
    design = generate(build.folder, lowered, SilentProgress())
    library = compile_design(design.top, [build.folder / source for source in design.sources], build.folder / "obj")
    values = lowered.codec.quantize(variants.inputs_for(name, 200))
    with StreamModel(library, build.folder / design.rtl_dir) as model:
        run = model.run(
            pack(values, design.input), len(values) * design.output.beats, frame_in=design.input.beats,
            frame_out=design.output.beats,
        )  # fmt: skip
    expected = lowered.codec.raw(lowered.network.results(values))
    assert np.array_equal(unpack(run.beats, design.output), expected)
    assert len(np.unique(expected)) > 2
    assert set(run.intervals.tolist()) == {design.cycles_per_frame}
