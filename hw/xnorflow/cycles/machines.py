"""Modules of the RTL library as the cycle model knows them: the parameters that decide their handshakes.

Each class stands for one module and has the parameters of its RTL, less those that no handshake depends on, such as
widths of data and names of files. machines.hpp holds what it does in each cycle.
"""

from __future__ import annotations

from xnorflow.cycles.machine import Machine
from xnorflow.cycles.maps import Pool, Swg, SwgParallel
from xnorflow.cycles.pipelines import Argmax, Mvau, Requantize
from xnorflow.cycles.streams import Add, Dwc, Fifo, Fork, Gate, Repeat

__all__ = [
    "Add",
    "Argmax",
    "Dwc",
    "Fifo",
    "Fork",
    "Gate",
    "Machine",
    "Mvau",
    "Pool",
    "Repeat",
    "Requantize",
    "Swg",
    "SwgParallel",
]
