"""Names that the stand-in of Vivado knows: board files, and commands that it does not do or that change nothing."""

from __future__ import annotations

BOARD_PARTS = {
    "www.digilentinc.com:pynq-z1:part0:1.0": "xc7z020clg400-1",
    "tul.com.tw:pynq-z2:part0:1.0": "xc7z020clg400-1",
    "avnet.com:ultra96v1:part0:1.2": "xczu3eg-sbva484-1-e",
    "xilinx.com:zcu104:part0:1.1": "xczu7ev-ffvc1156-2-e",
    "xilinx.com:kv260_som:part0:1.3": "xck26-sfvc784-2LV-c",
    "realdigital.org:aup-zu3-8gb:part0:1.0": "xczu3eg-sfvc784-2-e",
}
"""Board files of the six boards, and the part that each is of."""
NOT_DONE = (
    "synth_design", "opt_design", "place_design", "phys_opt_design", "route_design", "write_checkpoint",
    "report_utilization", "report_timing_summary", "report_power", "launch_runs", "wait_on_run", "open_run",
)  # fmt: skip
"""What a stand-in does not do: the rest of the script is checked, and it does not end with 0."""
ACCEPTED = (
    "set_msg_config",
    "reset_msg_config",
    "set_param",
    "update_compile_order",
    "save_bd_design",
    "close_project",
    "reset_run",
)
