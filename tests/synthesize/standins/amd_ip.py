"""What a stand-in knows of AMD's own IP: pins and AXI ports as their parameters make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tcl_host import CheckFailed
from verilog import Port

HUBS = ("smartconnect", "axi_interconnect")
"""IP that joins all its masters with all its slaves."""
_PS7 = {"PCW_USE_M_AXI_GP0": "1", **{f"PCW_USE_S_AXI_HP{number}": "0" for number in range(4)},
        **{f"PCW_S_AXI_HP{number}_DATA_WIDTH": "64" for number in range(4)},
        "PCW_EN_CLK0_PORT": "1", "PCW_EN_RST0_PORT": "1", "PCW_FPGA0_PERIPHERAL_FREQMHZ": "50",
        "PCW_USE_FABRIC_INTERRUPT": "0", "PCW_IRQ_F2P_INTR": "0"}  # fmt: skip
_PSU = {**{f"PSU__USE__M_AXI_GP{number}": "01"[number < 2] for number in range(3)},
        **{f"PSU__USE__S_AXI_GP{number}": "0" for number in range(2, 6)},
        **{f"PSU__SAXIGP{number}__DATA_WIDTH": "128" for number in range(2, 6)},
        "PSU__FPGA_PL0_ENABLE": "1", "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ": "100", "PSU__OVERRIDE__BASIC_CLOCK": "0",
        "PSU__USE__IRQ0": "1"}  # fmt: skip
_DEFAULTS: dict[str, dict[str, str]] = {
    "processing_system7": _PS7, "zynq_ultra_ps_e": _PSU, "smartconnect": {"NUM_SI": "2", "NUM_MI": "1"},
    "proc_sys_reset": {}, "xlconcat": {"NUM_PORTS": "2"},
}  # fmt: skip


@dataclass
class Model:
    """Ports of an IP.

    Args:
        pins: by name; those that are clocks are so by name.
        interfaces: AXI ports by name.
        optional: pins and interfaces that may be left open.
        segments: of memory behind AXI ports: name to interface and bytes.
        windows: of a processor's ports: interface to first address and bytes.
    """

    pins: dict[str, Port] = field(default_factory=dict)
    interfaces: dict[str, dict[str, Any]] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    segments: dict[str, tuple[str, int]] = field(default_factory=dict)
    windows: dict[str, tuple[int, int]] = field(default_factory=dict)

    def port(self, name: str, clock: str, *, master: bool, bits: int | None) -> None:
        """Add an AXI port, and its clock."""
        self.interfaces[name] = {"kind": "axi", "master": master, "bits": bits}
        self.pins[clock] = Port("input", 1)


def name_of(vlnv: str) -> str:
    """Return an IP's name."""
    return vlnv.split(":")[2] if vlnv.count(":") == 3 else ""


def configured(vlnv: str, changes: dict[str, str]) -> Model | None:
    """Return the ports of an IP; None where they are not known.

    Raises:
        CheckFailed: it has no such parameter, as far as is known.
    """
    ip = name_of(vlnv)
    if ip not in _DEFAULTS:
        return None
    strange = sorted(set(changes) - set(_DEFAULTS[ip]))
    if strange:
        raise CheckFailed(f"{ip} has no parameter {strange[0]} that is known here")
    return _MODELS[ip]({**_DEFAULTS[ip], **changes})


def _ps7(config: dict[str, str]) -> Model:
    model = Model({"FCLK_CLK0": Port("output", 1), "FCLK_RESET0_N": Port("output", 1)})
    if config["PCW_USE_M_AXI_GP0"] == "1":
        model.port("M_AXI_GP0", "M_AXI_GP0_ACLK", master=True, bits=32)
        model.windows["M_AXI_GP0"] = (0x4000_0000, 1 << 30)
    for number in range(4):
        name = f"S_AXI_HP{number}"
        if config[f"PCW_USE_{name}"] == "1":
            model.port(name, f"{name}_ACLK", master=False, bits=int(config[f"PCW_{name}_DATA_WIDTH"]))
            model.segments[f"{name}/HP{number}_DDR_LOWOCM"] = (name, 1 << 30)
    if config["PCW_USE_FABRIC_INTERRUPT"] == config["PCW_IRQ_F2P_INTR"] == "1":
        model.pins["IRQ_F2P"] = Port("input", 2)
    return model


def _psu(config: dict[str, str]) -> Model:
    model = Model({"pl_clk0": Port("output", 1), "pl_resetn0": Port("output", 1)})
    masters = (("M_AXI_HPM0_FPD", 0xA000_0000), ("M_AXI_HPM1_FPD", 0xB000_0000), ("M_AXI_HPM0_LPD", 0x8000_0000))
    for number, (name, base) in enumerate(masters):
        if config[f"PSU__USE__M_AXI_GP{number}"] == "1":
            model.port(name, f"{name.replace('_AXI_', 'axi').lower()}_aclk", master=True, bits=128)
            model.windows[name] = (base, 1 << 28)
    for port in range(2, 6):
        number = port - 2
        if config[f"PSU__USE__S_AXI_GP{port}"] == "1":
            name = f"S_AXI_HP{number}_FPD"
            model.port(
                name, f"saxihp{number}_fpd_aclk", master=False, bits=int(config[f"PSU__SAXIGP{port}__DATA_WIDTH"])
            )
            for segment, size in (("DDR_LOW", 1 << 31), ("DDR_HIGH", 1 << 31), ("QSPI", 1 << 29), ("LPS_OCM", 1 << 24)):
                model.segments[f"SAXIGP{port}/HP{number}_{segment}"] = (name, size)
    if config["PSU__USE__IRQ0"] == "1":
        model.pins["pl_ps_irq0"] = Port("input", 2)
        model.optional.add("pl_ps_irq0")
    return model


def _smartconnect(config: dict[str, str]) -> Model:
    model = Model({name: Port("input", 1) for name in ("aclk", "aresetn")})
    for side, key in (("S", "NUM_SI"), ("M", "NUM_MI")):
        for number in range(int(config[key])):
            model.interfaces[f"{side}{number:02}_AXI"] = {"kind": "axi", "master": side == "M", "bits": None}
    return model


def _reset(config: dict[str, str]) -> Model:
    optional = {"aux_reset_in", "mb_debug_sys_rst", "dcm_locked"}
    model = Model({name: Port("input", 1) for name in ("slowest_sync_clk", "ext_reset_in", *sorted(optional))})
    for name in ("peripheral_aresetn", "interconnect_aresetn", "peripheral_reset", "bus_struct_reset", "mb_reset"):
        model.pins[name] = Port("output", 1)
    model.optional = optional
    return model


def _concat(config: dict[str, str]) -> Model:
    count = int(config["NUM_PORTS"])
    return Model({**{f"In{number}": Port("input", 1) for number in range(count)}, "dout": Port("output", count)})


_MODELS = {
    "processing_system7": _ps7, "zynq_ultra_ps_e": _psu, "smartconnect": _smartconnect, "proc_sys_reset": _reset,
    "xlconcat": _concat,
}  # fmt: skip
