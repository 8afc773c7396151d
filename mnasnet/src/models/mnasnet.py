"""MnasNet: a mobile network whose blocks were found by search (https://arxiv.org/abs/1807.11626).

`Mnasnet()` is the network of this folder: MnasNet-B1 with two departures, a bias in the first
convolution and a full 3x3 convolution where the paper's first separable block projects with a 1x1
one. `mnasnet_b1()` is the paper's network, layer for layer that of torchvision and timm, in four
widths.
"""

import math
from types import SimpleNamespace

import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops
from mindspore.common.initializer import Normal

from src.vendored.random_drop import RandomDrop

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
STEM_CHANNELS, SEPARABLE_CHANNELS, HEAD_CHANNELS = 32, 16, 1280
CLASSIFIER = ("fc.weight", "fc.bias")  # what depends on the classes


def scaled_channels(channels: int, depth_multiplier: float) -> int:
    """`channels` times `depth_multiplier`, to the nearest multiple of 8 that loses at most a
    tenth (as torchvision).
    """
    wanted = channels * depth_multiplier
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8


def conv(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    group: int = 1,
    has_bias: bool = False,
) -> nn.Conv2d:
    """Convolution with zero padding of half the kernel: (N, C_in, H, W) to (N, C_out,
    ceil(H/stride), ceil(W/stride)).

    He initialisation over the fan-out of one group, as in the authors' code, whose recipe (RMSProp,
    a warm-up to a rate of about 0.2) is this folder's too. Said here because MindSpore's default
    changed between versions, and because ready-made rules ignore groups: batch norm makes a step
    count relative to the size of the weight, and depthwise kernels drawn by those rules would be 6
    to 34 times smaller, so move that much faster than the rest.
    """
    fan_out = kernel_size * kernel_size * out_channels // group
    return nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride,
        pad_mode="pad",
        padding=kernel_size // 2,
        group=group,
        has_bias=has_bias,
        weight_init=Normal(math.sqrt(2 / fan_out)),
        bias_init="zeros",
    )


def batch_norm(channels: int, momentum: float) -> nn.BatchNorm2d:
    """Batch norm over (N, C, H, W); `momentum` is the part of the moving statistics kept at each
    step.
    """
    return nn.BatchNorm2d(
        channels, eps=1e-5, momentum=momentum, affine=True, use_batch_statistics=None
    )


class Stem(nn.Cell):
    """First convolution, halving the image: (N, 3, H, W) to (N, channels, H/2, W/2)."""

    def __init__(self, channels: int, has_bias: bool, bn_momentum: float):
        super().__init__()
        self.conv = conv(3, channels, 3, stride=2, has_bias=has_bias)
        self.bn = batch_norm(channels, bn_momentum)
        self.relu = nn.ReLU()

    def construct(self, x):
        return self.relu(self.bn(self.conv(x)))


class SeparableBlock(nn.Cell):
    """Depthwise 3x3, then a linear projection: (N, C_in, H, W) to (N, C_out, H, W)."""

    def __init__(
        self, in_channels: int, out_channels: int, projection_kernel: int, bn_momentum: float
    ):
        super().__init__()
        self.sequence = nn.SequentialCell(
            conv(in_channels, in_channels, 3, group=in_channels),
            batch_norm(in_channels, bn_momentum),
            nn.ReLU(),
            conv(in_channels, out_channels, projection_kernel),
            batch_norm(out_channels, bn_momentum),
        )

    def construct(self, x):
        return self.sequence(x)


class InvertedResidual(nn.Cell):
    """Expand by 1x1, filter depthwise, project by 1x1: (N, C_in, H, W) to (N, C_out, H/stride,
    W/stride).

    The input is added where it has the output's shape; there an image may skip the block in
    training (set_drop_path).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int,
        expansion: int,
        bn_momentum: float,
    ):
        super().__init__()
        middle = in_channels * expansion
        self.conv = nn.SequentialCell(
            conv(in_channels, middle, 1),
            batch_norm(middle, bn_momentum),
            nn.ReLU(),
            conv(middle, middle, kernel_size, stride, group=middle),
            batch_norm(middle, bn_momentum),
            nn.ReLU(),
            conv(middle, out_channels, 1),
            batch_norm(out_channels, bn_momentum),
        )
        self.has_shortcut = stride == 1 and in_channels == out_channels
        if self.has_shortcut:
            self.drop = RandomDrop(whole_images=True)

    def construct(self, x):
        return x + self.drop(self.conv(x)) if self.has_shortcut else self.conv(x)


class Mnasnet(nn.Cell):
    """Image classifier: float (N, 3, H, W), RGB in -1..1, to logits (N, class_num).

    Any H and W from 32 up; the map before the average is 1/32 of the image (7x7 at 224).

    Args:
        class_num: number of logits.
        depth_multiplier: factor on the channels of all stages but the last 1x1 convolution.
        pointwise_projection: project the first separable block by 1x1 (the paper) instead of by
            3x3.
        stem_bias: give the first convolution a bias.
        bn_momentum: part of the batch norms' moving statistics kept at each step.
        dropout: probability of dropping a feature before the last layer, in training.
    """

    def __init__(
        self,
        class_num: int = 1000,
        depth_multiplier: float = 1.0,
        pointwise_projection: bool = False,
        stem_bias: bool = True,
        bn_momentum: float = 0.9,
        dropout: float = 0.0,
    ):
        super().__init__()
        channels = scaled_channels(STEM_CHANNELS, depth_multiplier)
        out_channels = scaled_channels(SEPARABLE_CHANNELS, depth_multiplier)
        blocks = [
            Stem(channels, stem_bias, bn_momentum),
            SeparableBlock(channels, out_channels, 1 if pointwise_projection else 3, bn_momentum),
        ]
        channels = out_channels
        for kernel_size, expansion, width, repeats, first_stride in STAGES:
            out_channels = scaled_channels(width, depth_multiplier)
            for index in range(repeats):
                stride = first_stride if index == 0 else 1
                blocks.append(
                    InvertedResidual(
                        channels, out_channels, kernel_size, stride, expansion, bn_momentum
                    )
                )
                channels = out_channels
        self.features = nn.SequentialCell(blocks)
        self.conv1 = nn.SequentialCell(
            conv(channels, HEAD_CHANNELS, 1), batch_norm(HEAD_CHANNELS, bn_momentum), nn.ReLU()
        )
        self.mean = ops.ReduceMean(keep_dims=False)
        self.dropout = RandomDrop(dropout)
        # Small weights: the loss starts at log(class_num) whatever the features.
        self.fc = nn.Dense(HEAD_CHANNELS, class_num, weight_init=Normal(0.01), bias_init="zeros")

    def maps(self, x: ms.Tensor) -> ms.Tensor:
        return self.conv1(self.features(x))  # (N, 1280, H/32, W/32)

    def classify(self, maps: ms.Tensor) -> ms.Tensor:
        x = self.mean(maps, (2, 3))  # as the published 7x7 average at 224; allows other sizes
        return self.fc(self.dropout(x))

    def construct(self, x):
        return self.classify(self.maps(x))


def mnasnet_b1(
    class_num: int = 1000, depth_multiplier: float = 1.0, bn_momentum: float = 0.9997
) -> Mnasnet:
    """The paper's MnasNet-B1, layer for layer torchvision's mnasnet0_5, 0_75, 1_0 and 1_3."""
    return Mnasnet(
        class_num,
        depth_multiplier,
        pointwise_projection=True,
        stem_bias=False,
        bn_momentum=bn_momentum,
        dropout=0.2,
    )


def build_network(config: SimpleNamespace) -> Mnasnet:
    """The network that `config` describes: the documented one, or with `mnasnet_b1` the paper's."""
    build = mnasnet_b1 if config.mnasnet_b1 else Mnasnet
    return build(config.class_num, config.depth_multiplier, bn_momentum=config.bn_momentum)


def prepare_for_export(network: Mnasnet) -> Mnasnet:
    """`network` itself: nothing in it is written for speed on CPU."""
    return network
