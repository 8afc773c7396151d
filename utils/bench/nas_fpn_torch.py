"""RetinaNet with NAS-FPN in PyTorch, the same function as nas_fpn/src/retinanet_nasfpn.py, to
compare speeds.

    python utils/bench/nas_fpn_torch.py WEIGHTS.npz IMAGE.npy THREADS    # then a line `outputs` or
    `forward` on stdin

Parameters are named as there, but for BatchNorm's, which PyTorch calls otherwise.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from torch_side import LEAVES, RATE, load_state

CENTRE, SIZE = 0.1, 0.2  # what box targets are divided by
ALPHA, GAMMA = 0.75, 2.0  # of the focal loss
DECAY = 0.00015
# blocks, channels, stride of the first block
STAGES = ((3, 256, 1), (4, 512, 2), (6, 1024, 2), (3, 2048, 2))


def conv(in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride,
        kernel_size // 2 if stride == 1 else 0,
        bias=False,
    )


class Block(nn.Module):
    """Bottleneck whose 3x3 convolution has the stride; of odd padding the larger half goes right
    and below.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        channels = out_channels // 4
        self.pad = nn.ZeroPad2d((0, 1, 0, 1)) if stride == 2 else nn.Identity()
        self.conv1, self.bn1 = conv(in_channels, channels, 1), nn.BatchNorm2d(channels, eps=1e-3)
        self.conv2, self.bn2 = (
            conv(channels, channels, 3, stride),
            nn.BatchNorm2d(channels, eps=1e-3),
        )
        self.conv3, self.bn3 = (
            conv(channels, out_channels, 1),
            nn.BatchNorm2d(out_channels, eps=1e-3),
        )
        self.down_sample_layer = (
            nn.Sequential(
                conv(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels, eps=1e-3)
            )
            if in_channels != out_channels
            else nn.Identity()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        out = F.relu(self.bn2(self.conv2(self.pad(out))), inplace=True)
        return F.relu(self.bn3(self.conv3(out)) + self.down_sample_layer(x), inplace=True)


class ResNet50(nn.Module):
    """Images to C3, C4, C5."""

    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = conv(3, 64, 7, 2), nn.BatchNorm2d(64, eps=1e-3)
        in_channels = 64
        for number, (blocks, channels, stride) in enumerate(STAGES, 1):
            layers = [
                Block(in_channels, channels, stride),
                *(Block(channels, channels, 1) for _ in range(blocks - 1)),
            ]
            setattr(self, f"layer{number}", nn.Sequential(*layers))
            in_channels = channels

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        x = F.relu(self.bn1(self.conv1(F.pad(x, (2, 3, 2, 3)))), inplace=True)
        c2 = self.layer1(F.max_pool2d(x, 3, 2, ceil_mode=True))
        c3 = self.layer2(c2)
        c4 = self.layer3(c3)
        return c3, c4, self.layer4(c4)


def resize(x: torch.Tensor, size: int) -> torch.Tensor:
    """Nearest neighbour up, max-pooling down."""
    if x.shape[2] < size:
        return F.interpolate(x, size=(size, size), mode="nearest")
    return F.max_pool2d(x, x.shape[2] // size) if x.shape[2] > size else x


class OutputConv(nn.Module):
    """ReLU, 3x3 convolution, BatchNorm."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.ReLU(), conv(256, 256, 3), nn.BatchNorm2d(256))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.features(x)


class Subnet(nn.Module):
    """Four 3x3 convolutions with ReLU, and a fifth to `out_channels`."""

    def __init__(self, out_channels: int):
        super().__init__()
        layers = [layer for _ in range(4) for layer in (conv(256, 256, 3), nn.ReLU(inplace=True))]
        self.feats = nn.Sequential(*layers, conv(256, out_channels, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.feats(x)


class Merge(nn.Module):
    """Sum, or sum weighted by the second map's mean, and a convolution where the cell has one."""

    def __init__(self, is_pooling: bool, has_conv: bool):
        super().__init__()
        self.is_pooling = is_pooling
        self.out_conv = OutputConv() if has_conv else nn.Identity()

    def forward(self, a: torch.Tensor, b: torch.Tensor, size: int) -> torch.Tensor:
        a, b = resize(a, size), resize(b, size)
        return self.out_conv(
            b + torch.sigmoid(b.mean((2, 3), keepdim=True)) * a if self.is_pooling else a + b
        )


class NASFPN(nn.Module):
    """C3, C4, C5 to P3, ..., P7 of 256 channels."""

    def __init__(self):
        super().__init__()

        def lateral(channels):
            layer = nn.Sequential()
            layer.add_module("conv", conv(channels, 256, 1))
            layer.add_module("batchnorm", nn.BatchNorm2d(256))
            return layer

        self.lateral_convs = nn.ModuleList([lateral(channels) for channels in (512, 1024, 2048)])
        self.extra_downsamples = nn.ModuleList(
            [nn.Sequential(lateral(256), nn.MaxPool2d(2)) for _ in range(2)]
        )
        self.fpn_stages = nn.ModuleList(
            [
                nn.ModuleList([Merge(k in (0, 4, 6, 8), k not in (4, 6)) for k in range(9)])
                for _ in range(7)
            ]
        )

    def forward(self, features: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        p3, p4, p5 = (layer(feature) for layer, feature in zip(self.lateral_convs, features))
        p6 = self.extra_downsamples[0](p5)
        p7 = self.extra_downsamples[1](p6)
        size3, size4, size5, size6, size7 = (x.shape[2] for x in (p3, p4, p5, p6, p7))
        for cells in self.fpn_stages:
            second4 = cells[1](cells[0](p6, p4, size4), p4, size4)
            p3 = cells[2](second4, p3, size3)
            p4 = cells[3](p3, second4, size4)
            p5 = cells[5](p5, cells[4](p4, p3, size5), size5)
            p7 = cells[7](p7, cells[6](p5, second4, size7), size7)
            p6 = cells[8](p7, p5, size6)
        return p3, p4, p5, p6, p7


class Head(nn.Module):
    """Five levels, each with subnets of its own, to box targets (N, A, 4) and logits (N, A, 81)."""

    def __init__(self):
        super().__init__()
        self.multi_loc_layers = nn.ModuleList([Subnet(9 * 4) for _ in range(5)])
        self.multi_cls_layers = nn.ModuleList([Subnet(9 * 81) for _ in range(5)])

    def forward(self, levels: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
        outputs = []
        for subnets, values in ((self.multi_loc_layers, 4), (self.multi_cls_layers, 81)):
            maps = (subnet(level) for subnet, level in zip(subnets, levels))
            outputs.append(
                torch.cat([x.permute(0, 2, 3, 1).reshape(len(x), -1, values) for x in maps], 1)
            )
        return outputs


class Detector(nn.Module):
    """float32 (N, 3, S, S), S a multiple of 128, to boxes [y1, x1, y2, x2] (N, A, 4) in 0..1 and
    scores (N, A, 81); in training to box targets and logits. `anchors` are [cy, cx, h, w].
    """

    def __init__(self, anchors: np.ndarray):
        super().__init__()
        self.backbone, self.neck, self.head = ResNet50(), NASFPN(), Head()
        yx, hw = torch.from_numpy(np.float32(anchors)).split(2, 1)
        self.register_buffer("yx", yx.clone(), persistent=False)
        self.register_buffer("hw", hw.clone(), persistent=False)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        targets, logits = self.head(self.neck(self.backbone(x)))
        if self.training:
            return targets, logits
        yx = targets[:, :, :2] * (CENTRE * self.hw) + self.yx
        half = torch.exp(targets[:, :, 2:] * SIZE) * self.hw * 0.5
        return torch.cat([yx - half, yx + half], 2).clamp(0, 1), torch.sigmoid(logits)


def load(weights: str) -> Detector:
    """The network with the parameters of the .npz file `weights`, named as in MindSpore; its
    anchors are in anchors.npy.
    """
    state = {}
    with np.load(weights, allow_pickle=False) as values:
        for name, value in values.items():
            stem, leaf = name.removeprefix("network.").rsplit(".", 1)
            state[f"{stem}.{LEAVES.get(leaf, leaf)}"] = torch.from_numpy(value)
    return load_state(Detector(np.load("anchors.npy")), state)


def loss(
    outputs: tuple[torch.Tensor, torch.Tensor],
    box: torch.Tensor,
    label: torch.Tensor,
    num_match: torch.Tensor,
) -> torch.Tensor:
    """Focal loss of all anchors and classes, and smooth L1 of those that have a box, over their
    number (arXiv:1708.02002).
    """
    targets, logits = outputs
    truth = F.one_hot(label.long(), logits.shape[-1]).to(logits.dtype)
    cross_entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    probability = torch.sigmoid(logits)
    miss = truth + probability - 2 * truth * probability
    weight = (1 - ALPHA) + (2 * ALPHA - 1) * truth
    class_loss = (weight * miss**GAMMA * cross_entropy).sum()
    box_loss = F.smooth_l1_loss(targets, box, reduction="none").mean(-1)
    return (class_loss + (box_loss * (label > 0)).sum()) / num_match.sum().clamp(min=1)


def create_optimizer(network: nn.Module) -> torch.optim.Optimizer:
    """That of the recipe."""
    return torch.optim.SGD(network.parameters(), lr=RATE, momentum=0.9, weight_decay=DECAY)
