"""The processor's registers that pynq reads and writes: clocks and widths of ports, of both Zynq families."""

from __future__ import annotations

from dataclasses import dataclass

from xnorflow.boards.catalog import Family
from xnorflow.virtual_board.bus import RegisterFile

__all__ = ["Processor", "processor_of"]


@dataclass(frozen=True)
class Processor:
    """What is fixed about a family's processor.

    Args:
        reference_mhz: crystal of the boards.
        arch: of the processor, as ``platform.machine`` would name it there.
        instance: name of its cell in the block design, and of its IP.
        version: of the IP.
        master: port by which it reaches registers in the logic.
        logic_base: first address behind that port.
        pages: base addresses of register pages, with the registers' values after boot.
        io_pll: page and offset of the register of the PLL that clocks the logic.
        clocks: page, and offsets of the registers of the logic's four clocks.
    """

    reference_mhz: float
    arch: str
    instance: str
    version: str
    master: str
    logic_base: int
    pages: dict[int, dict[int, int]]
    io_pll: tuple[int, int]
    clocks: tuple[int, tuple[int, ...]]

    def registers(self) -> dict[int, RegisterFile]:
        """Return new register files by their page's address; PLLs and the processor's own clock are fixed."""
        page, clocks = self.clocks
        return {
            base: RegisterFile(values, values.keys() - (clocks if base == page else ()))
            for base, values in self.pages.items()
        }

    def clock_mhz(self, registers: dict[int, RegisterFile]) -> float:
        """Return the frequency that clock 0 of the logic is set to, in MHz; 0 where a divisor is 0."""
        page, offset = self.io_pll
        pll = registers[page].read(offset)
        page, offsets = self.clocks
        clock = registers[page].read(offsets[0])
        if self.arch == "aarch64":
            source = self.reference_mhz * (pll >> 8 & 0x7F) / (2 if pll >> 16 & 1 else 1)
            divisor = (clock >> 8 & 0x3F) * (clock >> 16 & 0x3F)
        else:
            source = self.reference_mhz * (pll >> 12 & 0x7F)
            divisor = (clock >> 8 & 0x3F) * (clock >> 20 & 0x3F)
        return source / divisor if divisor else 0.0


def _ultrascale_pll(feedback: int) -> int:
    """Return the register of a PLL whose output is divided by 2."""
    return 1 << 16 | feedback << 8


_AXI_FIFOS = tuple(range(0xFD36_0000, 0xFD3C_0000, 0x1_0000))
_ULTRASCALE = Processor(
    reference_mhz=100 / 3,
    arch="aarch64", instance="zynq_ultra_ps_e", version="3.5", master="M_AXI_HPM0_FPD", logic_base=0xA000_0000,
    pages={
        # CRL_APB: I/O PLL 1500 MHz, R PLL 750 MHz; clocks of the logic 1500 / 15 = 100 MHz.
        0xFF5E_0000: {0x20: _ultrascale_pll(90), 0x30: _ultrascale_pll(45),
                      **dict.fromkeys((0xC0, 0xC4, 0xC8, 0xCC), 0x0101_0F00)},
        # CRF_APB: A PLL 1200 MHz, which clocks the cores; D PLL 1067 MHz, V PLL 1500 MHz.
        0xFD1A_0000: {0x20: _ultrascale_pll(72), 0x2C: _ultrascale_pll(64), 0x38: _ultrascale_pll(90),
                      0x60: 0x0300_0100},
        # Widths of ports: full power domain, low power domain, and the FIFOs of the ports to memory.
        0xFD61_5000: {}, 0xFF41_9000: {}, 0xFF9B_0000: {}, **{base: {} for base in _AXI_FIFOS},
    },
    io_pll=(0xFF5E_0000, 0x20), clocks=(0xFF5E_0000, (0xC0, 0xC4, 0xC8, 0xCC)),
)  # fmt: skip
_ZYNQ_7000 = Processor(
    reference_mhz=50.0,
    arch="armv7l", instance="processing_system7", version="5.5", master="M_AXI_GP0", logic_base=0x4000_0000,
    pages={
        # SLCR: ARM PLL 1300 MHz, DDR PLL 1050 MHz, I/O PLL 1000 MHz; clocks of the logic 1000 / 10 = 100 MHz.
        0xF800_0000: {0x100: 26 << 12, 0x104: 21 << 12, 0x108: 20 << 12, 0x120: 0x1F00_0200,
                      **dict.fromkeys((0x170, 0x180, 0x190, 0x1A0), 0x0010_0A00)},
        # AFI: FIFOs of the four ports to memory.
        **{base: {} for base in range(0xF800_8000, 0xF800_C000, 0x1000)},
    },
    io_pll=(0xF800_0000, 0x108), clocks=(0xF800_0000, (0x170, 0x180, 0x190, 0x1A0)),
)  # fmt: skip


def processor_of(family: Family) -> Processor:
    """Return what is fixed about a family's processor."""
    return _ULTRASCALE if family is Family.XCUP else _ZYNQ_7000
