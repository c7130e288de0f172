"""What stands between an accelerator and the pins of an ECP5 board: serial line, clock, reset and constraints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from xnorflow.artifact.design import Design
from xnorflow.artifact.errors import ConfigError
from xnorflow.boards.ecp5_catalog import Ecp5Board
from xnorflow.render.templates import banner, load_template

__all__ = ["BOARD_TOP", "PLL", "SERIAL_TOP", "SHELL_SOURCES", "Line", "make_line", "render_board_top", "render_lpf",
           "render_serial_top"]  # fmt: skip

SERIAL_TOP, BOARD_TOP, PLL = "xnorflow_serial_top", "xnorflow_board_top", "xnorflow_pll"
SHELL_SOURCES = tuple(f"xnorflow_{name}.sv" for name in ("fifo", "dwc", "uart_rx", "uart_tx", "uart_shell"))
"""Modules of the RTL library that the serial line needs, dependencies first."""

_TEMPLATES = Path(__file__).parent / "templates"
BITS_PER_BYTE = 10  # on the line: start bit, 8 of data, stop bit
_LEAST_CYCLES = 8  # of xnorflow_uart_rx
_MOST_ERROR = 0.02  # of the baud; a byte's last bit is sampled half a bit, 0.05 of the byte, from its edges
_BUFFER_BYTES = 4096


@dataclass(frozen=True)
class Line:
    """A serial line to an accelerator.

    Args:
        baud: bits a second, as asked for.
        cycles_per_bit: cycles of the accelerator's clock.
        depth: beats that are buffered in front of the accelerator.
        frames_per_second: what the line carries, in the direction that takes longer.
    """

    baud: int
    cycles_per_bit: int
    depth: int
    frames_per_second: float


def make_line(design: Design, clock_mhz: float, baud: int) -> Line:
    """Choose the divider for ``baud``.

    Args:
        design: what the line leads to.
        clock_mhz: its clock.
        baud: bits a second.

    Raises:
        ConfigError: the clock cannot make that baud, or frames would come faster than the accelerator takes them.
    """
    hertz = clock_mhz * 1e6
    cycles = max(1, round(hertz / baud))
    error = abs(hertz / cycles / baud - 1)
    if cycles < _LEAST_CYCLES or error > _MOST_ERROR:
        raise ConfigError(
            "option --baud", f"{baud}, {hertz / baud:.2f} cycles of the {clock_mhz:g} MHz clock",
            f"at least {_LEAST_CYCLES} cycles, a whole number within {_MOST_ERROR:.0%}",
            f"give at most {int(hertz / _LEAST_CYCLES)}, or another --frequency",
        )  # fmt: skip
    frame_bytes = design.input.beats * design.input.tdata_bytes
    most = int(hertz / design.cycles_per_frame * frame_bytes * BITS_PER_BYTE)
    if baud > most:
        raise ConfigError(
            "option --baud", f"{baud}: frames come faster than one in {design.cycles_per_frame:,} cycles",
            f"at most {most} at {clock_mhz:g} MHz", "give a lower one, or a higher --frequency",
        )  # fmt: skip
    longest = max(frame_bytes, design.output.beats * design.output.tdata_bytes)
    depth = max(2, min(design.input.beats, _BUFFER_BYTES // design.input.tdata_bytes))
    return Line(baud, cycles, depth, baud / BITS_PER_BYTE / longest)


def render_serial_top(design: Design, line: Line) -> str:
    """Return SystemVerilog of :data:`SERIAL_TOP`: ``design`` behind a serial line.

    Its ports are ap_clk, ap_rst_n (synchronous, active low), rx_i, tx_o and error_o.
    """
    return load_template(_TEMPLATES / "serial_top.sv.j2").render(
        banner=banner(),
        name=SERIAL_TOP,
        top=design.top,
        cycles_per_bit=line.cycles_per_bit,
        in_bytes=design.input.tdata_bytes,
        out_bytes=design.output.tdata_bytes,
        depth=line.depth,
    )


def _ports(board: Ecp5Board) -> tuple[list[str], list[str]]:
    inputs = [name for name in ("clock", "reset", "rx") if name in board.pins]
    return inputs, [name for name in ("tx", "led", "high") if name in board.pins]


def render_board_top(board: Ecp5Board, pll: bool) -> str:
    """Return Verilog of :data:`BOARD_TOP`, whose ports are called as the board's pins.

    Args:
        board: its pins.
        pll: whether a module :data:`PLL` makes the clock; otherwise it is the oscillator's.
    """
    inputs, outputs = _ports(board)
    return load_template(_TEMPLATES / "board_top.v.j2").render(
        banner=banner(),
        name=BOARD_TOP,
        board=board,
        serial_top=SERIAL_TOP,
        pll=PLL if pll else "",
        inputs=inputs,
        outputs=outputs,
    )


def render_lpf(board: Ecp5Board) -> str:
    """Return the constraints: place, standard and pull of each pin, and the oscillator's frequency."""
    lines = []
    for ports in _ports(board):
        for name in ports:
            pin = board.pins[name]
            lines.append(f'LOCATE COMP "{name}" SITE "{pin.site}";')
            lines.append(f'IOBUF PORT "{name}" IO_TYPE={pin.io_type} PULLMODE={pin.pull};')
    lines.append(f'FREQUENCY PORT "clock" {board.clock_mhz:g} MHZ;')
    return "\n".join(lines) + "\n"
