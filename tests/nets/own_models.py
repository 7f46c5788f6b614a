"""Modules as users write them, in a Python module that a command can name."""

import torch
from torch import nn
from torch.nn import functional


class SmallViT(nn.Module):
    """A vision transformer with learned places."""

    def __init__(self, side, channels, classes, width=8, depth=1, patch=4):
        super().__init__()
        self.patches = nn.Conv2d(channels, width, patch, patch)
        self.places = nn.Parameter(0.02 * torch.randn(1, (side // patch) ** 2, width))
        self.register_buffer("scale", torch.tensor(2.0))
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 2, 2 * width, dropout=0.0, batch_first=True)
            for _ in range(depth)
        )
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        h = self.patches(x).flatten(2).mT + self.scale * self.places
        for layer in self.layers:
            h = layer(h)
        return self.head(h.mean(1))


class ConvNet(nn.Sequential):
    """Two convolutions with group normalisation."""

    def __init__(self, channels, classes, width, norm=nn.GroupNorm):
        normal = norm(1, width) if norm is nn.GroupNorm else norm(width)
        first = (nn.Conv2d(channels, width, 3, 2, 1), normal, nn.ReLU())
        second = (nn.Conv2d(width, 2 * width, 3, 2, 1), nn.ReLU(), nn.Flatten())
        super().__init__(*first, *second, nn.Linear(8 * width, classes))


class Recurrent(nn.Module):
    """An LSTM over the rows of an image, which vmap cannot compute."""

    def __init__(self, classes, width):
        super().__init__()
        self.recurrent, self.head = nn.LSTM(8, width, batch_first=True), nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.recurrent(x[:, 0])[0][:, -1])


class Regression(nn.Module):
    """One output without an axis, a scalar parameter, and no argument that it does not need."""

    def __init__(self, inputs):
        super().__init__()
        self.linear, self.scale = nn.Linear(inputs, 1), nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return self.scale * self.linear(x)[:, 0]


def lazy(outputs, width):
    return nn.Sequential(nn.LazyConv2d(width, 3), nn.Flatten(), nn.LazyLinear(outputs))


def batch_normalised(channels, classes, width):
    return ConvNet(channels, classes, width, nn.BatchNorm2d)


def dropped(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, outputs), nn.Dropout(0.1))


class DropsByHand(nn.Linear):
    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)

    def forward(self, x):
        return functional.dropout(super().forward(x), 0.5, self.training)


class CentredByHand(DropsByHand):
    def forward(self, x):
        return nn.Linear.forward(self, x - x.mean(0))


class Idle(DropsByHand):
    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.idle = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        return nn.Linear.forward(self, x)


def frozen(inputs, outputs):
    made = nn.Linear(inputs, outputs)
    made.bias.requires_grad_(False)
    return made


def needs_heads(inputs, outputs, heads):
    return nn.Linear(inputs, outputs)


def no_module(inputs):
    return 3


def too_wide(inputs, outputs):
    return nn.Linear(inputs, outputs + 1)


def wrong_inputs(inputs, outputs):
    return nn.Linear(inputs + 1, outputs)


def one_channel(outputs, width):
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.Flatten(), nn.Linear(36 * width, outputs))


SIZE = 3
