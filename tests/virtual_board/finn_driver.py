"""finn-plus-driver as it comes: golden frames by its own packing, in two sizes of batches; prints JSON."""

import json
import os
from pathlib import Path

import numpy as np
from finn_plus_driver import get_driver_class

from xnorflow.artifact.host import HostCodec
from xnorflow.deploy.overlay import GoldenFrames

folder = Path(os.environ["XNORFLOW_DESIGN"])
settings = json.loads((folder / "settings.json").read_text())["driver_information"]
golden = GoldenFrames.load(folder)
values = HostCodec.load(folder / "host.npz").quantize(golden.images).astype(np.float32)
driver = get_driver_class(settings["driver_type"])(str(folder / "net.bit"), batch_size=len(values), **settings)
found = {"frames": len(values), "right": []}
for size in (len(values), 4):
    driver.batch_size = size
    results = driver.execute(values[:size].reshape(driver.ishape_normal()))
    found["right"].append(int((results.reshape(size, -1) == golden.results[:size]).all(axis=1).sum()))
found["throughput"] = driver.throughput_test()
print(json.dumps(found))
