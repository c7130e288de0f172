"""Start JupyterLab as the image does, ask it for its version on the loopback address, and end it."""

import json
import subprocess
import time
import urllib.error
import urllib.request

PORT = 8899  # not the documented one, which may be in use on a host whose network is shared
SECONDS = 120

command = ["jupyter", "lab", "--ip=127.0.0.1", f"--port={PORT}", "--no-browser", "--ServerApp.port_retries=0"]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api", timeout=5) as reply:
                print("  jupyter server", json.load(reply)["version"])
            break
        except (urllib.error.URLError, ConnectionError):
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(1)
finally:
    server.terminate()
    server.wait(timeout=30)
