"""A training step of a child network of Zoph & Le 2016 (section 4.1)."""

import torch
from driver import serve, to_layout
from torch import nn
from torch.nn import functional as F


class Layer(nn.Module):
    def __init__(self, inputs, layer):
        super().__init__()
        kernel = layer["filterHeight"], layer["filterWidth"]
        stride = layer["strideHeight"], layer["strideWidth"]
        padding = kernel[0] // 2, kernel[1] // 2
        self.conv = nn.Conv2d(inputs, layer["filters"], kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(layer["filters"])

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class ChildNetwork(nn.Module):
    def __init__(self, layers, classes):
        super().__init__()
        self.inputs = [layer["inputs"] for layer in layers]
        read = {i for inputs in self.inputs for i in inputs}
        self.ends = [i for i in range(len(layers)) if i not in read]
        self.layers = nn.ModuleList()
        for layer in layers:
            channels = sum(layers[i]["filters"] for i in layer["inputs"]) if layer["inputs"] else 3
            self.layers.append(Layer(channels, layer))
        self.classifier = nn.Linear(sum(layers[i]["filters"] for i in self.ends), classes)

    def forward(self, x):
        outputs = []
        for layer, inputs in zip(self.layers, self.inputs):
            outputs.append(layer(torch.cat([outputs[i] for i in inputs], dim=1) if inputs else x))
        features = torch.cat([outputs[i] for i in self.ends], dim=1)
        return self.classifier(F.adaptive_avg_pool2d(features, 1).flatten(1))


def prepare(settings, layout, start):
    model = ChildNetwork(settings["architecture"]["layers"], settings["classes"])
    images, labels = to_layout(start.pop("images"), layout), start.pop("labels")
    model.load_state_dict(start)
    to_layout(model, layout)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(
        model.parameters(), settings["learningRate"], momentum=0.9, nesterov=True, weight_decay=1e-4
    )

    def step():
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


serve(prepare)
