"""A search step of Auto-DeepLab (Liu et al. 2019, sections 4 and 5.1), with a cell for each transition of the trellis."""

import torch
from driver import serve, to_layout
from torch import nn
from torch.nn import functional as F

LEVELS = 4
EPS = 1e-3


def resize(x, size):
    return x if x.shape[2:] == size else F.interpolate(x, size=size, mode="bilinear", align_corners=True)


class ReLUConvBN(nn.Module):
    def __init__(self, C_in, C_out, size=1, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(C_in, C_out, size, stride, size // 2, bias=False)
        self.bn = nn.BatchNorm2d(C_out, eps=EPS, affine=False)

    def forward(self, x):
        return self.bn(self.conv(F.relu(x)))


class SepConv(nn.Module):
    def __init__(self, C, size):
        super().__init__()
        self.depthwise1 = nn.Conv2d(C, C, size, padding=size // 2, groups=C, bias=False)
        self.pointwise1 = nn.Conv2d(C, C, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(C, eps=EPS, affine=False)
        self.depthwise2 = nn.Conv2d(C, C, size, padding=size // 2, groups=C, bias=False)
        self.pointwise2 = nn.Conv2d(C, C, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(C, eps=EPS, affine=False)

    def forward(self, x):
        x = self.bn1(self.pointwise1(self.depthwise1(F.relu(x))))
        return self.bn2(self.pointwise2(self.depthwise2(F.relu(x))))


class AtrousConv(nn.Module):
    def __init__(self, C, size):
        super().__init__()
        self.conv = nn.Conv2d(C, C, size, padding=size - 1, dilation=2, bias=False)
        self.bn = nn.BatchNorm2d(C, eps=EPS, affine=False)

    def forward(self, x):
        return self.bn(self.conv(F.relu(x)))


class Zero(nn.Module):
    def forward(self, x):
        return x.mul(0.0)


def pooling(pool, C):
    return nn.Sequential(pool, nn.BatchNorm2d(C, eps=EPS, affine=False))


OPS = [
    lambda C: Zero(),
    lambda C: pooling(nn.MaxPool2d(3, 1, 1), C),
    lambda C: pooling(nn.AvgPool2d(3, 1, 1, count_include_pad=False), C),
    lambda C: nn.Identity(),
    lambda C: SepConv(C, 3),
    lambda C: SepConv(C, 5),
    lambda C: AtrousConv(C, 3),
    lambda C: AtrousConv(C, 5),
]


class MixedOp(nn.Module):
    def __init__(self, C):
        super().__init__()
        self._ops = nn.ModuleList(op(C) for op in OPS)

    def forward(self, x, weights):
        return sum(w * op(x) for w, op in zip(weights, self._ops))


class Cell(nn.Module):
    """`transitions` is [(source level, channels, whether it halves)]; `before` is the channels of the last layer but one."""

    def __init__(self, blocks, C, transitions, before):
        super().__init__()
        self.blocks = blocks
        self.sources = [source for source, _, _ in transitions]
        self.previous = nn.ModuleList(
            ReLUConvBN(C_in, C, 3, 2) if halves else ReLUConvBN(C_in, C) for _, C_in, halves in transitions
        )
        self.has_before = before is not None
        if self.has_before and before != C:
            self.before = ReLUConvBN(before, C)
        self.edges = nn.ModuleDict()
        edge = 0
        for block in range(blocks):
            for state in range(2 + block):
                if state != 1 or self.has_before:
                    self.edges[str(edge)] = MixedOp(C)
                edge += 1

    def forward(self, source, previous, before, weights):
        states = [self.previous[self.sources.index(source)](previous), None]
        if self.has_before:
            before = resize(before, states[0].shape[2:])
            states[1] = self.before(before) if hasattr(self, "before") else before
        edge = 0
        for _ in range(self.blocks):
            terms = []
            for state in states:
                if state is not None:
                    terms.append(self.edges[str(edge)](state, weights[edge]))
                edge += 1
            states.append(sum(terms))
        return torch.cat(states[2:], dim=1)


class Layer(nn.Module):
    def __init__(self, cells):
        super().__init__()
        self.cells = nn.ModuleList(cells)


class ConvBNReLU(nn.Module):
    def __init__(self, C_in, C_out, size, rate=1):
        super().__init__()
        self.conv = nn.Conv2d(C_in, C_out, size, padding=rate * (size // 2), dilation=rate, bias=False)
        self.bn = nn.BatchNorm2d(C_out)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class ASPP(nn.Module):
    def __init__(self, C, rate, dropout):
        super().__init__()
        self.pooled = ConvBNReLU(C, C, 1)
        self.branches = nn.ModuleList([ConvBNReLU(C, C, 1), ConvBNReLU(C, C, 3, rate)])
        self.projection = ConvBNReLU(3 * C, C, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        pooled = resize(self.pooled(F.adaptive_avg_pool2d(x, 1)), x.shape[2:])
        return self.dropout(self.projection(torch.cat([pooled, *(branch(x) for branch in self.branches)], dim=1)))


class Head(nn.Module):
    def __init__(self, C, stride, classes, dropout):
        super().__init__()
        self.pyramid = ASPP(C, 96 // stride, dropout)
        self.classifier = nn.Conv2d(C, classes, 1)

    def forward(self, x):
        return self.classifier(self.pyramid(F.relu(x)))


class Stem(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv0 = nn.Conv2d(3, 64, 3, 2, 1, bias=False)
        self.bn0 = nn.BatchNorm2d(64, eps=EPS)
        self.conv1 = nn.Conv2d(64, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64, eps=EPS)
        self.conv2 = nn.Conv2d(64, 128, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(128, eps=EPS)

    def forward(self, x):
        half = self.bn1(self.conv1(F.relu(self.bn0(self.conv0(x)))))
        return half, self.bn2(self.conv2(F.relu(half)))


class SearchNetwork(nn.Module):
    def __init__(self, settings):
        super().__init__()
        blocks = settings["blocks"]
        self.stem = Stem()
        channels = [[64], [128]]
        layers = []
        for layer in range(settings["layers"]):
            before, previous = channels[-2:]
            filters = [settings["filterMultiplier"] * 2**level for level in range(min(layer + 1, LEVELS))]
            cells = []
            for level, C in enumerate(filters):
                sources = [source for source in range(len(previous)) if abs(source - level) <= 1]
                transitions = [(source, previous[source], source < level) for source in sources]
                cells.append(Cell(blocks, C, transitions, before[level] if level < len(before) else None))
            layers.append(Layer(cells))
            channels.append([C * blocks for C in filters])
        self.layers = nn.ModuleList(layers)
        self.heads = nn.ModuleList(
            Head(C, 4 * 2**level, settings["classes"], settings["dropout"]) for level, C in enumerate(channels[-1])
        )
        self.alphas = torch.zeros(blocks * (blocks + 3) // 2, len(OPS), requires_grad=True)
        self.betas = torch.zeros(settings["layers"], LEVELS, 3, requires_grad=True)
        # Moves up (0), straight (1) or down (2) that leave the trellis. The first layer only has level 0.
        self.outside = torch.zeros(settings["layers"], LEVELS, 3, dtype=torch.bool)
        self.outside[:, 0, 0] = self.outside[:, LEVELS - 1, 2] = self.outside[0, 0, 2] = True

    def forward(self, image):
        weights = F.softmax(self.alphas, dim=-1)
        betas = F.softmax(self.betas.masked_fill(self.outside, float("-inf")), dim=-1)
        half, quarter = self.stem(image)
        height, width = quarter.shape[2:]
        sizes = [(-(-height // 2**level), -(-width // 2**level)) for level in range(LEVELS)]
        before, last = [half], [quarter]
        for index, layer in enumerate(self.layers):
            following = []
            for level, cell in enumerate(layer.cells):
                terms = []
                for source in cell.sources:
                    previous = resize(last[source], sizes[level]) if source > level else last[source]
                    earlier = before[level] if level < len(before) else None
                    beta = betas[index, source, level - source + 1]
                    terms.append(beta * cell(source, previous, earlier, weights))
                following.append(sum(terms))
            before, last = last, following
        return sum(resize(head(x), image.shape[2:]) for head, x in zip(self.heads, last))


def prepare(settings, layout, start):
    model = SearchNetwork(settings)
    model.alphas.data.copy_(start.pop("alphas"))
    model.betas.data.copy_(start.pop("betas"))
    train, valid = [
        (to_layout(start.pop(f"{name}.images"), layout), start.pop(f"{name}.labels")) for name in ("train", "validation")
    ]
    model.load_state_dict(start)
    to_layout(model, layout)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), settings["learningRate"], momentum=0.9, weight_decay=3e-4)
    arch_optimizer = torch.optim.Adam(
        [model.alphas, model.betas], lr=settings["alphaLearningRate"], weight_decay=1e-3
    )

    def step():
        optimizer.zero_grad()
        images, labels = train
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()

        arch_optimizer.zero_grad()
        images, labels = valid
        valid_loss = criterion(model(images), labels)
        valid_loss.backward()
        arch_optimizer.step()
        return loss.item(), valid_loss.item()

    return step


serve(prepare)
