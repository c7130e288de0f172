"""The options ``--budget LUT,BRAM36,DSP`` and ``--fill LUT,BRAM36,DSP``, in numbers and in percent of the board."""

from __future__ import annotations

import re

from xnorflow.artifact.errors import ConfigError

__all__ = ["read_budget", "read_fill"]

KEYS = ("LUT", "BRAM36", "DSP")


def read_budget(text: str) -> dict[str, int]:
    """Return what ``text`` says as the table ``[build.budget]``: whole numbers, at least one.

    ``20000,60`` is LUT and BRAM36, ``20000`` LUT alone, ``,60`` BRAM36 alone, ``20000,60,99`` DSP slices too.

    Raises:
        ConfigError: it says something else.
    """
    return _read(text, "--budget", "in whole numbers, such as 20000,60,100, 20000 or ,60")


def read_fill(text: str) -> dict[str, int]:
    """Return what ``text`` says as the table ``[build.fill]``: percentages, likewise.

    Raises:
        ConfigError: it says something else.
    """
    return _read(text, "--fill", "in whole percent of the board's, such as 80,100,90, 80 or ,90")


def _read(text: str, option: str, form: str) -> dict[str, int]:
    parts = [part.strip() for part in text.split(",")]
    given = {key: part for key, part in zip(KEYS, parts, strict=False) if part}
    if len(parts) > len(KEYS) or not given or not all(re.fullmatch(r"-?[0-9]{1,12}", part) for part in given.values()):
        raise ConfigError(
            f"option {option}",
            repr(text),
            f"LUT,BRAM36,DSP {form}",
            "change the value",
        )
    return {key: int(part) for key, part in given.items()}
