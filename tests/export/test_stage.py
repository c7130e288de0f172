from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from xnorflow.artifact.errors import DataError, ExportError, InputModelError, TrainError
from xnorflow.artifact.golden import GoldenVectors
from xnorflow.artifact.manifest import Manifest
from xnorflow.artifact.progress import SilentProgress
from xnorflow.export.check import check_equal
from xnorflow.export.qonnx_run import run_qonnx
from xnorflow.export.stage import export, export_checkpoint
from xnorflow.train.checkpoint import load_checkpoint
from xnorflow.train.config import DataSettings, TrainSettings
from xnorflow.train.data import load_data
from xnorflow.train.stage import train

DIGITS = DataSettings(dataset="digits")


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported") / "export"
    return directory, export(trained, directory, DIGITS, SilentProgress())


@pytest.fixture
def copied(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "train")


def rewrite(copied, **changes):
    """Change the checkpoint and sign for it in the manifest."""
    path = copied / "checkpoint.pt"
    torch.save({**torch.load(path, weights_only=True), **changes}, path)
    old = Manifest.load(copied, verify=False)
    Manifest.of_folder(copied, list(old.files), name=old.name, stage=old.stage, tools=old.tools, facts=old.facts).save(
        copied
    )


def test_the_golden_vectors_are_the_whole_test_set(exported):
    golden = GoldenVectors.load(exported[1].golden)
    splits = load_data(DIGITS)
    assert np.array_equal(golden.inputs, splits.test_images)
    assert np.array_equal(golden.labels, splits.test_labels)
    assert golden.logits.shape == (360, 10)
    assert np.array_equal(run_qonnx(exported[1].model, golden.inputs), golden.logits)


def test_the_manifest_says_what_was_exported(exported, trained):
    directory, summary = exported
    manifest = Manifest.load(directory)
    assert (
        set(manifest.files)
        == {"model.onnx", "golden.npz"}
        == {path.name for path in directory.iterdir()} - {"manifest.json"}
    )
    assert {"torch", "brevitas", "qonnx", "onnxruntime"} <= set(manifest.tools)
    facts = manifest.facts
    assert (facts["input_shape"], facts["input_bits"], facts["classes"]) == ([1, 8, 8], 1, 10)
    assert facts["accuracy_float"] == summary.accuracy_float
    assert facts["checkpoint_sha256"] == Manifest.load(trained).files["checkpoint.pt"]


def test_the_accuracy_is_that_of_the_training(exported, trained):
    assert exported[1].accuracy_float == Manifest.load(trained).facts["accuracy_float"]


def test_the_same_checkpoint_gives_the_same_files(exported, trained, tmp_path):
    export(trained, tmp_path / "export", DIGITS, SilentProgress())
    assert Manifest.load(tmp_path / "export") == Manifest.load(exported[0])


def test_a_changed_model_is_found_by_its_hash(exported, tmp_path):
    copy = shutil.copytree(exported[0], tmp_path / "export")
    data = bytearray((copy / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (copy / "model.onnx").write_bytes(data)
    with pytest.raises(InputModelError, match=r"model\.onnx: its SHA-256 differs from the manifest's"):
        Manifest.load(copy)


def test_another_data_set_is_refused(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("xnorflow.export.stage.load_data", lambda settings: load_data(DIGITS))
    message = r"data set mnist: the checkpoint was trained on digits, images \(1, 8, 8\); allowed: digits; export with"
    with pytest.raises(ExportError, match=message):
        export(trained, tmp_path / "export", DataSettings(dataset="mnist", root=tmp_path), SilentProgress())
    assert not (tmp_path / "export").exists()


def test_an_absent_data_root_is_refused(trained, tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        export(trained, tmp_path / "export", DataSettings(dataset="mnist", root=tmp_path / "no"), SilentProgress())


def test_a_folder_that_train_did_not_write_is_refused(tmp_path):
    with pytest.raises(InputModelError, match=r"no readable manifest\.json"):
        export(tmp_path, tmp_path / "export", DIGITS, SilentProgress())


def test_a_changed_checkpoint_is_refused(copied, tmp_path):
    (copied / "checkpoint.pt").write_bytes(b"junk")
    with pytest.raises(InputModelError, match=r"checkpoint\.pt: its SHA-256 differs"):
        export(copied, tmp_path / "export", DIGITS, SilentProgress())


def test_a_checkpoint_of_another_network_is_refused(copied, tmp_path):
    rewrite(copied, classes=11)
    with pytest.raises(TrainError, match=r"checkpoint\.pt: corrupt, or not a checkpoint of this version"):
        export(copied, tmp_path / "export", DIGITS, SilentProgress())


def test_weights_that_are_not_numbers_are_refused(copied, tmp_path):
    weights = torch.load(copied / "checkpoint.pt", weights_only=True)["weights"]
    weights["features.3.running_var"][2] = -1
    rewrite(copied, weights=weights)
    with pytest.raises(ExportError, match=r"tensor features\.3\.running_var: 1 values like -1\.0"):
        export(copied, tmp_path / "export", DIGITS, SilentProgress())
    assert not (tmp_path / "export").exists()


def test_a_network_without_streaming_form_is_refused_by_its_layer(tmp_path):
    settings = TrainSettings(
        network="TFC_1W1A", hidden=(16,), epochs=1, accelerator="cpu", hardware=False, weight_scale="adabin"
    )
    train(DIGITS, settings, 1, tmp_path / "train", SilentProgress())
    message = (
        r"^network TFC_1W1A, layer features\.2: weight_scale = 'adabin' does not fold into .*; allowed: none, mean"
    )
    with pytest.raises(ExportError, match=message):
        export(tmp_path / "train", tmp_path / "export", DIGITS, SilentProgress())
    assert not (tmp_path / "export").exists()


def test_a_network_that_need_not_stream_but_does_is_exported(tmp_path):
    settings = TrainSettings(network="TFC_1W1A", hidden=(16,), epochs=1, accelerator="cpu", hardware=False)
    train(DIGITS, settings, 1, tmp_path / "train", SilentProgress())
    assert export(tmp_path / "train", tmp_path / "export", DIGITS, SilentProgress()).frames == 360


def test_a_checkpoint_alone_gives_the_same_model(trained, exported, tmp_path):
    export_checkpoint(load_checkpoint(trained), tmp_path / "alone.onnx")
    assert (tmp_path / "alone.onnx").read_bytes() == exported[1].model.read_bytes()


def test_a_checkpoint_alone_is_compared_too(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("xnorflow.export.stage.run_qonnx", lambda model, inputs: run_qonnx(model, inputs) + 1)
    with pytest.raises(
        ExportError, match=r"^model\.onnx, frame 0, class 0: QONNX gives .*, and 100 of 100 frames differ"
    ):
        export_checkpoint(load_checkpoint(trained), tmp_path / "alone.onnx")


def test_one_differing_logit_stops_the_export(trained, tmp_path, monkeypatch):
    def off_by_one(model, inputs, advance):
        logits = run_qonnx(model, inputs)
        logits[7, 3] += 0.25
        return logits

    monkeypatch.setattr("xnorflow.export.stage.run_qonnx", off_by_one)
    message = r"^model\.onnx, frame 7, class 3: QONNX gives .*, and 1 of 360 frames differ; allowed: .* as torch gives"
    with pytest.raises(ExportError, match=message):
        export(trained, tmp_path / "export", DIGITS, SilentProgress())
    assert list(tmp_path.iterdir()) == []


def test_logits_of_another_shape_or_none_at_all_are_never_equal():
    with pytest.raises(ExportError, match=r"logits of shape \(2, 3\); allowed: \(2, 4\) as torch gives"):
        check_equal(np.zeros((2, 4)), np.zeros((2, 3)))
    with pytest.raises(ExportError, match=r"frame 1, class 0: QONNX gives .*nan"):
        check_equal(np.array([[0.0], [np.nan]]), np.array([[0.0], [np.nan]]))
