"""States, settings and random tensors for the tests of blocks."""

from __future__ import annotations

import torch

from xnorflow.train.binarize.form import Form
from xnorflow.train.binarize.layers import STATES, Activation, FormState
from xnorflow.train.models.config import NetworkSettings

FORMS = {form.value: STATES[form] for form in Form}
BINARY, TANH, FLOAT = FORMS["binary"], FORMS["tanh"], FORMS["float"]
BOTH = FormState(False, Activation.BOTH, 0.25)


def settings(**changes):
    return NetworkSettings(**{"network": "RESNET8_1W1A", **changes})


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def signs(*shape, seed=0):
    return torch.randint(0, 2, shape, generator=seeded(seed)) * 2.0 - 1.0


def integers(*shape, low=-128, high=128, step=2.0**-5, seed=0):
    """Numbers of an eight-bit trunk."""
    return torch.randint(low, high, shape, generator=seeded(seed)) * step
