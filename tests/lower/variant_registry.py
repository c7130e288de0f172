"""The list of networks that must build: one function each, in the spellings of Brevitas, FINN and plain ONNX."""

from __future__ import annotations

import numpy as np

VARIANTS = {}
OPTIONS = {}


def variant(**options):
    """Register a function that returns a Chain; ``options`` go to Chain.model, but ``levels`` are its inputs."""

    def register(function):
        VARIANTS[function.__name__] = function
        OPTIONS[function.__name__] = options
        return function

    return register


def inputs_for(name, count=24):
    """Return float32 frames for a variant: noise in 0..1, or one of the levels its input is made of."""
    levels, rng = OPTIONS[name].get("levels"), np.random.default_rng(5)
    shape = VARIANTS[name]().shape[1:]
    if levels is None:
        return rng.random((count, *shape), np.float32)
    return rng.choice(np.asarray(levels, np.float32), (count, *shape))


def save(name, path):
    options = {key: value for key, value in OPTIONS[name].items() if key != "levels"}
    return VARIANTS[name]().save(path, **options)
