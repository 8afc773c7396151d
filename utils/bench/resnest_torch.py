"""ResNeSt-50 in PyTorch, the same function as resnest/src/models, as the other side of the
benchmark.

Parameters are named as in the weights that the authors publish (https://arxiv.org/abs/2004.08955).
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from torch_side import LEAVES, load_state

# planes, blocks, stride of the first block
STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))


def conv(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    groups: int = 1,
    bias: bool = False,
) -> nn.Conv2d:
    """Convolution with zero padding of half the kernel."""
    return nn.Conv2d(
        in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=bias
    )


class SplitAttention(nn.Module):
    """Two branches of a grouped 3x3 convolution, weighted against each other: (N, C, H, W) to
    the same shape.
    """

    def __init__(self, channels: int):
        super().__init__()
        hidden = max(channels // 2, 32)
        self.conv = conv(channels, 2 * channels, 3, groups=2)
        self.bn0 = nn.BatchNorm2d(2 * channels)
        self.fc1 = conv(channels, hidden, 1, bias=True)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.fc2 = conv(hidden, 2 * channels, 1, bias=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, second = functional.relu(self.bn0(self.conv(x)), inplace=True).chunk(2, 1)
        pooled = functional.adaptive_avg_pool2d(first + second, 1)
        attention = self.fc2(functional.relu(self.bn1(self.fc1(pooled)), inplace=True))
        attention = attention.unflatten(1, (2, -1)).softmax(1)
        return attention[:, 0] * first + attention[:, 1] * second


class Bottleneck(nn.Module):
    """1x1 convolution, split attention, 1x1 convolution, plus shortcut."""

    def __init__(self, in_channels: int, planes: int, stride: int, project: bool):
        super().__init__()
        self.conv1, self.bn1 = conv(in_channels, planes, 1), nn.BatchNorm2d(planes)
        self.conv2 = SplitAttention(planes)
        self.avd_layer = nn.AvgPool2d(3, 2, padding=1) if stride == 2 else nn.Identity()
        self.conv3, self.bn3 = conv(planes, 4 * planes, 1), nn.BatchNorm2d(4 * planes)
        self.downsample = (
            nn.Sequential(
                nn.AvgPool2d(stride, stride),
                conv(in_channels, 4 * planes, 1),
                nn.BatchNorm2d(4 * planes),
            )
            if project
            else nn.Identity()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn3(self.conv3(self.avd_layer(self.conv2(out))))
        return functional.relu(out + self.downsample(x), inplace=True)


class ResNeSt50(nn.Module):
    """Images (N, 3, H, W), H and W multiples of 32, to logits (N, num_classes)."""

    def __init__(self, num_classes: int = 1000):
        super().__init__()
        self.conv1 = nn.Sequential(
            conv(3, 32, 3, 2),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
            conv(32, 32, 3),
            nn.BatchNorm2d(32),
            nn.ReLU(inplace=True),
            conv(32, 64, 3),
        )
        self.bn1 = nn.BatchNorm2d(64)
        in_channels = 64
        for number, (planes, blocks, stride) in enumerate(STAGES, 1):
            stage = [Bottleneck(in_channels, planes, stride, True)]
            in_channels = 4 * planes
            stage += [Bottleneck(in_channels, planes, 1, False) for _ in range(blocks - 1)]
            setattr(self, f"layer{number}", nn.Sequential(*stage))
        self.fc = nn.Linear(in_channels, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(
            functional.relu(self.bn1(self.conv1(x)), inplace=True), 3, 2, padding=1
        )
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def torch_state(parameters: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """State of ResNeSt50 from {MindSpore name: array}; biases of the attention that are not in
    it become 0.
    """
    state = {}
    for name, value in parameters.items():
        stem, leaf = name.rsplit(".", 1)
        value = torch.from_numpy(value)
        if stem.endswith("conv.convs.1"):  # the second half of a grouped convolution
            joined = stem[: -len(".convs.1")] + ".weight"
            state[joined] = torch.cat([state[joined], value])
            continue
        stem = stem.replace(".convs.0", "")
        state[f"{stem}.{LEAVES.get(leaf, leaf)}"] = value
        if stem.endswith((".fc1", ".fc2")) and leaf == "weight":
            state.setdefault(f"{stem}.bias", torch.zeros(len(value)))
    return state


def load(weights: str) -> ResNeSt50:
    """The network with the parameters of the .npz file `weights`, named as in MindSpore."""
    with np.load(weights, allow_pickle=False) as values:
        return load_state(ResNeSt50(), torch_state(values))


def operations() -> list:
    """What the recipe does to training images."""
    from torch_data import colours, random_crop, transforms

    return [*random_crop(224), *colours(0.4), transforms.RandAugment(2, 12)]
