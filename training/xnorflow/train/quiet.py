"""Keeping the chatter of torch and Brevitas from the terminal."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

__all__ = ["quiet"]

LOGGERS = ("brevitas", "lightning.fabric", "lightning_fabric", "torch", "torch.onnx", "torch.utils.cpp_extension")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide deprecations, hints and notes of the libraries in the block. Errors and exceptions pass."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
