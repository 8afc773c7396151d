"""MobileNetV1 in PyTorch: the function of mobilenetv1/src/mobilenet_v1_fpn.py with symmetric
padding, to compare speeds.

Parameters are named as in timm's weights.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from torch_side import load_state

sys.path.append(str(Path(__file__).resolve().parents[1] / "convert"))
from mapping import tensor_of  # noqa: E402
from names.mobilenetv1 import TIMM  # noqa: E402

# Stages of blocks: output channels, blocks, stride of the first (arXiv:1704.04861, table 1).
STAGES = ((64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2))


class Block(nn.Module):
    """A depthwise 3x3 convolution and a pointwise one, each with batch norm and ReLU6."""

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.conv_dw = nn.Conv2d(
            in_channels, in_channels, 3, stride, 1, groups=in_channels, bias=False
        )
        self.bn1, self.act1 = nn.BatchNorm2d(in_channels), nn.ReLU6(inplace=True)
        self.conv_pw = nn.Conv2d(in_channels, out_channels, 1, bias=False)
        self.bn2, self.act2 = nn.BatchNorm2d(out_channels), nn.ReLU6(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act1(self.bn1(self.conv_dw(x)))
        return self.act2(self.bn2(self.conv_pw(x)))


class MobileNetV1(nn.Module):
    """float32 (N, 3, H, W) to logits (N, 1000)."""

    def __init__(self):
        super().__init__()
        self.conv_stem = nn.Conv2d(3, 32, 3, 2, 1, bias=False)
        self.bn1, self.act1 = nn.BatchNorm2d(32), nn.ReLU6(inplace=True)
        stages, channels = [], 32
        for out_channels, count, stride in STAGES:
            blocks = [Block(channels, out_channels, stride)]
            blocks += [Block(out_channels, out_channels, 1) for _ in range(count - 1)]
            stages.append(nn.Sequential(*blocks))
            channels = out_channels
        self.blocks = nn.Sequential(*stages)
        self.classifier = nn.Linear(channels, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.act1(self.bn1(self.conv_stem(x))))
        return self.classifier(x.mean((2, 3)))


def load(weights: str) -> MobileNetV1:
    """The network with the parameters of the .npz file `weights`, named as in MindSpore."""
    with np.load(weights, allow_pickle=False) as values:
        state = {tensor_of(name, TIMM): torch.from_numpy(v) for name, v in values.items()}
    return load_state(MobileNetV1(), state)


def operations() -> list:
    """What the recipe does to training images."""
    from torch_data import random_crop

    return random_crop(224)
