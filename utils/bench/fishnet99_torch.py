"""FishNet-99 in PyTorch: the function of fishnet99/src/fishnet.py with pool_padding="symmetric", to
compare speeds.

Parameters are named as in the authors' published checkpoint, which therefore loads with
strict=True.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from torch_side import load_state

sys.path.append(str(Path(__file__).resolve().parents[1] / "convert"))
from mapping import tensor_of  # noqa: E402
from names.fishnet99 import AUTHORS  # noqa: E402


def bn_relu_conv(in_channels: int, out_channels: int, bias: bool = False) -> list[nn.Module]:
    return [
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, out_channels, 1, bias=bias),
    ]


def conv_bn_relu(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class Bottleneck(nn.Module):
    """Pre-activation bottleneck; its shortcut is a projection, or sums of adjacent channels, or
    the input.
    """

    def __init__(
        self, in_channels: int, out_channels: int, dilation: int = 1, projects: bool = False
    ):
        super().__init__()
        middle = out_channels // 4
        self.bn1, self.conv1 = (
            nn.BatchNorm2d(in_channels),
            nn.Conv2d(in_channels, middle, 1, bias=False),
        )
        self.bn2 = nn.BatchNorm2d(middle)
        self.conv2 = nn.Conv2d(middle, middle, 3, padding=dilation, dilation=dilation, bias=False)
        self.bn3, self.conv3 = (
            nn.BatchNorm2d(middle),
            nn.Conv2d(middle, out_channels, 1, bias=False),
        )
        self.shortcut = (
            nn.Sequential(
                nn.BatchNorm2d(in_channels),
                nn.ReLU(inplace=True),
                nn.Conv2d(in_channels, out_channels, 1, bias=False),
            )
            if projects
            else None
        )
        self.k = 1 if projects else in_channels // out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shortcut = x
        if self.shortcut is not None:
            shortcut = self.shortcut(x)
        elif self.k > 1:
            n, c, h, w = x.shape
            shortcut = x.view(n, c // self.k, self.k, h, w).sum(2)
        out = self.conv1(F.relu(self.bn1(x), inplace=True))
        out = self.conv2(F.relu(self.bn2(out), inplace=True))
        out = self.conv3(F.relu(self.bn3(out), inplace=True))
        return out + shortcut


def blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*[Bottleneck(channels, channels) for _ in range(count)])


def tail(in_channels: int, out_channels: int, count: int) -> nn.Sequential:
    refine = nn.Sequential(
        Bottleneck(in_channels, out_channels, projects=True), *blocks(out_channels, count - 1)
    )
    return nn.Sequential(refine, nn.MaxPool2d(2))


def body(in_channels: int, out_channels: int, dilation: int, transferred: int) -> nn.ModuleList:
    return nn.ModuleList(
        [
            nn.Sequential(Bottleneck(in_channels, out_channels, dilation)),
            blocks(transferred, 1),
            nn.Upsample(scale_factor=2, mode="nearest"),
        ]
    )


def head(channels: int, count: int, transferred: int, transfer_count: int) -> nn.ModuleList:
    return nn.ModuleList(
        [blocks(channels, count), blocks(transferred, transfer_count), nn.MaxPool2d(2)]
    )


class Fish(nn.Module):
    """Tail, bridge, body, head and classifier, as one list."""

    def __init__(self, num_cls: int):
        super().__init__()
        bridge = nn.ModuleList(
            [
                nn.Sequential(*bn_relu_conv(512, 256), nn.BatchNorm2d(256), nn.ReLU(inplace=True)),
                nn.Conv2d(256, 1024, 1),
                nn.Sequential(Bottleneck(1024, 512, projects=True), *blocks(512, 1)),
                nn.Sequential(
                    nn.Sequential(
                        nn.BatchNorm2d(1024),
                        nn.ReLU(inplace=True),
                        nn.AdaptiveAvgPool2d(1),
                        nn.Conv2d(1024, 32, 1),
                        nn.ReLU(inplace=True),
                        nn.Conv2d(32, 512, 1),
                        nn.Sigmoid(),
                    )
                ),
            ]
        )
        last = head(1600, 2, 512, 4)
        last.append(
            nn.Sequential(*bn_relu_conv(2112, 1056), nn.BatchNorm2d(1056), nn.ReLU(inplace=True))
        )
        last.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(1056, num_cls, 1)))
        self.fish = nn.ModuleList(
            [
                tail(64, 128, 2),
                tail(128, 256, 2),
                tail(256, 512, 6),
                bridge,
                body(512, 512, 1, 256),
                body(768, 384, 2, 128),
                body(512, 256, 4, 64),
                head(320, 1, 512, 1),
                head(832, 2, 768, 1),
                last,
            ]
        )

    def forward(self, stem: torch.Tensor) -> torch.Tensor:
        tails = [stem]
        for stage in self.fish[:3]:
            tails.append(stage(tails[-1]))
        first, widen, refine, excite = self.fish[3]
        x = widen(first(tails[3]))
        attention = excite(x)
        bodies = [refine(x) * attention + attention]
        for (refine, transfer, upsample), features in zip(self.fish[4:7], tails[2::-1]):
            bodies.append(torch.cat([upsample(refine(bodies[-1])), transfer(features)], 1))
        x = bodies[3]
        for stage, features in zip(self.fish[7:], bodies[2::-1]):
            x = torch.cat([stage[2](stage[0](x)), stage[1](features)], 1)
        return self.fish[9][4](self.fish[9][3](x))


class FishNet(nn.Module):
    """float32 (N, 3, H, W) to logits (N, num_cls); H and W multiples of 32, or up to 3 less."""

    def __init__(self, num_cls: int = 1000):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = (
            conv_bn_relu(3, 32, 2),
            conv_bn_relu(32, 32, 1),
            conv_bn_relu(32, 64, 1),
        )
        self.fish = Fish(num_cls)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        stem = F.max_pool2d(self.conv3(self.conv2(self.conv1(x))), 3, stride=2, padding=1)
        return self.fish(stem).flatten(1)


def load(weights: str) -> FishNet:
    """The network with the parameters of the .npz file `weights`, named as in
    fishnet99/src/fishnet.py.
    """
    with np.load(weights, allow_pickle=False) as values:
        state = {tensor_of(name, AUTHORS): torch.from_numpy(v) for name, v in values.items()}
    return load_state(FishNet(), state)


def operations() -> list:
    """What the recipe does to training images."""
    from torch_data import colours, random_crop

    return [*random_crop(224), *colours(0.4, hue=0.1)]
