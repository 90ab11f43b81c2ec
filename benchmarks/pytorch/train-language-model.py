"""A training step of a recurrent cell of DARTS, as in the authors' code (rnn/train.py)."""

import torch
from darts_rnn import DARTSCell, RNNModel, regularised
from driver import serve
from torch import nn
from torch.nn import functional as F


def prepare(settings, layout, start):
    genotype = settings["architecture"]

    def make_cell(nhid, dropouth, dropoutx):
        return DARTSCell(nhid, dropouth, dropoutx, len(genotype["recurrent"]), genotype)

    model = RNNModel(settings["vocabulary"], settings["hidden"], settings["dropout"], make_cell)
    words, targets = start.pop("tokens"), start.pop("next").flatten()
    model.load_state_dict(start)
    optimizer = torch.optim.SGD(model.parameters(), settings["learningRate"], weight_decay=8e-7)
    hidden = torch.zeros(settings["batch"], settings["hidden"])

    def step():
        optimizer.zero_grad()
        log_prob, raw = model(words, hidden)
        loss = F.nll_loss(log_prob, targets)
        regularised(loss, raw, 1e-3).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        return loss.item()

    return step


serve(prepare)
