"""Runs exported programs and prints, as JSON, what the tests compare.

    python3 run-exported.py FOLDER NAME...

Beside each NAME.py lie its weights and NAME.input.safetensors with the tensor `input`. In training mode the network makes
one step back from the mean square of what it returns.
"""

import importlib
import json
import sys
from pathlib import Path

import torch

torch.set_num_threads(1)
folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))


def as_list(result):
    return [result] if torch.is_tensor(result) else [result[0], *result[1]]


def counters(network):
    state = network.state_dict()
    return [state[key].item() for key in state if key.endswith("num_batches_tracked")]


def run(name):
    program = importlib.import_module(name)
    network = program.load()
    given = program.read_safetensors(folder / f"{name}.input.safetensors")["input"]
    with torch.no_grad():
        results = as_list(network(given))
    counted = counters(network)
    network.train()
    loss = sum(result.square().mean() for result in as_list(network(given)))
    if loss.requires_grad:
        loss.backward()
    without = [
        key
        for key, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.isfinite().all()
    ]
    return {
        "results": [{"shape": list(result.shape), "values": result.flatten().tolist()} for result in results],
        "state": {key: list(value.shape) for key, value in network.state_dict().items()},
        "parameters": len(list(network.parameters())),
        "withoutGradient": without,
        "counted": sorted({now - before for now, before in zip(counters(network), counted)}),
    }


print(json.dumps({name: run(name) for name in sys.argv[2:]}))
