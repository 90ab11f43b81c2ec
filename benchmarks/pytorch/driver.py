"""PyTorch's side of a benchmark: reads one command per line from stdin and answers in JSON."""

import json
import math
import resource
import struct
import sys
import time

import torch

DTYPES = {"F32": torch.float32, "I64": torch.int64, "U8": torch.uint8}


def read_tensors(path):
    """Reads a safetensors file into a dictionary, without the safetensors package."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    start = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        values = data[slice(*entry["data_offsets"])]
        start[name] = torch.frombuffer(values, dtype=DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return start


def read_metadata(path):
    """The metadata that Espalier's side wrote next to the tensors: JSON values by name."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return {name: json.loads(text) for name, text in header.get("__metadata__", {}).items()}


def to_layout(what, layout):
    """Converts a tensor or module to the layout, as a researcher would do to tune a program."""
    return what.to(memory_format=torch.channels_last) if layout == "channels_last" else what


def number(loss):
    """Replaces a loss that is not finite by None, because JSON has only finite numbers."""
    return loss if math.isfinite(loss) else None


def answer(**values):
    print(json.dumps(values), flush=True)


def wait_for(device):
    if device != "cpu":
        torch.cuda.synchronize()


def peak_mb(device):
    """Of the process's memory, or of what its tensors hold on a GPU."""
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 1024**2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform == "linux" else 1024**2)


def serve(prepare):
    """
    Runs the benchmark. `prepare(settings, layout, start)` returns `step()`, which performs one step and returns its loss or
    a tuple of losses.
    """
    request = json.loads(sys.argv[1])
    torch.set_num_threads(request["threads"])
    settings = {**request["settings"], **read_metadata(request["startFile"])}
    device = settings.get("device", "cpu")
    start = {name: tensor.to(device) for name, tensor in read_tensors(request["startFile"]).items()}
    if device != "cpu":
        torch.set_default_device(device)  # where networks and all else are made from here on
    step = prepare(settings, request["layout"], start)
    losses = []
    for _ in range(request["firstSteps"]):
        loss = step()
        losses.append([number(each) for each in (loss if isinstance(loss, tuple) else [loss])])
    answer(losses=losses)
    for order in sys.stdin:
        if order.strip() == "end":
            answer(peakMb=peak_mb(device))
            return
        wait_for(device)
        start = time.perf_counter()
        for _ in range(request["steps"]):
            step()
        wait_for(device)
        answer(seconds=(time.perf_counter() - start) / request["steps"])
