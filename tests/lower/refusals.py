"""What every refused network has in common: one line that says where, what was found, what is allowed, what to do."""

from __future__ import annotations

import pytest

from xnorflow.artifact.errors import InputModelError


def refusal(path, network_of, output="auto"):
    with pytest.raises(InputModelError) as caught:
        network_of(path, output)
    error = caught.value
    assert "\n" not in str(error)
    assert error.where and error.found and error.allowed and error.fix
    return error


def saved(chain, tmp_path, **options):
    return chain.save(tmp_path / "model.onnx", **options)
