"""Names of AXI signals, as ports of generated modules end in them."""

from __future__ import annotations

__all__ = ["AXI_LITE"]

AXI_LITE = (
    "AWADDR", "AWVALID", "AWREADY", "WDATA", "WSTRB", "WVALID", "WREADY", "BRESP", "BVALID", "BREADY", "ARADDR",
    "ARVALID", "ARREADY", "RDATA", "RRESP", "RVALID", "RREADY",
)  # fmt: skip
"""An AXI4-Lite port, without protection."""
