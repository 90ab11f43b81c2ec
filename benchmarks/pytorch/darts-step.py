"""A search step of DARTS, as in the authors' code (cnn/train_search.py, cnn/architect.py)."""

import torch
from darts_supernet import Network
from driver import serve, to_layout
from torch import nn

MOMENTUM, WEIGHT_DECAY = 0.9, 3e-4


def concat(tensors):
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


class Architect:
    def __init__(self, model, criterion, network_optimizer, settings, layout):
        self.layout = layout
        self.model = model
        self.criterion = criterion
        self.network_optimizer = network_optimizer
        self.eta = settings["learningRate"]
        self.optimizer = torch.optim.Adam(
            model.arch_parameters(), lr=settings["alphaLearningRate"], betas=(0.5, 0.999), weight_decay=1e-3
        )

    def loss(self, model, batch):
        images, labels = batch
        return self.criterion(model(images), labels)

    def step(self, train, valid, unrolled):
        self.optimizer.zero_grad()
        if unrolled:
            loss = self.backward_step_unrolled(train, valid)
        else:
            loss = self.loss(self.model, valid)
            loss.backward()
        self.optimizer.step()
        return loss.item()

    def backward_step_unrolled(self, train, valid):
        unrolled_model = self.compute_unrolled_model(train)
        unrolled_loss = self.loss(unrolled_model, valid)
        unrolled_loss.backward()
        dalpha = [v.grad for v in unrolled_model.arch_parameters()]
        vector = [v.grad.data for v in unrolled_model.parameters()]
        implicit_grads = self.hessian_vector_product(vector, train)
        for v, g, ig in zip(self.model.arch_parameters(), dalpha, implicit_grads):
            v.grad = g.data.sub(ig.data, alpha=self.eta)
        return unrolled_loss

    def compute_unrolled_model(self, train):
        loss = self.loss(self.model, train)
        parameters = list(self.model.parameters())
        theta = concat(parameters).data
        try:
            state = self.network_optimizer.state
            moment = concat(state[v]["momentum_buffer"] for v in parameters).mul_(MOMENTUM)
        except KeyError:  # before the first step
            moment = torch.zeros_like(theta)
        dtheta = concat(torch.autograd.grad(loss, parameters)).data + WEIGHT_DECAY * theta
        return self.construct_model_from_theta(theta.sub(moment + dtheta, alpha=self.eta))

    def construct_model_from_theta(self, theta):
        model_new = to_layout(self.model.new(), self.layout)
        state = self.model.state_dict()
        offset = 0
        for name, v in self.model.named_parameters():
            state[name] = theta[offset : offset + v.numel()].view(v.size())
            offset += v.numel()
        model_new.load_state_dict(state)
        return model_new

    def hessian_vector_product(self, vector, train, r=1e-2):
        R = r / concat(vector).norm()
        parameters = list(self.model.parameters())
        for p, v in zip(parameters, vector):
            p.data.add_(v * R)
        grads_p = torch.autograd.grad(self.loss(self.model, train), self.model.arch_parameters())
        for p, v in zip(parameters, vector):
            p.data.sub_(v * (2 * R))
        grads_n = torch.autograd.grad(self.loss(self.model, train), self.model.arch_parameters())
        for p, v in zip(parameters, vector):
            p.data.add_(v * R)
        return [(x - y).div_(2 * R) for x, y in zip(grads_p, grads_n)]


def prepare(settings, layout, start):
    model = Network(settings["channels"], settings["classes"], settings["layers"])
    model.alphas_normal.data.copy_(start.pop("normal"))
    model.alphas_reduce.data.copy_(start.pop("reduce"))
    train, valid = [
        (to_layout(start.pop(f"{name}.images"), layout), start.pop(f"{name}.labels")) for name in ("train", "validation")
    ]
    model.load_state_dict(start)
    to_layout(model, layout)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(
        model.parameters(), settings["learningRate"], momentum=MOMENTUM, weight_decay=WEIGHT_DECAY
    )
    architect = Architect(model, criterion, optimizer, settings, layout)

    def step():
        valid_loss = architect.step(train, valid, unrolled=settings["order"] == 2)
        optimizer.zero_grad()
        images, labels = train
        loss = criterion(model(images), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5)
        optimizer.step()
        return valid_loss, loss.item()

    return step


serve(prepare)
