"""The blocks that FishNet is made of: pre-activation bottlenecks, and what stands between them. In
training an image may skip a bottleneck (set_drop_path).
"""

import mindspore.nn as nn
import mindspore.ops as ops
from mindspore.common.initializer import HeUniform

from src.vendored.random_drop import RandomDrop


def conv(
    in_channels: int,
    out_channels: int,
    kernel_size: int = 1,
    stride: int = 1,
    dilation: int = 1,
    has_bias: bool = False,
) -> nn.Conv2d:
    """Convolution, zero-padded, He-uniform: (N, C_in, H, W) to (N, C_out, ceil(H/stride),
    ceil(W/stride)).
    """
    return nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride,
        pad_mode="pad",
        padding=dilation * (kernel_size // 2),
        dilation=dilation,
        has_bias=has_bias,
        weight_init=HeUniform(),
        bias_init="zeros",
    )


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm over (N, C, H, W); a tenth of the moving statistics is renewed at each step."""
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.9, affine=True, use_batch_statistics=None)


def pre_activation_conv(
    in_channels: int, out_channels: int, kernel_size: int = 1, dilation: int = 1
) -> nn.SequentialCell:
    """Batch norm, ReLU, convolution."""
    return nn.SequentialCell(
        batch_norm(in_channels),
        nn.ReLU(),
        conv(in_channels, out_channels, kernel_size, dilation=dilation),
    )


def bottleneck(in_channels: int, out_channels: int, dilation: int = 1) -> nn.SequentialCell:
    """The residual branch of every block: to a quarter of the output's channels, 3x3, to the
    output's channels.
    """
    middle = out_channels // 4
    return nn.SequentialCell(
        pre_activation_conv(in_channels, middle),
        pre_activation_conv(middle, middle, 3, dilation),
        pre_activation_conv(middle, out_channels),
    )


class IdentityBlock(nn.Cell):
    """Bottleneck plus its input: (N, C, H, W) to the same."""

    def __init__(self, channels: int):
        super().__init__()
        self.layers_ = bottleneck(channels, channels)
        self.drop = RandomDrop(whole_images=True)

    def construct(self, x):
        return self.drop(self.layers_(x)) + x


class ProjectionBlock(nn.Cell):
    """Bottleneck plus a 1x1 convolution of its input: (N, C_in, H, W) to (N, C_out, H, W)."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.layers = bottleneck(in_channels, out_channels)
        self.drop = RandomDrop(whole_images=True)
        self.shortcut = pre_activation_conv(in_channels, out_channels)

    def construct(self, x):
        return self.drop(self.layers(x)) + self.shortcut(x)


class ChannelSumBlock(nn.Cell):
    """Bottleneck plus sums of k = C_in / C_out adjacent channels of its input: (N, C_in, H, W) to
    (N, C_out, H, W).

    The refinement of the paper's UR-blocks, which reduces channels without a convolution on the
    shortcut.
    """

    def __init__(self, in_channels: int, out_channels: int, dilation: int):
        super().__init__()
        self.layers = bottleneck(in_channels, out_channels, dilation)
        self.drop = RandomDrop(whole_images=True)
        self.split = ops.Split(axis=1, output_num=in_channels // out_channels)
        self.out_channels, self.k = out_channels, in_channels // out_channels

    def construct(self, x):
        n, _, h, w = x.shape
        # Adding parts takes a fifth of ReduceSum's time on CPU.
        parts = self.split(x.reshape(n * self.out_channels, self.k, h * w))
        shortcut = parts[0]
        for part in parts[1:]:
            shortcut = shortcut + part
        return self.drop(self.layers(x)) + shortcut.reshape(n, self.out_channels, h, w)


class GlobalAverage(nn.Cell):
    """Mean over height and width: (N, C, H, W) to (N, C, 1, 1)."""

    def construct(self, x):
        return x.mean((2, 3), True)
