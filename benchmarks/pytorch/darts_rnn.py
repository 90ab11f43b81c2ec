"""The recurrent language models of DARTS, as in the authors' code (rnn/model.py, rnn/model_search.py)."""

import torch
from torch import nn
from torch.nn import functional as F

PRIMITIVES = ["none", "tanh", "relu", "sigmoid", "identity"]
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda x: x}


def mask2d(B, D, keep_prob):
    return torch.floor(torch.rand(B, D) + keep_prob) / keep_prob


def embedded_dropout(embed, words, dropout):
    weight = embed.weight
    if dropout:
        mask = weight.new_empty(weight.size(0), 1).bernoulli_(1 - dropout).expand_as(weight) / (1 - dropout)
        weight = mask * weight
    return F.embedding(words, weight)


def locked_dropout(x, dropout):
    if not dropout:
        return x
    mask = x.new_empty(1, x.size(1), x.size(2)).bernoulli_(1 - dropout) / (1 - dropout)
    return mask * x


class DARTSCell(nn.Module):
    def __init__(self, nhid, dropouth, dropoutx, steps, genotype=None):
        super().__init__()
        self.nhid, self.dropouth, self.dropoutx, self.genotype = nhid, dropouth, dropoutx, genotype
        self._W0 = nn.Parameter(torch.empty(2 * nhid, 2 * nhid).uniform_(-0.04, 0.04))
        self._Ws = nn.ParameterList(
            [nn.Parameter(torch.empty(nhid, 2 * nhid).uniform_(-0.04, 0.04)) for _ in range(steps)]
        )

    def forward(self, inputs, hidden):
        T, B, ninp = inputs.size()
        x_mask = mask2d(B, ninp, keep_prob=1.0 - self.dropoutx)
        h_mask = mask2d(B, self.nhid, keep_prob=1.0 - self.dropouth)
        hiddens = []
        for t in range(T):
            hidden = self.cell(inputs[t], hidden, x_mask, h_mask)
            hiddens.append(hidden)
        return torch.stack(hiddens)

    def _compute_init_state(self, x, h_prev, x_mask, h_mask):
        xh_prev = torch.cat([x * x_mask, h_prev * h_mask], dim=-1)
        c0, h0 = torch.split(xh_prev.mm(self._W0), self.nhid, dim=-1)
        return h_prev + c0.sigmoid() * (h0.tanh() - h_prev)

    def cell(self, x, h_prev, x_mask, h_mask):
        states = [self._compute_init_state(x, h_prev, x_mask, h_mask)]
        for i, (name, pred) in enumerate(self.genotype["recurrent"]):
            s_prev = states[pred]
            c, h = torch.split((s_prev * h_mask).mm(self._Ws[i]), self.nhid, dim=-1)
            states.append(s_prev + c.sigmoid() * (ACTIVATIONS[name](h) - s_prev))
        return torch.mean(torch.stack([states[i] for i in self.genotype["concat"]], -1), -1)


class DARTSCellSearch(DARTSCell):
    def __init__(self, nhid, dropouth, dropoutx, steps):
        super().__init__(nhid, dropouth, dropoutx, steps)
        self.steps = steps
        self.bn = nn.BatchNorm1d(nhid, affine=False)
        self.weights = None  # of the model

    def cell(self, x, h_prev, x_mask, h_mask):
        s0 = self.bn(self._compute_init_state(x, h_prev, x_mask, h_mask))
        probs = F.softmax(self.weights, dim=-1)
        offset = 0
        states = s0.unsqueeze(0)
        for i in range(self.steps):
            masked_states = states * h_mask.unsqueeze(0)
            ch = masked_states.view(-1, self.nhid).mm(self._Ws[i]).view(i + 1, -1, 2 * self.nhid)
            c, h = torch.split(ch, self.nhid, dim=-1)
            c = c.sigmoid()
            s = torch.zeros_like(s0)
            for k, name in enumerate(PRIMITIVES):
                if name == "none":
                    continue
                unweighted = states + c * (ACTIVATIONS[name](h) - states)
                s += torch.sum(probs[offset : offset + i + 1, k].unsqueeze(-1).unsqueeze(-1) * unweighted, dim=0)
            s = self.bn(s)
            states = torch.cat([states, s.unsqueeze(0)], 0)
            offset += i + 1
        return torch.mean(states[-self.steps :], dim=0)


class RNNModel(nn.Module):
    def __init__(self, ntoken, nhid, dropout, make_cell):
        super().__init__()
        self.nhid, self.drop = nhid, dropout
        self.encoder = nn.Embedding(ntoken, nhid)
        self.rnns = nn.ModuleList([make_cell(nhid, dropout["dropoutHidden"], dropout["dropoutCellInput"])])
        self.decoder = nn.Linear(nhid, ntoken)
        self.decoder.weight = self.encoder.weight

    def forward(self, words, hidden):
        emb = embedded_dropout(self.encoder, words, self.drop["dropoutEmbedding"])
        raw = locked_dropout(emb, self.drop["dropoutInput"])
        for rnn in self.rnns:
            raw = rnn(raw, hidden)
        output = locked_dropout(raw, self.drop["dropoutOutput"])
        logit = self.decoder(output.view(-1, self.nhid))
        return F.log_softmax(logit, dim=-1), raw


def regularised(loss, raw, beta):
    """Temporal activation regularisation (slowness)."""
    return loss + beta * (raw[1:] - raw[:-1]).pow(2).mean()
