"""What a user of PYNQ.remote does, with pynq as it comes: run in the board's environment, prints what it found as JSON.

Usage: remote_client.py PORT FOLDER [OTHERS]. FOLDER is what `xnorflow deploy` wrote; OTHERS holds bit files to refuse.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pynq
from pynq import MMIO, Clocks, Device, Overlay, allocate
from pynq.pl_server.remote_device import RemoteDevice

from xnorflow.artifact.host import HostCodec
from xnorflow.deploy.accelerator import Accelerator
from xnorflow.deploy.overlay import GoldenFrames, OverlayDescription

# PYNQ_REMOTE_DEVICES does this for the one port that it knows.
Device.active_device = RemoteDevice(0, "127.0.0.1", int(sys.argv[1]))
folder = Path(sys.argv[2])
description = OverlayDescription.load(folder)
golden = GoldenFrames.load(folder)
packed = description.source.pack(HostCodec.load(folder / "host.npz").quantize(golden.images))
sink = description.sink
found = {"pynq": pynq.__version__, "device": type(Device.active_device).__name__, "board": Device.active_device.name}


def right(buffer):
    """Return how many results are the golden ones."""
    return int((sink.unpack(np.array(buffer)) == golden.results).all(axis=1).sum())


def error_of(work):
    try:
        work()
    except Exception as reason:
        return f"{reason.code().name} {reason.details()}" if hasattr(reason, "details") else str(reason)
    return ""


overlay = Overlay(str(folder / f"{description.name}_axi_dma.bit"))
found["cells"] = sorted(overlay.ip_dict)
found["clocks"] = [Clocks.fclk0_mhz]
Clocks.fclk0_mhz = 50
found["clocks"].append(Clocks.fclk0_mhz)

source = allocate(packed.shape, np.uint8)
target = allocate((len(packed), sink.frame_bytes), np.uint8)
source[:] = packed
source.flush()
# FINN's engines, by registers, the way its drivers do it.
overlay.odma0.write(0x10, target.device_address & 0xFFFFFFFF)
overlay.odma0.write(0x14, target.device_address >> 32)
overlay.odma0.write(0x1C, len(packed))
overlay.odma0.write(0x00, 1)
overlay.idma0.register_map.mem_1 = source.physical_address
overlay.idma0.register_map.mem_2 = 0
overlay.idma0.register_map.numReps = len(packed)
overlay.idma0.register_map.CTRL.AP_START = 1
while not overlay.odma0.read(0) & 2:
    pass
target.invalidate()
found["engines"] = right(target)
# The vendor's DMA.
target[:] = 0
target.flush()
dma = overlay.axi_dma_0
dma.recvchannel.transfer(target)
dma.sendchannel.transfer(source)
dma.sendchannel.wait()
dma.recvchannel.wait()
found["axi_dma"] = right(target)
# Registers, and what is none.
words = MMIO(overlay.ip_dict["StreamingDataflowPartition_1"]["phys_addr"], 64)
words.write(0, np.arange(4, dtype=np.uint32).tobytes())
found["words"] = [words.read(4 * index) for index in range(4)]
found["nowhere"] = error_of(lambda: MMIO(0xB0000000, 4096).read(0))
found["too much"] = error_of(lambda: allocate((1 << 31) - 1, np.uint8))
name = source.buffer_id
source.freebuffer()
source.freed = False
found["freed twice"] = error_of(source.freebuffer)
target.freebuffer()
found["elsewhere"] = error_of(lambda: Device.active_device.write_file("/tmp/../etc/passwd", b"x"))
with Accelerator(folder) as accelerator:
    found["accelerator"] = accelerator.self_test()
    found["path"] = accelerator.path
    for other in sorted(Path(sys.argv[3]).glob("*.bit")) if len(sys.argv) > 3 else ():
        found[other.name] = error_of(lambda other=other: Overlay(str(other)))
    found["accelerator after refusals"] = accelerator.self_test()
print(json.dumps(found))
