"""Split attention, the block's 3x3 convolution in ResNeSt (https://arxiv.org/abs/2004.08955,
section 3.1, figure 2).

Cardinality 1 and radix 2, as in every published ResNeSt: two branches, weighted against each other
in each channel.
"""

from __future__ import annotations

import math

import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops
import numpy as np
from mindspore.common.initializer import Normal

from src.vendored.cpu_cells import limits_of
from src.vendored.cpu_custom import geometry_of, split_attention_kernels

RADIX = 2
REDUCTION = 4


def conv(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    stride: int = 1,
    has_bias: bool = False,
    fan_out: int | None = None,
) -> nn.Conv2d:
    """Convolution with zero padding of half the kernel: (N, C_in, H, W) to (N, C_out,
    ceil(H/stride), ceil(W/stride)).

    Weights are drawn as in the authors' release, from a normal distribution of variance 2 /
    fan_out, where fan_out is k * k * C_out unless given. Batch norm cancels the size of the weights
    in the output but not in the step of the optimiser, which is relative to it: the documented
    learning rate belongs to this size.
    """
    fan_out = fan_out or kernel_size * kernel_size * out_channels
    return nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride,
        pad_mode="pad",
        padding=kernel_size // 2,
        has_bias=has_bias,
        weight_init=Normal(math.sqrt(2 / fan_out)),
        bias_init="zeros",
    )


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm over (N, C, H, W); 0.9 of the moving statistics is kept at each step."""
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.9, affine=True, use_batch_statistics=None)


class GroupConv(nn.Cell):
    """Convolution in `groups` groups, one parameter `convs.<group>.weight` each: (N, C_in, H, W) to
    (N, C_out, H, W).

    It joins the weights and convolves once: for a batch, that copies less than to split images and
    to join results.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        groups: int = 1,
        has_bias: bool = False,
    ):
        super().__init__()
        fan_out = kernel_size * kernel_size * out_channels
        self.convs = nn.CellList(
            [
                conv(
                    in_channels // groups,
                    out_channels // groups,
                    kernel_size,
                    has_bias=has_bias,
                    fan_out=fan_out,
                )
                for _ in range(groups)
            ]
        )
        self.groups = groups
        self.joined = ops.Conv2D(
            out_channels,
            (kernel_size, kernel_size),
            pad_mode="pad",
            pad=kernel_size // 2,
            group=groups,
        )

    def construct(self, x):
        if self.groups == 1:
            return self.convs[0](x)
        return self.joined(x, ops.concat([cell.weight for cell in self.convs], 0))


@ops.constexpr
def equal_shares(count: int) -> ms.Tensor:
    """float32 (count, 1), each 1 / count."""
    return ms.Tensor(np.full((count, 1), 1 / count, np.float32))


class GlobalMean(nn.Cell):
    """Mean over height and width: (N, C, H, W) to (N, C, 1, 1).

    Written as a product of matrices: on CPU, ReduceMean takes as long as a tenth of all
    convolutions.
    """

    def __init__(self):
        super().__init__()
        self.product = ops.MatMul()

    def construct(self, x):
        batch, channels, height, width = x.shape
        shares = equal_shares(height * width).astype(x.dtype)
        return self.product(x.reshape(batch * channels, height * width), shares).reshape(
            batch, channels, 1, 1
        )


class rSoftMax(nn.Cell):  # noqa: N801 - the documented name
    """Softmax over the radix: attention logits (N, 2C, 1, 1) to the first branch's share (N, C, 1,
    1), in 0..1.

    The other branch gets the rest: a softmax of two values is the sigmoid of their difference.
    """

    def __init__(self):
        super().__init__()
        self.split = ops.Split(axis=1, output_num=RADIX)

    def construct(self, x):
        first, second = self.split(x)
        return ops.sigmoid(first - second)


class BranchNorm(nn.Cell):
    """Batch norm by the moving statistics of a branch, and ReLU: (N, C, H, W) to the same shape."""

    IN_A_ROW = (("normalize", "relu"),)  # for use_cpu_kernels

    def __init__(self, epsilon: float):
        super().__init__()
        self.normalize = ops.BatchNorm(is_training=False, epsilon=epsilon)
        self.relu = nn.ReLU()

    def construct(self, x, gamma, beta, mean, variance):
        return self.relu(self.normalize(x, gamma, beta, mean, variance)[0])


class SplAtConv2d(nn.Cell):
    """Split-attention convolution: (N, channels, H, W) to the same shape.

    Args:
        channels: C; each branch convolves its half of the input channels to C.
        attention_bias: whether fc1 and fc2 have a bias, as in the weights published for PyTorch.
    """

    IN_A_ROW = (("bn0", "relu0"), ("bn1", "relu1"))  # for use_cpu_kernels

    def __init__(self, channels: int, attention_bias: bool = False):
        super().__init__()
        hidden = max(channels * RADIX // REDUCTION, 32)
        self.conv = GroupConv(channels, channels * RADIX, 3, groups=RADIX)
        self.bn0 = batch_norm(channels * RADIX)
        self.relu0 = nn.ReLU()
        self.branch_norm = BranchNorm(self.bn0.eps)
        self.fc1 = GroupConv(channels, hidden, 1, has_bias=attention_bias)
        self.bn1 = batch_norm(hidden)
        self.relu1 = nn.ReLU()
        self.fc2 = GroupConv(hidden, channels * RADIX, 1, has_bias=attention_bias)
        self.rsoftmax = rSoftMax()
        self.split = ops.Split(axis=1, output_num=RADIX)
        self.halve = ops.Split(axis=0, output_num=RADIX)
        self.mean = GlobalMean()
        self.kernels = None

    def predict_by(self, path: str) -> None:
        """Compute float32 images by the kernels of the library `path`, see use_cpu_kernels."""
        self.kernels = split_attention_kernels(path)
        self.limits = [limits_of(norm.eps, nn.ReLU) for norm in (self.bn0, self.bn1)]
        layers = [layer.convs[0] for layer in (self.fc1, self.fc2)]
        self.no_bias = [ms.Tensor(np.zeros(layer.out_channels, np.float32)) for layer in layers]

    def branches(self, x: ms.Tensor) -> list:
        """Both branches, (N, C, H, W) each, from (N, C, H, W)."""
        if self.training:
            return self.split(self.relu0(self.bn0(self.conv(x))))
        # Each branch by itself: for one image, joining and splitting would cost as much as a
        # convolution, and runtimes fuse a convolution with the batch norm after it.
        norm = self.bn0
        parts = zip(
            self.split(x),
            self.conv.convs,
            self.halve(norm.gamma),
            self.halve(norm.beta),
            self.halve(norm.moving_mean),
            self.halve(norm.moving_variance),
        )
        return [self.branch_norm(convolution(part), *rest) for part, convolution, *rest in parts]

    def construct(self, x):
        if self.kernels is not None and x.dtype == ms.float32:
            return self.by_kernels(x)
        first, second = self.branches(x)
        pooled = self.mean(first + second)  # (N, C, 1, 1)
        share = self.rsoftmax(self.fc2(self.relu1(self.bn1(self.fc1(pooled)))))
        # The share times first plus the rest times second, with one product over the images instead
        # of two.
        return second + share * (first - second)

    def by_kernels(self, x: ms.Tensor) -> ms.Tensor:
        """The same by two operators, in place of some twenty: each costs one image a wait."""
        form = ((1, 1), (1, 1), "pad", (1, 1, 1, 1))
        first, second = self.conv.convs[0].weight, self.conv.convs[1].weight
        part = (x.shape[0], x.shape[1] // RADIX, *x.shape[2:])
        geometry = geometry_of(False, part, first.shape, *form)
        branches = self.kernels[0](
            x, first, geometry, *self.norm_of(self.bn0), self.limits[0], second
        )
        to_hidden, to_logits = self.fc1.convs[0], self.fc2.convs[0]
        return self.kernels[1](
            branches,
            to_hidden.weight,
            to_hidden.bias if to_hidden.has_bias else self.no_bias[0],
            *self.norm_of(self.bn1),
            self.limits[1],
            to_logits.weight,
            to_logits.bias if to_logits.has_bias else self.no_bias[1],
        )

    def norm_of(self, norm: nn.BatchNorm2d) -> tuple:
        """What the kernels take of `norm`, (channels,) each."""
        return norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance
