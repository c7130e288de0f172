"""The search for the smallest failing network, on planted faults: what it leaves is minimal, and always the same."""

from __future__ import annotations

from dataclasses import replace

import ladder
import minimize as command
import pytest
from descriptions import Block, Case, MapNetwork, Perceptron, Pool, load_case, save_case
from ladder import Failure, described, failure_of
from minimize import minimize
from random_cases import KINDS
from smaller import SLOWEST, smaller_cases

from xnorflow.artifact.errors import GenerateError, InputModelError, LowerError, SimulateError
from xnorflow.lower.passes import convert_map_operators

PLANTED = Failure("SimulateError", "simulate", "", "frames differ")
OTHER = Failure("InputModelError", "import", "", "no layer")
SMALLEST = {"target_cycles": SLOWEST, "output": "logits", "frames": 1, "seed": 0, "stall_probability": 0.0}


def silent(text):
    pass


def seeds(kind, count=12):
    return [pytest.param(kind, seed, id=f"{kind}-{seed}") for seed in range(count)]


ALL = [*seeds("maps"), *seeds("residual"), *seeds("branches"), *seeds("perceptrons")]


# Descriptions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "seed"), ALL)
def test_a_description_survives_its_file(kind, seed, tmp_path):
    case = KINDS[kind](seed)
    assert case.legal and case == KINDS[kind](seed)
    save_case(case, tmp_path / "cases" / "one.json")
    assert load_case(tmp_path / "cases" / "one.json") == case


@pytest.mark.parametrize(
    "network",
    [
        MapNetwork("maps", (1, 4, 4), 0, 1, (Block(2, (5, 1)),), None, 2),
        MapNetwork("maps", (1, 4, 4), 0, 1, (Block(2, (2, 2), pads=(2, 0, 0, 0)),), None, 2),
        MapNetwork("maps", (1, 4, 4), 0, 1, (Block(2, (2, 2), pads=(1, 0, 0, 0), pad_value=0),), None, 2),
        MapNetwork("maps", (1, 4, 4), 0, 1, (Block(2, (2, 2), pool=Pool((4, 4), (1, 1))),), None, 2),
        Perceptron("perceptrons", (4,), 0, 1, False),
        Perceptron("perceptrons", (4, 1), 0, 1, False),
    ],
    ids=["kernel", "pads", "zeros", "pool", "no_layer", "one_class"],
)
def test_a_network_that_there_cannot_be(network, tmp_path):
    case = Case(network, 1, "logits", 1, 0, 0.0)
    assert not case.legal
    save_case(case, tmp_path / "one.json")
    with pytest.raises(ValueError, match="no such network"):
        load_case(tmp_path / "one.json")


@pytest.mark.parametrize(("kind", "seed"), ALL)
def test_every_step_is_legal_and_none_leads_back(kind, seed):
    case = KINDS[kind](seed)
    steps = list(smaller_cases(case))
    assert steps == list(smaller_cases(case)) and len(set(steps)) > 10
    for step in steps:
        assert step.legal and step != case and case not in smaller_cases(step)


# The search -----------------------------------------------------------------------------------------------------


def strided_and_pooled(case):
    """Fail where one block has a stride of 2 and a pool, the first class being of another kind where there is none."""
    if not case.network.blocks:
        return OTHER
    return PLANTED if any(2 in block.strides and block.pool for block in case.network.blocks) else None


def test_a_planted_fault_leaves_what_it_needs():
    case = next(case for seed in range(100) if strided_and_pooled(case := KINDS["maps"](seed)))
    lines = []
    result = minimize(case, strided_and_pooled, tries=1000, tell=lines.append)
    assert result.minimal and result.failure == PLANTED and result.tries == len(lines)
    (block,) = result.case.network.blocks
    assert sorted(block.strides) == [1, 2]
    assert block == Block(1, (1, 1), block.strides, pool=Pool((1, 1), (1, 1)))
    network = MapNetwork("maps", (1, 1, 1), 0, 1, (block,), None, 2)
    assert result.case == Case(network, **SMALLEST)
    assert result == minimize(case, strided_and_pooled, tries=1000, tell=silent)
    assert any(line.endswith("the same, kept") for line in lines)


@pytest.mark.parametrize(("kind", "seed"), ALL)
def test_no_smaller_case_of_a_minimal_one_fails(kind, seed):
    """Faults that need something of everything: a stall, several frames, more than so many inputs."""

    def fails(case):
        wide = case.sizes[0] >= 7 and case.frames > 3
        return PLANTED if wide and case.stall_probability else None

    case = KINDS[kind](seed)
    if fails(case) is None:
        pytest.skip("too narrow")
    result = minimize(case, fails, tries=2000, tell=silent)
    assert result.minimal and fails(result.case) == PLANTED
    assert not [smaller for smaller in smaller_cases(result.case) if fails(smaller)]
    assert result.case.frames == 4 and result.case.stall_probability == 0.1


def test_another_failure_does_not_count():
    case = KINDS["maps"](0)
    result = minimize(case, lambda tried: PLANTED if tried == case else OTHER, tell=silent)
    assert result.case == case and result.minimal


def test_the_tries_have_a_limit():
    case = KINDS["maps"](0)
    result = minimize(case, lambda tried: PLANTED, tries=3, tell=silent)
    assert result.tries == 3 and not result.minimal and result.case != case


# Real failures --------------------------------------------------------------------------------------------------


def test_padding_that_a_pass_forgets(monkeypatch):
    made = convert_map_operators._layer

    def without_padding(*arguments):
        node = made(*arguments)
        for attribute in node.attribute:
            if attribute.name == "Padding":
                attribute.ints[:] = [0] * 4
        return node

    monkeypatch.setattr(convert_map_operators, "_layer", without_padding)
    monkeypatch.setattr(ladder, "generate", no_rtl)  # what comes as far is not at fault
    block = Block(1, (2, 1), pads=(1, 0, 0, 0), pad_value=-1)
    blocks = (replace(block, outputs=2), Block(1, (1, 1)))
    case = Case(MapNetwork("maps", (1, 3, 1), 0, 2, blocks, None, 2), SLOWEST, "logits", 1, 0, 0.0)
    result = minimize(case, tries=40, tell=silent)
    assert result.minimal and (result.failure.rung, result.failure.step) == ("lower", "step_convert_to_hw")
    assert result.case == Case(MapNetwork("maps", (1, 2, 1), 0, 1, (block,), None, 2), **SMALLEST)


def no_rtl(build, lowered, progress):
    raise GenerateError("the test", "wants no RTL")


def test_equal_failures_are_told_from_others():
    differs = SimulateError("design top", "3 frames differ with stalls; first frame 0")
    fewer = SimulateError("design top", "1 frames differ without stalls; first frame 2")
    slower = SimulateError("design top", "a frame takes 20 cycles where 10 are predicted")
    assert described(differs, "simulate") == described(fewer, "simulate") != described(slower, "simulate")
    one = LowerError("step step_tidy", "tensor conv0[3] is 7 in frame 0")
    two = LowerError("step step_fold", "tensor conv0[3] is 7 in frame 0")
    assert described(one, "lower").step == "step_tidy" and described(one, "lower") != described(two, "lower")
    assert described(ValueError("1"), "lower") == described(ValueError("2"), "lower")
    assert described(ValueError("1"), "lower") != described(ValueError("1"), "generate")
    refused = InputModelError("node conv3", "no layer with weights")
    assert str(described(refused, "import")) == "InputModelError at import (no layer ...)"


def test_what_climbs_has_no_failure(monkeypatch):
    monkeypatch.setattr(ladder, "climb", lambda case, folder, reach: reach("write"))
    case = KINDS["maps"](0)
    assert failure_of(case) is None
    assert minimize(case, tell=silent).failure is None


# The command ----------------------------------------------------------------------------------------------------


def fall(case, folder, reach=lambda rung: None):
    reach("simulate")
    raise SimulateError("design top", "3 frames differ")


def test_the_command_keeps_what_is_left(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(ladder, "climb", fall)
    monkeypatch.setattr(command, "CASES", tmp_path)
    assert command.main(["perceptrons", "3"]) == 0
    case = load_case(tmp_path / "perceptrons_3.json")
    assert replace(case, note="") == Case(Perceptron("perceptrons", (1, 2), 0, 1, False), **SMALLEST)
    assert case.note == "seed 3: SimulateError at simulate (frames differ ...)"
    assert capsys.readouterr().out.splitlines()[-1].endswith("no smaller one fails in this way")
    assert command.main(["maps", "3", "--tries", "4"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("4 tries, smaller ones were left untried")


def test_the_command_on_a_seed_that_does_not_fail(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(ladder, "climb", lambda case, folder, reach: reach("write"))
    monkeypatch.setattr(command, "CASES", tmp_path / "cases")
    assert command.main(["residual", "3"]) == 1
    assert "residual 3 climbs the whole ladder: nothing to minimize" in capsys.readouterr().out
    assert not (tmp_path / "cases").exists()


def test_a_failing_seed_names_the_command(monkeypatch, climb_seed):
    monkeypatch.setattr(ladder, "climb", fall)
    with pytest.raises(SimulateError) as caught:
        climb_seed("residual", 17)
    assert caught.value.__notes__[0].endswith("keep it as a test: python tests/pipeline/minimize.py residual 17")
