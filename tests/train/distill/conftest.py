"""What the tests of the loss terms share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # distill_tools

from distill_tools import load_digits, perceptron, train_teacher

from xnorflow.train.binarize.form import Form


@pytest.fixture(scope="session")
def digits():
    """256 images of scikit-learn's digits and their labels."""
    return load_digits(256)


@pytest.fixture(scope="session")
def teacher(digits):
    """A float network of the students' shape that has learned the digits, in eval mode."""
    network = perceptron(seed=100, form=Form.FLOAT)
    train_teacher(network, *digits)
    return network
