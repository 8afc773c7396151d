"""MnasNet in PyTorch: the function of mnasnet/src/models/mnasnet.py in its documented form, to
compare speeds.
"""

import re

import numpy as np
import torch
from torch import nn

from torch_side import LEAVES, RATE, load_state

# Inverted residual stages: kernel, expansion, output channels, blocks, stride of the first block
# (paper, figure 7).
STAGES = (
    (3, 3, 24, 3, 2),
    (5, 3, 40, 3, 2),
    (5, 6, 80, 3, 2),
    (3, 6, 96, 2, 1),
    (5, 6, 192, 4, 2),
    (3, 6, 320, 1, 1),
)


def conv_bn(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    groups: int = 1,
    bias: bool = False,
) -> list[nn.Module]:
    return [
        nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            kernel_size // 2,
            groups=groups,
            bias=bias,
        ),
        nn.BatchNorm2d(out_channels),
    ]


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter depthwise, project by 1x1; plus the input where it has the output's
    shape.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, stride: int, expansion: int
    ):
        super().__init__()
        middle = in_channels * expansion
        self.conv = nn.Sequential(
            *conv_bn(in_channels, middle, 1),
            nn.ReLU(inplace=True),
            *conv_bn(middle, middle, kernel_size, stride, middle),
            nn.ReLU(inplace=True),
            *conv_bn(middle, out_channels, 1),
        )
        self.has_shortcut = stride == 1 and in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.has_shortcut else self.conv(x)


class Mnasnet(nn.Module):
    """float32 (N, 3, H, W) to logits (N, 1000)."""

    def __init__(self):
        super().__init__()
        blocks = [
            nn.Sequential(*conv_bn(3, 32, 3, stride=2, bias=True), nn.ReLU(inplace=True)),
            nn.Sequential(
                *conv_bn(32, 32, 3, groups=32), nn.ReLU(inplace=True), *conv_bn(32, 16, 3)
            ),
        ]
        channels = 16
        for kernel_size, expansion, out_channels, repeats, stride in STAGES:
            for index in range(repeats):
                blocks.append(
                    InvertedResidual(
                        channels, out_channels, kernel_size, stride if index == 0 else 1, expansion
                    )
                )
                channels = out_channels
        self.features = nn.Sequential(*blocks)
        self.conv1 = nn.Sequential(*conv_bn(channels, 1280, 1), nn.ReLU(inplace=True))
        self.fc = nn.Linear(1280, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.conv1(self.features(x)).mean((2, 3)))


def torch_name(name: str) -> str:
    """The name here of a parameter of mnasnet/src/models/mnasnet.py; shapes and layouts are
    equal.
    """
    name = re.sub(r"^features\.0\.conv\.", "features.0.0.", name)
    name = re.sub(r"^features\.0\.bn\.", "features.0.1.", name).replace(".sequence.", ".")
    stem, leaf = name.rsplit(".", 1)
    return f"{stem}.{LEAVES.get(leaf, leaf)}"


def load(weights: str) -> Mnasnet:
    """The network with the parameters of the .npz file `weights`, named as in MindSpore."""
    with np.load(weights, allow_pickle=False) as values:
        state = {torch_name(name): torch.from_numpy(value) for name, value in values.items()}
    return load_state(Mnasnet(), state)


def create_optimizer(network: nn.Module) -> torch.optim.Optimizer:
    """That of the recipe."""
    return torch.optim.RMSprop(
        network.parameters(), lr=RATE, alpha=0.9, eps=0.001, momentum=0.9, weight_decay=1e-5
    )


def operations() -> list:
    """What the recipe does to training images."""
    from torch_data import random_crop, transforms

    return [*random_crop(224), transforms.AutoAugment()]
