"""`xnorflow draw`: drawings through the RTL on a virtual board, exactly as integer.onnx has them, and in a browser."""

import dataclasses
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from drawn_digits import strokes_of, strokes_of_image

from xnorflow.artifact.host import HostCodec
from xnorflow.flow.draw import Recognizer, deployed_folder, read_strokes
from xnorflow.flow.draw_server import RequestError, open_server

LABELLED = 120


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """The trained network of scikit-learn's digits that ships with the package, deployed."""
    from xnorflow.flow.cli import main

    build = tmp_path_factory.mktemp("digits") / "net"
    options = ("--board", "Pynq-Z2", "--dataset", "digits", "--until", "generate", "--no-simulate", "--quiet")
    assert main(["build", "zoo:DIGITS_TFC_1W1A", "--output", str(build), *options]) == 0
    assert main(["deploy", str(build), "--no-test", "--quiet"]) == 0
    return build


@pytest.fixture(scope="module")
def recognizer(deployed):
    found = Recognizer(deployed / "deploy")
    yield found
    found.close()


def integer_logits(build, images):
    from xnorflow.lower.integer_onnx import run_integer

    codec = HostCodec.load(build / "host.npz")
    return codec.decode(run_integer(build / "integer.onnx", codec.quantize(images), threads=1))


def test_drawings_are_classified_as_the_integers_do(recognizer, deployed):
    """Digits of the test set, redrawn with strokes, and digits as a hand draws them: all logits are equal."""
    from xnorflow.train.config import DatasetName, DataSettings
    from xnorflow.train.data import load_data

    data = load_data(DataSettings(dataset=DatasetName.DIGITS))
    redrawn = [strokes_of_image(image[0]) for image in data.test_images[:LABELLED]]
    drawings = [*redrawn, *(strokes_of(digit) for digit in range(10))]
    expected = integer_logits(deployed, np.concatenate([recognizer.image(drawing) for drawing in drawings]))
    answers = [recognizer.recognize(drawing) for drawing in drawings]
    np.testing.assert_array_equal([answer.logits for answer in answers], expected)
    assert len(np.unique(expected, axis=0)) > 100
    assert [answer.label for answer in answers] == expected.argmax(axis=1).tolist()
    labels = np.array([answer.label for answer in answers])
    assert (labels[:LABELLED] == data.test_labels[:LABELLED]).mean() > 0.8
    assert (labels[LABELLED:] == np.arange(10)).sum() >= 8
    seen = np.array([answer.pixels for answer in answers])
    assert set(np.unique(seen)) == {0.0, 1.0}
    np.testing.assert_array_equal(seen[3], recognizer.image(drawings[3])[0, 0] >= 0.5)
    design = recognizer.description
    assert all(design.latency_cycles < answer.cycles < design.latency_cycles + 1000 for answer in answers)
    assert all(answer.microseconds == answer.cycles * design.clock_ns / 1000 for answer in answers)


@pytest.fixture(scope="module")
def served(deployed):
    """The command itself, in a process; Ctrl-C ends it at the end, and it says so."""
    program = "import sys; from xnorflow.flow.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "draw", str(deployed), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            address = re.match(r"http://127\.0\.0\.1:\d+/", line)
            assert address and "virtual board, simulated" in line, line + process.stderr.read()
            yield address[0]
        finally:
            os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (0, "ended\n", "")


def draw(page, strokes):
    """Draw with the mouse, and wait for the answer to the last stroke."""
    box, mouse = page.driver.locator("#paper").bounding_box(), page.driver.mouse
    for stroke in strokes:
        corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        mouse.move(*corners[0])
        mouse.down()
        for corner in corners[1:]:
            mouse.move(*corner, steps=3)
        mouse.up()
    page.wait("document.querySelector('#bars .best') && pending === null")


@pytest.mark.parametrize(("width", "dark"), [(1280, True), (400, False)], ids=["wide", "narrow"])
def test_digits_drawn_in_a_browser(browser, served, recognizer, width, dark):
    with browser.page(served, width, dark=dark) as page:
        assert page.driver.inner_text("#name") == "Draw something"
        for digit in (3, 0):
            draw(page, strokes_of(digit))
            sent = [np.array(stroke) for stroke in page.driver.evaluate("strokes")]
            answer = recognizer.recognize(sent)
            assert page.driver.inner_text("#name") == answer.name == str(digit)
            shown = [float(text) for text in page.driver.locator(".logit").all_inner_texts()]
            assert shown == answer.logits
            told = page.driver.inner_text("#told")
            assert f"{answer.cycles:,} cycles x assumed 10 ns clock = " in told and "virtual board, simulated" in told
            assert page.problems() == []
            page.driver.click("#clear")
            assert page.driver.inner_text("#name") == "Draw something"
            assert page.driver.evaluate("strokes") == []
        assert page.complaints == []
        assert {request.removeprefix(served) for request in page.requests} <= {"", "recognize", "data:,"}


def test_digits_drawn_with_keys_and_fingers(browser, served):
    with browser.page(served, 400, touch=True) as page:
        keyboard = page.driver.keyboard
        page.driver.focus("#paper")
        for key in ("ArrowUp", "Space", *["ArrowDown"] * 12, "Space"):
            keyboard.press(key)
        page.wait("document.querySelector('#bars .best')")
        assert page.driver.inner_text("#name") == "1"
        keyboard.press("Escape")
        assert page.driver.inner_text("#name") == "Draw something"
        box = page.driver.locator("#paper").bounding_box()
        page.driver.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
        page.wait("document.querySelector('#bars .best')")
        assert page.driver.evaluate("strokes") == [[[pytest.approx(0.25, abs=0.01), pytest.approx(0.5, abs=0.01)]]]
        keyboard.press("Control+z")
        page.wait("!document.querySelector('#bars .best')")
        assert page.complaints == []


def test_what_is_no_drawing_of_digits(cli, tmp_path, perceptron, deployed):
    assert "folder none: no such folder" in cli("draw", "none").error_line()
    model, build = perceptron(tmp_path / "net.onnx", (30, 12, 4)), tmp_path / "net"
    options = ("--board", "Pynq-Z2", "--until", "generate", "--target-cycles", "20", "--quiet", "--frames", "5")
    assert cli("build", model, "--output", build, *options).code == 0
    line = cli("draw", build).error_line()
    assert re.search(r"takes inputs of shape \(30,\); allowed: square images .* give a run on digits or mnist", line)
    assert not (build / "deploy").exists()


def test_a_port_that_is_taken(cli, deployed):
    with open_server(0, dict) as server:
        done = cli("draw", deployed / "deploy", "--port", server.server_port)
    assert done.code == 2
    assert f"option --port: {server.server_port} is taken; allowed: a free port" in done.error_line()


@pytest.mark.parametrize(
    ("content", "status", "text"),
    [
        (None, 400, "no strokes"),
        ([], 400, "no strokes"),
        ({}, 400, "no strokes"),
        ({"strokes": []}, 400, "no strokes"),
        ({"strokes": [[]]}, 400, "a stroke is no list of points"),
        ({"strokes": [7]}, 400, "a stroke is no list of points"),
        ({"strokes": [[[0.5]]]}, 400, "a point is not"),
        ({"strokes": [[[0.5, 1.01]]]}, 400, "a point is not"),
        ({"strokes": [[[0.5, -1]]]}, 400, "a point is not"),
        ({"strokes": [[[float("nan"), 0.5]]]}, 400, "a point is not"),
        ({"strokes": [[["a", 0.5]]]}, 400, "a point is not"),
        ({"strokes": [[[True, 0.5]]]}, 400, "a point is not"),
        ({"strokes": [[[10**400, 0.5]]]}, 400, "a point is not"),
        ({"strokes": [[[0, 0]] * 4001]}, 413, "4,001 points; at most 4,000"),
    ],
)
def test_strokes_that_are_none(content, status, text):
    with pytest.raises(RequestError, match=text) as error:
        read_strokes(content)
    assert error.value.status == status


def test_an_answer_is_plain_data(recognizer):
    answer = dataclasses.asdict(recognizer.recognize(read_strokes({"strokes": [[[0, 0], [1, 1]], [[1, 0]]]})))
    assert all(type(logit) is float for logit in answer["logits"]) and type(answer["cycles"]) is int


def test_a_run_is_deployed_first_and_again_after_another_build(cli, tmp_path, perceptron):
    model, build = perceptron(tmp_path / "net.onnx", (16, 8, 4)), tmp_path / "net"
    options = ("--board", "Pynq-Z2", "--until", "generate", "--target-cycles", "20", "--quiet", "--frames", "5")
    assert cli("build", model, "--output", build, *options).code == 0
    path = build / "deploy" / "accelerator.json"
    assert deployed_folder(build, quiet=True) == path.parent
    first = path.read_bytes()
    path.write_bytes(first + b"\n")
    assert deployed_folder(build, quiet=True) == path.parent
    assert path.read_bytes() == first + b"\n"  # kept
    text = first.decode()
    path.write_text(re.sub(r'"cycles_per_frame": \d+', '"cycles_per_frame": 7', text), encoding="utf-8")
    deployed_folder(build, quiet=True)
    assert path.read_bytes() == first
