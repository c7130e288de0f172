from __future__ import annotations

import logging
import subprocess
import sys
import warnings

import pytest

from xnorflow.train.quiet import quiet

PROGRAM = """
from xnorflow.train import stage
from xnorflow.train.config import TrainSettings
from xnorflow.train.models.registry import build_network
import torch
build_network(TrainSettings(network="TFC_1W1A"), (1, 8, 8), 10)(torch.zeros(2, 1, 8, 8)).sum().backward()
"""


def test_the_libraries_say_nothing_when_a_network_is_made_and_run():
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert (result.stdout, result.stderr) == ("", "")


def test_errors_pass_and_the_levels_come_back(capsys):
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    with pytest.raises(KeyError), quiet():
        print("chatter")
        warnings.warn("chatter", stacklevel=1)
        assert not logger.isEnabledFor(logging.WARNING) and logger.isEnabledFor(logging.ERROR)
        raise KeyError
    assert logger.level == before
    assert capsys.readouterr() == ("", "")
