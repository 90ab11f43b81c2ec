"""A search step of first-order DARTS on the supernet of NAS-Bench-201."""

import torch
from driver import serve, to_layout
from torch import nn
from torch.nn import functional as F


class ReluConvBn(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1, affine=True):
        super().__init__()
        self.op = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outputs, affine=affine),
        )

    def forward(self, x):
        return self.op(x)


class MixedOp(nn.Module):
    """The operations of an edge; 'none' is left out of the sum, because it adds zeros."""

    def __init__(self, channels):
        super().__init__()
        self._ops = nn.ModuleList(
            [
                nn.Identity(),
                nn.Identity(),
                ReluConvBn(channels, channels, 1, affine=False),
                ReluConvBn(channels, channels, 3, affine=False),
                nn.AvgPool2d(3, 1, 1, count_include_pad=False),
            ]
        )

    def forward(self, x, weights):
        return sum(weights[k] * self._ops[k](x) for k in range(1, 5))


class SearchCell(nn.Module):
    def __init__(self, channels, nodes=4):
        super().__init__()
        self.nodes = nodes
        self._ops = nn.ModuleList([MixedOp(channels) for _ in range(nodes * (nodes - 1) // 2)])

    def forward(self, x, weights):
        states = [x]
        edge = 0
        for node in range(1, self.nodes):
            states.append(sum(self._ops[edge + i](states[i], weights[edge + i]) for i in range(node)))
            edge += node
        return states[-1]


class ResidualBlock(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.conv_a = ReluConvBn(inputs, 2 * inputs, 3, 2)
        self.conv_b = ReluConvBn(2 * inputs, 2 * inputs, 3)
        self.downsample = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(inputs, 2 * inputs, 1, bias=False))

    def forward(self, x, _):
        return self.downsample(x) + self.conv_b(self.conv_a(x))


class Network(nn.Module):
    def __init__(self, channels, cells, classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        stages = []
        for stage in range(3):
            if stage > 0:
                stages.append(ResidualBlock(channels))
                channels *= 2
            stages += [SearchCell(channels) for _ in range(cells)]
        self.cells = nn.ModuleList(stages)
        self.lastact = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, classes)

    def forward(self, x, alphas):
        weights = F.softmax(alphas, -1)
        x = self.stem(x)
        for cell in self.cells:
            x = cell(x, weights)
        return self.classifier(F.adaptive_avg_pool2d(self.lastact(x), 1).flatten(1))


def prepare(settings, layout, start):
    model = Network(settings["channels"], settings["cells"], settings["classes"])
    alphas = start.pop("cell").clone().requires_grad_()
    train, valid = [
        (to_layout(start.pop(f"{name}.images"), layout), start.pop(f"{name}.labels")) for name in ("train", "validation")
    ]
    model.load_state_dict(start)
    to_layout(model, layout)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), settings["learningRate"], momentum=0.9, weight_decay=3e-4)
    architect = torch.optim.Adam([alphas], lr=settings["alphaLearningRate"], betas=(0.5, 0.999), weight_decay=1e-3)

    def step():
        architect.zero_grad()
        images, labels = valid
        valid_loss = criterion(model(images, alphas), labels)
        valid_loss.backward()
        architect.step()
        optimizer.zero_grad()
        images, labels = train
        loss = criterion(model(images, alphas.detach()), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
        return valid_loss.item(), loss.item()

    return step


serve(prepare)
