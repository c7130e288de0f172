"""Folding: legal, as fast as asked, as cheap as can be, and FINN's file format both ways."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from map_files import small_cnv
from qonnx_files import perceptron

from xnorflow.artifact.errors import ConfigError
from xnorflow.lower.folding import divisors, fold_for_cycles, read_folding, set_folding


class Operator:
    """A layer as folding sees it."""

    def __init__(self, **attributes):
        self.attributes = attributes

    def get_nodeattr(self, key):
        return self.attributes[key]

    def get_nodeattr_types(self):
        return self.attributes

    def set_nodeattr(self, key, value):
        self.attributes[key] = value

    def get_input_datatype(self, index):
        from qonnx.core.datatype import DataType

        return DataType[self.attributes["source"]]


@pytest.fixture
def layers(monkeypatch):
    """Return a function from (kind, attributes) to a model stand-in whose layers they are."""
    import qonnx.custom_op.registry as registry

    def make(*rows):
        nodes = [
            SimpleNamespace(name=f"fc{i}_mvau" if kind != "LabelSelect" else "label_argmax", op_type=kind,
                            domain="finn.custom_op.fpgadataflow", operator=Operator(**attributes),
                            input=[f"t{i}"], output=[f"t{i + 1}"])
            for i, (kind, attributes) in enumerate(rows)
        ]  # fmt: skip
        monkeypatch.setattr(registry, "getCustomOp", lambda node: node.operator)
        return SimpleNamespace(graph=SimpleNamespace(node=nodes))

    return make


def xnor(mw, mh, source="BINARY"):
    kind = "XnorMVAU" if source == "BINARY" else "BinaryWeightMVAU"
    return kind, {"MW": mw, "MH": mh, "source": source, "numInputVectors": [1]}


def cycles(node):
    a = node.operator.attributes
    return (a["MW"] // a["SIMD"]) * (a["MH"] // a["PE"])


def test_divisors():
    assert divisors(12) == [1, 2, 3, 4, 6, 12] and divisors(13) == [1, 13] and divisors(1) == [1]


@pytest.mark.parametrize("target", [1, 2, 7, 16, 64, 128, 1000, 10**6])
def test_every_layer_meets_the_target_and_divides(target, layers):
    model = layers(xnor(784, 64, "INT8"), xnor(64, 31), xnor(31, 64), xnor(64, 10), ("LabelSelect", {"Labels": 10}))
    fold_for_cycles(model, target)
    for node in model.graph.node[:-1]:
        a = node.operator.attributes
        assert a["MW"] % a["SIMD"] == 0 and a["MH"] % a["PE"] == 0 and cycles(node) <= target
    pe = model.graph.node[-1].operator.attributes["PE"]
    assert 10 % pe == 0 and 10 // pe <= target


def test_a_slower_target_is_never_dearer(layers):
    areas = []
    for target in (1, 8, 64, 512, 4096):
        model = layers(xnor(256, 64))
        fold_for_cycles(model, target)
        a = model.graph.node[0].operator.attributes
        areas.append(a["PE"] * a["SIMD"])
    assert areas == sorted(areas, reverse=True) and areas[0] == 256 * 64


def test_near_ties_go_to_the_width_of_the_layer_before(layers):
    """SIMD 4 x PE 3 is a little cheaper than 8 x 2 for 8 to 24, but not than 8 x 2 and no converter behind PE 8."""
    alone = layers(xnor(8, 24))
    fold_for_cycles(alone, 16)
    assert (alone.graph.node[0].operator.attributes["SIMD"], alone.graph.node[0].operator.attributes["PE"]) == (4, 3)
    # 17 inputs cannot be folded below 16 cycles, so 128 neurons in 16 cycles are 8 at a time.
    behind = layers(xnor(17, 128), xnor(8, 24))
    fold_for_cycles(behind, 16)
    first, second = (node.operator.attributes for node in behind.graph.node)
    assert first["PE"] == 8 and (second["SIMD"], second["PE"]) == (8, 2)


def test_folding_file_and_back(tmp_path, build):
    path = perceptron().save(tmp_path / "model.onnx")
    build(path, target_cycles=20)
    written = build.folder / "final_hw_config.json"
    first = json.loads(written.read_text())
    assert first["Defaults"] == {} and set(first["fc0_mvau"]) == {"PE", "SIMD", "ram_style"}
    build(path, target_cycles=None, folding=written)
    assert json.loads((build.folder / "final_hw_config.json").read_text()) == first
    assert [node for node in first if node.endswith("_mvau")] == ["fc0_mvau", "fc1_mvau", "fc2_mvau"]


def test_finns_other_keys_are_passed_over_and_unnamed_layers_stay_at_1(tmp_path, build):
    path = perceptron().save(tmp_path / "model.onnx")
    folding = {"Defaults": {}, "fc0_mvau": {"PE": 17, "SIMD": 4, "ram_style": "auto", "mem_mode": "internal_decoupled"}}
    (tmp_path / "folding.json").write_text(json.dumps(folding))
    lowered = build(path, target_cycles=None, folding=tmp_path / "folding.json")
    written = json.loads((build.folder / "final_hw_config.json").read_text())
    assert written["fc0_mvau"] == {"PE": 17, "SIMD": 4, "ram_style": "auto"}
    assert written["fc1_mvau"] == {"PE": 1, "SIMD": 1, "ram_style": "auto"}
    estimates = json.loads((build.folder / "report" / "estimate_layer_cycles.json").read_text())
    assert estimates["fc0_mvau"] == 6 and estimates["fc1_mvau"] == 17 * 13
    assert lowered.network.first.outputs == 17


def test_memory_of_the_weights(tmp_path, build):
    """Where the file says, if it can be there; "ultra" is not ours, and passed over."""
    path = perceptron().save(tmp_path / "model.onnx")
    styles = {"fc0_mvau": "block", "fc1_mvau": "distributed", "fc2_mvau": "ultra"}
    folding = {"fc0_mvau": {"PE": 17, "SIMD": 4}, "fc1_mvau": {"PE": 13, "SIMD": 1}, "fc2_mvau": {}}
    for name, style in styles.items():
        folding[name]["ram_style"] = style
    (tmp_path / "folding.json").write_text(json.dumps(folding))
    build(path, target_cycles=None, folding=tmp_path / "folding.json")
    written = json.loads((build.folder / "final_hw_config.json").read_text())
    assert [written[name]["ram_style"] for name in styles] == ["block", "distributed", "auto"]
    resources = json.loads((build.folder / "report" / "estimate_layer_resources.json").read_text())
    assert resources["fc0_mvau"]["BRAM_18K"] == 2 and resources["fc1_mvau"]["BRAM_18K"] == 0


def test_too_many_words_for_luts(tmp_path, build):
    path = perceptron().save(tmp_path / "model.onnx")
    (tmp_path / "folding.json").write_text(json.dumps({"fc1_mvau": {"PE": 1, "SIMD": 1, "ram_style": "distributed"}}))
    with pytest.raises(ConfigError) as error:
        build(path, target_cycles=None, folding=tmp_path / "folding.json")
    assert str(error.value) == (
        "folding file, layer fc1_mvau, ram_style: 'distributed' for 221 weight words; allowed: auto, block; "
        "distributed for up to 64 words; choose one of these, or a larger folding"
    )


def test_first_layers_are_computed_by_what_the_file_says(tmp_path, build):
    """And no other layer: FINN's files name resType for each; the configuration that is written says it again."""
    path = small_cnv().save(tmp_path / "model.onnx")
    folding = {"conv0_mvau": {"PE": 3, "SIMD": 3}, "conv1_mvau": {"PE": 8, "SIMD": 6}}
    for values in folding.values():
        values["resType"] = "dsp"
    (tmp_path / "folding.json").write_text(json.dumps(folding))
    build(path, target_cycles=None, folding=tmp_path / "folding.json")
    written = build.folder / "final_hw_config.json"
    first = json.loads(written.read_text())
    assert first["conv0_mvau"]["resType"] == "dsp" and "resType" not in first["conv1_mvau"]
    resources = json.loads((build.folder / "report" / "estimate_layer_resources.json").read_text())
    assert resources["conv0_mvau"]["DSP"] == 2 * 3 == resources["total"]["DSP"]
    build(path, target_cycles=None, folding=written)
    assert json.loads((build.folder / "final_hw_config.json").read_text()) == first


@pytest.mark.parametrize(
    ("kind", "mw", "message"),
    [
        ("DSP", 8, "'DSP'; allowed: auto, lut, dsp; choose one of these"),
        (1, 8, "1; allowed: auto, lut, dsp; choose one of these"),
        ("dsp", 2**14, "'dsp' for inputs of 8 bits and sums of 24; allowed: auto, lut; choose one of these"),
    ],
)
def test_what_computes_no_first_layer(kind, mw, message):
    from onnx import helper

    node = helper.make_node(
        "BinaryWeightMVAU", ["x", "w", "t"], ["y"], domain="finn.custom_op.fpgadataflow", backend="fpgadataflow",
        name="fc0_mvau", MW=mw, MH=4, SIMD=1, PE=1, ActVal=0, inputDataType="INT8", weightDataType="BIPOLAR",
        outputDataType="BINARY", noActivation=0, binaryXnorMode=0, numInputVectors=[1],
    )  # fmt: skip
    model = SimpleNamespace(graph=SimpleNamespace(node=[node]))
    with pytest.raises(ConfigError) as caught:
        set_folding(model, {"fc0_mvau": {"resType": kind}})
    assert str(caught.value) == f"folding file, layer fc0_mvau, resType: {message}"


@pytest.mark.parametrize("content", [None, "", "no json", "[1, 2]", '{"fc0_mvau": 3}', "folder", b"\xff\xfe{}"])
def test_unreadable_folding_file(content, tmp_path):
    path = tmp_path / "folding.json"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=r"folding.json: missing or not JSON of layers; allowed: .*; start"):
        read_folding(path)


def test_defaults_that_say_something_are_refused(tmp_path):
    path = tmp_path / "folding.json"
    path.write_text('{"Defaults": {"PE": [2, ["all"]]}}')
    with pytest.raises(ConfigError, match=r"Defaults: PE; allowed: nothing in it; give each layer its own values"):
        read_folding(path)


@pytest.mark.parametrize(
    ("folding", "message"),
    [
        ({"fc9_mvau": {"PE": 1}}, r"layer fc9_mvau: no such layer .*; allowed: fc0_mvau, label_argmax; use a"),
        ({"fc0_mvau": {"PE": 5}}, r"fc0_mvau, PE: 5 does not divide MH=12; allowed: 1, 2, 3, 4, 6, 12; choose"),
        ({"fc0_mvau": {"SIMD": 3}}, r"fc0_mvau, SIMD: 3 does not divide MW=8; allowed: 1, 2, 4, 8; choose"),
        ({"fc0_mvau": {"PE": 0}}, "0 does not divide"),
        ({"fc0_mvau": {"PE": -2}}, "-2 does not divide"),
        ({"fc0_mvau": {"PE": True}}, "True does not divide"),
        ({"fc0_mvau": {"PE": "4"}}, "'4' does not divide"),
        ({"fc0_mvau": {"PE": 2.0}}, "2.0 does not divide"),
        ({"fc0_mvau": {"SIM": 4}}, r"fc0_mvau, SIM: no such key; allowed: PE, SIMD; did you mean SIMD\?"),
        ({"fc0_mvau": {"banana": 4}}, r"banana: no such key; allowed: PE, SIMD; remove it"),
        ({"label_argmax": {"SIMD": 1}}, r"label_argmax, SIMD: no such key; allowed: PE"),
        ({"label_argmax": {"PE": 4}}, r"label_argmax, PE: 4 does not divide Labels=10; allowed: 1, 2, 5, 10"),
    ],
)  # fmt: skip
def test_folding_that_does_not_fit(folding, message, layers):
    model = layers(xnor(8, 12), ("LabelSelect", {"Labels": 10}))
    with pytest.raises(ConfigError, match=message):
        set_folding(model, folding)


def test_inserted_layers_of_an_earlier_build_are_passed_over(layers):
    model = layers(xnor(8, 12))
    set_folding(model, {"fc1_fifo": {"depth": 8}, "fc1_dwc0": {"inWidth": 2}, "fc0_mvau": {"PE": 3, "SIMD": 2}})
    assert model.graph.node[0].operator.attributes["PE"] == 3
