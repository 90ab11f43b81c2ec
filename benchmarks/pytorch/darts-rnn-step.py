"""A search step of DARTS for recurrent cells, as in the authors' code (rnn/train_search.py, rnn/architect.py)."""

import torch
from darts_rnn import PRIMITIVES, DARTSCellSearch, RNNModel, regularised
from driver import serve
from torch import nn
from torch.nn import functional as F

STEPS = 8


def prepare(settings, layout, start):
    def make_cell(nhid, dropouth, dropoutx):
        return DARTSCellSearch(nhid, dropouth, dropoutx, STEPS)

    model = RNNModel(settings["vocabulary"], settings["hidden"], settings["dropout"], make_cell)
    alphas = torch.empty(STEPS * (STEPS + 1) // 2, len(PRIMITIVES)).copy_(start.pop("alphas")).requires_grad_()
    for rnn in model.rnns:
        rnn.weights = alphas
    train, valid = [
        (start.pop(f"{name}.tokens"), start.pop(f"{name}.next").flatten()) for name in ("train", "validation")
    ]
    model.load_state_dict(start)
    optimizer = torch.optim.SGD(model.parameters(), settings["learningRate"], weight_decay=5e-7)
    arch_optimizer = torch.optim.Adam([alphas], lr=settings["alphaLearningRate"], weight_decay=1e-3)
    hidden = torch.zeros(settings["batch"], settings["hidden"])

    def step():
        arch_optimizer.zero_grad()
        words, targets = valid
        log_prob, _ = model(words, hidden)
        valid_loss = F.nll_loss(log_prob, targets)
        valid_loss.backward()
        arch_optimizer.step()

        optimizer.zero_grad()
        words, targets = train
        log_prob, raw = model(words, hidden)
        loss = F.nll_loss(log_prob, targets)
        regularised(loss, raw, 1e-3).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        return valid_loss.item(), loss.item()

    return step


serve(prepare)
