"""The generate stage: readable text, equal bytes for equal inputs, lint-clean, and the right memories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import GenerateError
from xnorflow.artifact.progress import SilentProgress
from xnorflow.generate.stage import generate
from xnorflow.lower.stage import Lowered
from xnorflow.simulate.verilator import lint_design


@pytest.fixture(scope="module")
def built(lowered_small) -> tuple[Path, Lowered, Design]:
    build, lowered = lowered_small()
    return build, lowered, generate(build, lowered, SilentProgress())


def test_equal_inputs_give_equal_bytes(built, tmp_path, bytes_in):
    build, lowered, design = built
    assert generate(tmp_path, lowered, SilentProgress()) == design
    assert bytes_in(build, "rtl", "design.json") == bytes_in(tmp_path, "rtl", "design.json")


def test_design_file_survives_a_round_trip(built):
    build, _, design = built
    assert Design.load(build / "design.json") == design


def test_stitched_design_is_clean_under_wall(built):
    build, _, design = built
    assert lint_design(design.top, [build / source for source in design.sources]) == []


def test_no_path_of_the_machine_and_no_date_in_generated_text(built):
    build, _, _ = built
    for path in (build / "rtl").glob("*.sv"):
        text = path.read_text()
        assert str(build) not in text and "/tmp" not in text, path.name
        assert "202" not in text.split("Artifact")[0], path.name


def test_top_names_ports_and_instances_after_the_network(built):
    build, _, design = built
    text = (build / "rtl" / "xnorflow_top.sv").read_text()
    assert "fc0_mvau i_fc0_mvau (" in text
    assert "label_argmax i_label_argmax (" in text
    assert ".in0_V_TDATA  (in0_V_TDATA)," in text
    assert design.artifact_sha256 in text
    assert ".*" not in text


@pytest.mark.parametrize("file", ["xnorflow_top.sv", "fc0_mvau.sv", "fc1_dwc.sv", "fc0_mvau_start.mem"])
def test_generated_text_is_the_golden_one(built, file, is_golden):
    build, _, design = built
    is_golden((build / "rtl" / file).read_text().replace(design.artifact_sha256, "0" * 64), file)


def test_weight_memory_holds_the_networks_weights_in_fold_order(built):
    build, lowered, design = built
    node = next(node for node in design.nodes if node.name == "fc0_mvau")
    pe, simd = node.info["PE"], node.info["SIMD"]
    words = [int(line, 16) for line in (build / "rtl" / "fc0_mvau_weights.mem").read_text().split()]
    weights = lowered.network.products[0].weights
    sf_count = weights.shape[0] // simd
    assert len(words) == sf_count * (weights.shape[1] // pe)
    for address, word in enumerate(words):
        nf, sf = divmod(address, sf_count)
        for p in range(pe):
            for s in range(simd):
                expected = weights[sf * simd + s, nf * pe + p] > 0
                assert (word >> (p * simd + s)) & 1 == expected


def test_start_values_hold_thresholds_and_the_ones_complements(built):
    build, lowered, design = built
    layer = lowered.network.products[0]
    node = next(node for node in design.nodes if node.name == "fc0_mvau")
    text = (build / "rtl" / "fc0_mvau.sv").read_text()
    width = int(text.split(".AccWidth(")[1].split(")")[0])
    words = [int(line, 16) for line in (build / "rtl" / "fc0_mvau_start.mem").read_text().split()]
    lanes = [(word >> (p * width)) & ((1 << width) - 1) for word in words for p in range(node.info["PE"])]
    starts = np.asarray([lane - ((lane >> (width - 1)) << width) for lane in lanes])
    # The sign bits of 4-bit inputs are counted the other way round: 8 more for each product.
    offset = 8 * len(layer.weights)
    assert (starts == (layer.weights < 0).sum(axis=0) - layer.thresholds - offset).all()


def test_node_without_rtl_backend_is_named(built, tmp_path):
    _, lowered, _ = built
    import copy
    from dataclasses import replace

    model = copy.deepcopy(lowered.model)
    model.graph.node[0].domain = "finn.custom_op.fpgadataflow"
    with pytest.raises(GenerateError, match="node fc0_mvau: BinaryWeightMVAU_rtl has no RTL backend"):
        generate(tmp_path, replace(lowered, model=model), SilentProgress())
