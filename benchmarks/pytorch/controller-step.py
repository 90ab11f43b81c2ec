"""A REINFORCE update of the controller of Zoph & Le 2016 (sections 3.2, 3.3, 4.1), with all its children as one batch."""

import torch
from driver import serve
from torch import nn
from torch.nn import functional as F


class Choice(nn.Module):
    def __init__(self, options, hidden):
        super().__init__()
        self.classifier = nn.Linear(hidden, options)
        self.embedding = nn.Embedding(options, hidden)

    def forward(self, h, anchors, given):
        log_p = F.log_softmax(self.classifier(h), dim=1)
        p = log_p.exp()
        answer = torch.multinomial(p, 1).squeeze(1) if given is None else torch.tensor(given)
        log_prob = log_p.gather(1, answer.unsqueeze(1)).squeeze(1)
        return self.embedding(answer), log_prob, -(p * log_p).sum(1)


class AnchorPoint(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.previous = nn.Linear(hidden, hidden, bias=False)
        self.current = nn.Linear(hidden, hidden, bias=False)
        self.v = nn.Linear(hidden, 1, bias=False)

    def forward(self, h, anchors, given):
        if not anchors:
            return torch.zeros_like(h), h.new_zeros(len(h)), h.new_zeros(len(h))
        earlier = torch.stack(anchors, dim=1)
        logits = self.v(torch.tanh(self.previous(earlier) + self.current(h).unsqueeze(1))).squeeze(2)
        p = torch.sigmoid(logits)
        if given is None:
            taken = torch.bernoulli(p.detach())
        else:
            taken = torch.tensor([[float(j in members) for j in range(len(anchors))] for members in given])
        yes, no = F.logsigmoid(logits), F.logsigmoid(-logits)
        shares = taken / taken.sum(1, keepdim=True).clamp(min=1)
        log_prob = (taken * yes + (1 - taken) * no).sum(1)
        return (shares.unsqueeze(2) * earlier).sum(1), log_prob, -(p * yes + (1 - p) * no).sum(1)


class Controller(nn.Module):
    def __init__(self, questions, hidden):
        super().__init__()
        self.questions = questions
        self.cells = nn.ModuleList([nn.LSTMCell(hidden, hidden), nn.LSTMCell(hidden, hidden)])
        self.start = nn.Embedding(1, hidden)
        self.choices = nn.ModuleList(Choice(q["options"], hidden) for q in questions if q["kind"] == "choice")
        self.anchor_point = AnchorPoint(hidden)

    def forward(self, children, sequences):
        """Samples architectures, or scores the decision sequences `sequences`. Returns log-probabilities and entropies."""
        x = self.start.weight.expand(children, -1)
        states = [None] * len(self.cells)
        anchors, log_prob, entropy = [], 0, 0
        choices = iter(self.choices)
        for place, question in enumerate(self.questions):
            for layer, cell in enumerate(self.cells):
                states[layer] = cell(x, states[layer])
                x = states[layer][0]
            is_choice = question["kind"] == "choice"
            head = next(choices) if is_choice else self.anchor_point
            h = x
            given = None if sequences is None else [sequence[place] for sequence in sequences]
            x, answer_log_prob, answer_entropy = head(h, anchors, given)
            log_prob, entropy = log_prob + answer_log_prob, entropy + answer_entropy
            if not is_choice:
                anchors.append(h)
        return log_prob, entropy


def names(questions):
    """Maps Espalier's names, which contain the paths of the questions, to the names of the modules here."""
    choices = [f"choice/{q['path']}/{q['options']}" for q in questions if q["kind"] == "choice"]
    return {f"heads.{choice}": f"choices.{i}" for i, choice in enumerate(choices)} | {
        "heads.subset/inputs": "anchor_point"
    }


def prepare(settings, layout, start):
    questions = settings["questions"]
    controller = Controller(questions, settings["hidden"])
    for ours, theirs in names(questions).items():
        for name in [name for name in start if name.startswith(f"{ours}.")]:
            start[theirs + name[len(ours) :]] = start.pop(name)
    controller.load_state_dict(start)
    optimizer = torch.optim.Adam(controller.parameters(), lr=settings["learningRate"])
    rewards = torch.tensor(settings["accuracies"]) ** 3
    sequences = None if settings["drawn"] else settings["sequences"]
    baseline = rewards.mean().item()

    def step():
        nonlocal baseline
        optimizer.zero_grad()
        log_prob, entropy = controller(settings["children"], sequences)
        loss = -(log_prob * (rewards - baseline)).mean()
        loss.backward()
        optimizer.step()
        for reward in rewards.tolist():
            baseline = 0.95 * baseline + 0.05 * reward
        return entropy.mean().item()

    return step


serve(prepare)
