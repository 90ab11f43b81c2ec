"""PyTorch's side of a benchmark: reads its orders from stdin, one a line, and answers in JSON."""

import json
import os
import resource
import struct
import sys
import time

import torch

DTYPES = {"F32": torch.float32, "I64": torch.int64}


def read_tensors(path):
    """A safetensors file as a dictionary (the package safetensors need not be installed)."""
    if not os.path.exists(path):
        return {}
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    return {
        name: torch.frombuffer(data[slice(*entry["data_offsets"])], dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


def answer(**values):
    print(json.dumps(values), flush=True)


def serve(prepare):
    """`prepare(settings, layout, start)` returns a function that makes one step and returns its loss."""
    request = json.loads(sys.argv[1])
    torch.set_num_threads(request["threads"])
    step = prepare(request["settings"], request["layout"], read_tensors(request["startFile"]))
    losses = [step() for _ in range(request["checkedSteps"])]
    for _ in range(request["warmUpSteps"]):
        step()
    answer(losses=losses)
    for order in sys.stdin:
        if order.strip() == "end":
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            answer(peakMb=peak / (1024 if sys.platform == "linux" else 1024**2))
            return
        start = time.perf_counter()
        for _ in range(request["steps"]):
            step()
        answer(seconds=(time.perf_counter() - start) / request["steps"])
