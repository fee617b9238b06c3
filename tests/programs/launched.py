"""A command on several processes at once, as `accelerate launch` starts them."""

import os
import socket
import subprocess
import sys


def launched(store, *words, processes=2):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}", f"--master-port={port}"]
    environment = {**os.environ, "LSNOTEBOOK_DATA": str(store), "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "3"}
    return subprocess.run([*command, *words], env=environment, capture_output=True, text=True, timeout=300)
