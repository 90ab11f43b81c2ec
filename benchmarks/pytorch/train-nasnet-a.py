"""A training step of NASNet-A for CIFAR-10 (Zoph et al. 2018), modelled on the authors' TensorFlow code."""

import torch
from driver import serve, to_layout
from torch import nn
from torch.nn import functional as F


def drop_path(x, probability):
    keep = 1.0 - probability
    mask = x.new_empty(x.size(0), 1, 1, 1).bernoulli_(keep)
    return x / keep * mask


def relu_conv_bn(inputs, outputs, stride=1):
    return nn.Sequential(nn.ReLU(), nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def conv_bn(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))


def separable(inputs, outputs, size, stride):
    def once(channels, stride):
        return [
            nn.ReLU(),
            nn.Conv2d(channels, channels, size, stride, (size - 1) // 2, groups=channels, bias=False),
            nn.Conv2d(channels, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        ]

    return nn.Sequential(*once(inputs, stride), *once(outputs, 1))


class FactorizedReduction(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.even = nn.Conv2d(inputs, outputs // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(inputs, outputs - outputs // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return self.norm(torch.cat([self.even(x), self.odd(F.pad(x, (-1, 1, -1, 1)))], dim=1))


def operation(name, inputs, filters, stride):
    if name == "skip_connect":
        return nn.Identity() if stride == 1 and inputs == filters else relu_conv_bn(inputs, filters, stride)
    if name == "avg_pool_3x3":
        pool = nn.AvgPool2d(3, stride, 1, count_include_pad=False)
    elif name == "max_pool_3x3":
        pool = nn.MaxPool2d(3, stride, 1)
    else:
        return separable(inputs, filters, int(name[-1]), stride)
    if inputs == filters:
        return pool
    return nn.Sequential(pool, *conv_bn(inputs, filters))


class Cell(nn.Module):
    """`previous` is (channels, whether it is twice as large as the input). It is None for the first cell."""

    def __init__(self, architecture, filters, stride, channels, previous):
        super().__init__()
        self.blocks, self.concat = architecture["blocks"], architecture["concat"]
        self.first = previous is None
        if self.first or previous == (filters, False):
            self.previous = nn.Identity()
        elif previous[1]:
            self.previous = nn.Sequential(nn.ReLU(), FactorizedReduction(previous[0], filters))
        else:
            self.previous = relu_conv_bn(previous[0], filters)
        self.input = relu_conv_bn(channels, filters)
        self.operations = nn.ModuleList()
        for block in self.blocks:
            for state, name in zip(block["inputs"], block["operations"]):
                width = channels if state == 1 and self.first else filters
                self.operations.append(operation(name, width, filters, stride if state < 2 else 1))
        self.outputs = nn.ModuleList()
        for state in self.concat:
            fits = not (state == 1 and self.first and channels != filters)
            self.outputs.append(nn.Identity() if state >= 2 or fits else conv_bn(channels, filters))

    def forward(self, x, previous, drop_probability):
        states = [self.input(x), x if self.first else self.previous(previous)]
        for i, block in enumerate(self.blocks):
            results = []
            for side in (0, 1):
                h = self.operations[2 * i + side](states[block["inputs"][side]])
                if self.training and drop_probability > 0 and block["operations"][side] != "skip_connect":
                    h = drop_path(h, drop_probability)
                results.append(h)
            states.append(results[0] + results[1])
        return torch.cat([layer(states[i]) for layer, i in zip(self.outputs, self.concat)], dim=1)


class AuxiliaryHead(nn.Module):
    def __init__(self, channels, size, classes):
        super().__init__()
        pooled = (size - 5) // 3 + 1
        self.features = nn.Sequential(
            nn.ReLU(),
            nn.AvgPool2d(5, 3),
            nn.Conv2d(channels, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, pooled, bias=False),
            nn.BatchNorm2d(768),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.classifier = nn.Linear(768, classes)

    def forward(self, x):
        return self.classifier(self.features(x))


class NASNet(nn.Module):
    def __init__(self, architecture, settings):
        super().__init__()
        cells, classes = settings["cells"], settings["classes"]
        filters = settings["filters"] // (4 * len(architecture["normal"]["concat"]))
        channels = 3 * filters
        self.drop_path_probability = 0.0
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        kinds = (["normal"] * cells + ["reduction"]) * 2 + ["normal"] * cells
        self.cells = nn.ModuleList()
        previous = None
        for kind in kinds:
            stride = 2 if kind == "reduction" else 1
            filters *= stride
            self.cells.append(Cell(architecture[kind], filters, stride, channels, previous))
            previous, channels = (channels, kind == "reduction"), filters * len(architecture[kind]["concat"])
        self.auxiliary_cell = 2 * cells
        auxiliary_channels = channels // 2
        self.auxiliary_head = AuxiliaryHead(auxiliary_channels, settings["size"] // 2, classes)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x):
        previous = x = self.stem(x)
        for i, cell in enumerate(self.cells):
            depth = (i + 1) / len(self.cells)
            previous, x = x, cell(x, previous, depth * self.drop_path_probability)
            if i == self.auxiliary_cell:
                auxiliary = self.auxiliary_head(x)
        return self.classifier(F.relu(x).mean([2, 3])), auxiliary


def prepare(settings, layout, start):
    model = NASNet(settings["architecture"], settings)
    images, labels = to_layout(start.pop("images"), layout), start.pop("labels")
    model.load_state_dict(start)
    to_layout(model, layout)
    model.drop_path_probability = settings["dropPath"]
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), settings["learningRate"], momentum=0.9, weight_decay=5e-4)

    def step():
        optimizer.zero_grad()
        logits, auxiliary = model(images)
        loss = criterion(logits, labels) + 0.4 * criterion(auxiliary, labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
        return loss.item()

    return step


serve(prepare)
