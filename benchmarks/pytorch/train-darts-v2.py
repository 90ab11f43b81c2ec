"""A training step of a network of DARTS, as in the authors' code (cnn/train.py, cnn/model.py)."""

import torch
from darts_operations import OPS, FactorizedReduce, Identity, ReLUConvBN
from driver import serve, to_layout
from torch import nn


def drop_path(x, drop_prob):
    if drop_prob > 0.0:
        keep_prob = 1.0 - drop_prob
        mask = x.new_empty(x.size(0), 1, 1, 1).bernoulli_(keep_prob)
        x.div_(keep_prob)
        x.mul_(mask)
    return x


class Cell(nn.Module):
    def __init__(self, genotype, C_prev_prev, C_prev, C, reduction, reduction_prev):
        super().__init__()
        if reduction_prev:
            self.preprocess0 = FactorizedReduce(C_prev_prev, C)
        else:
            self.preprocess0 = ReLUConvBN(C_prev_prev, C, 1, 1, 0)
        self.preprocess1 = ReLUConvBN(C_prev, C, 1, 1, 0)
        kind = "reduce" if reduction else "normal"
        self._indices = [index for _, index in genotype[kind]]
        self._concat = genotype[kind + "_concat"]
        self._ops = nn.ModuleList(
            OPS[name](C, 2 if reduction and index < 2 else 1, True) for name, index in genotype[kind]
        )

    def forward(self, s0, s1, drop_prob):
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        for i in range(0, len(self._ops), 2):
            ops = self._ops[i], self._ops[i + 1]
            h1, h2 = (op(states[index]) for op, index in zip(ops, self._indices[i : i + 2]))
            if self.training and drop_prob > 0.0:
                if not isinstance(ops[0], Identity):
                    h1 = drop_path(h1, drop_prob)
                if not isinstance(ops[1], Identity):
                    h2 = drop_path(h2, drop_prob)
            states.append(h1 + h2)
        return torch.cat([states[i] for i in self._concat], dim=1)


class AuxiliaryHeadCIFAR(nn.Module):
    def __init__(self, C, num_classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.AvgPool2d(5, stride=3, padding=0, count_include_pad=False),
            nn.Conv2d(C, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(inplace=True),
            nn.Conv2d(128, 768, 2, bias=False),
            nn.BatchNorm2d(768),
            nn.ReLU(inplace=True),
        )
        self.classifier = nn.Linear(768, num_classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class NetworkCIFAR(nn.Module):
    def __init__(self, C, num_classes, layers, genotype):
        super().__init__()
        self.drop_path_prob = 0.0
        C_curr = 3 * C
        self.stem = nn.Sequential(nn.Conv2d(3, C_curr, 3, padding=1, bias=False), nn.BatchNorm2d(C_curr))
        C_prev_prev, C_prev, C_curr = C_curr, C_curr, C
        self.cells = nn.ModuleList()
        reduction_prev = False
        self._auxiliary_cell = 2 * layers // 3
        for i in range(layers):
            reduction = i in [layers // 3, 2 * layers // 3]
            if reduction:
                C_curr *= 2
            self.cells.append(Cell(genotype, C_prev_prev, C_prev, C_curr, reduction, reduction_prev))
            reduction_prev = reduction
            C_prev_prev, C_prev = C_prev, len(self.cells[-1]._concat) * C_curr
            if i == self._auxiliary_cell:
                self.auxiliary_head = AuxiliaryHeadCIFAR(C_prev, num_classes)
        self.global_pooling = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(C_prev, num_classes)

    def forward(self, x):
        s0 = s1 = self.stem(x)
        for i, cell in enumerate(self.cells):
            s0, s1 = s1, cell(s0, s1, self.drop_path_prob)
            if i == self._auxiliary_cell:
                logits_aux = self.auxiliary_head(s1)
        return self.classifier(self.global_pooling(s1).flatten(1)), logits_aux


def prepare(settings, layout, start):
    model = NetworkCIFAR(settings["channels"], settings["classes"], settings["layers"], settings["architecture"])
    images, labels = to_layout(start.pop("images"), layout), start.pop("labels")
    model.load_state_dict(start)
    to_layout(model, layout)
    model.drop_path_prob = settings["dropPath"]
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), settings["learningRate"], momentum=0.9, weight_decay=3e-4)

    def step():
        optimizer.zero_grad()
        logits, logits_aux = model(images)
        loss = criterion(logits, labels) + 0.4 * criterion(logits_aux, labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
        return loss.item()

    return step


serve(prepare)
