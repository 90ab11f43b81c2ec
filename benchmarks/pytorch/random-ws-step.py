"""A step of random search with weight sharing on the search network of DARTS (Li & Talwalkar 2019)."""

import itertools

import torch
from darts_supernet import Network
from driver import serve, to_layout
from torch import nn


def prepare(settings, layout, start):
    model = Network(settings["channels"], settings["classes"], settings["layers"])
    images, labels = to_layout(start.pop("images"), layout), start.pop("labels")
    model.load_state_dict(start)
    to_layout(model, layout)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), settings["learningRate"], momentum=0.9, weight_decay=3e-4)
    architectures = itertools.cycle(settings["architectures"])

    def step():
        # Weights that are not part of the architecture remain unchanged.
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model.forward_path(images, next(architectures)), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
        return loss.item()

    return step


serve(prepare)
