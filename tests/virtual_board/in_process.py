"""What a user of a board does with pynq as it comes; prints what came of it as JSON.

XNORFLOW_DESIGN is a folder with `net.bit` and perhaps `net_axi_dma.bit`; OTHER_BITS has one for another board, one
without its .hwh, and one with another's.
"""

import gc
import json
import os
from pathlib import Path

import numpy as np
import pynq
from pynq import MMIO, Clocks, Device, Overlay, allocate

from xnorflow.artifact.host import HostCodec
from xnorflow.deploy.accelerator import Accelerator
from xnorflow.deploy.overlay import GoldenFrames, OverlayDescription

folder, others = Path(os.environ["XNORFLOW_DESIGN"]), Path(os.environ["OTHER_BITS"])
description = OverlayDescription.load(folder)
golden = GoldenFrames.load(folder)
packed = description.source.pack(HostCodec.load(folder / "host.npz").quantize(golden.images))
sink = description.sink
device = Device.active_device
found = {"pynq": pynq.__version__, "devices": [one.name for one in Device.devices], "arch": device.arch}


def right(buffer):
    """How many results are the golden ones."""
    return int((sink.unpack(np.array(buffer).reshape(len(packed), -1)) == golden.results).all(axis=1).sum())


def error_of(work):
    try:
        work()
    except Exception as reason:
        return f"{type(reason).__name__}: {reason}"
    return ""


overlay = Overlay(str(folder / "net.bit"))
found["cells"], found["loaded"] = sorted(overlay.ip_dict), overlay.is_loaded()
found["clocks"] = [Clocks.fclk0_mhz]
Clocks.fclk0_mhz = 50
found["clocks"] += [Clocks.fclk0_mhz, Clocks.cpu_mhz]

source, target = allocate(packed.shape, np.uint8), allocate((len(packed), sink.frame_bytes), "u1")
found["addresses"] = [source.device_address, target.physical_address]


def compute():
    """Start both engines the way FINN's drivers do it, one of them by its register map."""
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


source[:] = packed
compute()
target.invalidate()
found["right without a flush"] = right(target)
source.flush()
compute()
found["stale without an invalidate"] = right(target)
target.invalidate()
found["right"] = right(target)
half = len(packed) // 2  # of the buffer: views flush what they show
source[:] = 0
source.flush()
source[:] = packed
source[:half].flush()
compute()
target.invalidate()
found["right by half a flush"] = right(target)
target[half:] = 0
target[:half].invalidate()
found["left alone by half an invalidate"] = bool((np.array(target[half:]) == 0).all())

memory = overlay.StreamingDataflowPartition_1.mmio
weights = np.arange(16, dtype=np.uint32)
memory.write(0, weights.tobytes())
found["weights"] = [memory.read(20), np.copy(memory.array[:16]).tolist() == weights.tolist()]
found["register map"] = "numReps" in repr(overlay.idma0.register_map)
found["read elsewhere"] = error_of(lambda: MMIO(0xB000_0000, 4096).read(0))

before = device.soc.memory.allocated
with allocate((1 << 20,), "u1") as big:
    found["allocated"] = device.soc.memory.allocated - before
    view = big[5:]
    del view
    gc.collect()
    found["allocated after a view"] = device.soc.memory.allocated - before
found["allocated after with"] = device.soc.memory.allocated - before
found["use after free"] = error_of(big.flush)
found["too large"] = error_of(lambda: allocate((1 << 40,), "u1"))

found["other board"] = error_of(lambda: Overlay(str(others / "net.bit")))
found["without .hwh"] = error_of(lambda: Overlay(str(others / "alone.bit")))
found["mixed"] = error_of(lambda: Overlay(str(others / "mixed.bit")))
source.flush()
compute()
target.invalidate()
found["right after refusals"] = right(target)

if (folder / "net_axi_dma.bit").exists():
    dma = Overlay(str(folder / "net_axi_dma.bit")).axi_dma_0
    target[:] = 0
    target.flush()
    dma.sendchannel.transfer(source)
    dma.recvchannel.transfer(target)
    dma.sendchannel.wait()
    dma.recvchannel.wait()
    target.invalidate()
    found["right by AXI DMA"], found["transferred"] = right(target), dma.recvchannel.transferred

with Accelerator(folder) as accelerator:
    found["path"], found["self-test"] = accelerator.path, accelerator.self_test()
    throughput = accelerator.throughput_test(64)
    found["throughput"], found["cycles"] = str(throughput), throughput.cycles
    found["bad input"] = error_of(lambda: accelerator.execute(np.zeros((0, *accelerator.input_shape))))
    found["self-test after bad input"] = accelerator.self_test()
source.freebuffer()
target.freebuffer()
found["allocated at the end"] = device.soc.memory.allocated
print(json.dumps(found))
