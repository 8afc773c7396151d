# Copied from utils/vendored/cpu_cells.py by `make vendor`: change it there.
"""What computes by the kernels of cpu_kernels in place of MindSpore's operators."""

from __future__ import annotations

import math
from pathlib import Path

import mindspore as ms
from mindspore import nn, ops

from .cpu_custom import (
    convolution_kernels,
    geometry_of,
    is_plain,
    norm_kernel,
    pool_geometry,
    pool_kernel,
    predicting_kernels,
    training_norm_kernel,
)

ONEDNN = "libdnnl.so.3"  # as MindSpore loads it with its CPU operators
LIMITS = {nn.Identity: (-math.inf, math.inf), nn.ReLU: (0.0, math.inf), nn.ReLU6: (0.0, 6.0)}
SMALL = 32  # pixels, below which a product of matrices for each image does too little at a time
WIDE = 256  # channels, from which 1 x 1 filters gain more by bfloat16 than rounding takes


def has_onednn() -> bool:
    """Whether MindSpore has loaded oneDNN."""
    return ONEDNN in Path("/proc/self/maps").read_text()


def limits_of(epsilon: float, activation: type) -> ms.Tensor:
    """What a norm's kernel takes besides its parameters, of `activation`, one of LIMITS: float32
    (3,), epsilon, the floor and the ceiling.
    """
    return ms.Tensor([epsilon, *LIMITS[activation]], ms.float32)


class Convolution(nn.Cell):
    """What `own` computes, an ops.Conv2D: (N, C, H, W) by (O, C / groups, K, L) to (N, O, H', W').

    By `own` itself where types are not float32, and in float32 filters of 1 x 1 at strides: nothing
    is gained there by other layouts. With `bfloat16`, what trains rounds x, w and the gradient of
    the outputs to it, and sums in float32; not what is depthwise, or narrow and 1 x 1.
    """

    def __init__(self, own: ops.Conv2D, path: str, bfloat16: bool = False):
        super().__init__()
        self.own = own
        self.form = (own.stride[2:], own.dilation[2:], own.pad_mode, own.padding)
        self.has_onednn, self.bfloat16 = has_onednn(), bfloat16
        self.kernel, self.pointwise, self.depthwise = convolution_kernels(path, self.form)

    def construct(self, x, w):
        if x.dtype != ms.float32 or w.dtype != ms.float32:
            return self.by_own(x, w)
        if w.shape[:2] == (x.shape[1], 1):
            return self.by_kernel(self.depthwise, x, w, False)
        kernel, bfloat16 = self.kernel, self.bfloat16 and self.training
        if w.shape[2:] == (1, 1):
            bfloat16 = bfloat16 and min(w.shape[:2]) >= WIDE
            is_product = w.shape[1] == x.shape[1] and is_plain(x.shape, w.shape, *self.form)
            if not is_product and not bfloat16:
                return self.by_own(x, w)
            if is_product and x.shape[2] * x.shape[3] >= SMALL:
                kernel = self.pointwise
        if not self.has_onednn:
            return self.by_own(x, w)
        return self.by_kernel(kernel, x, w, bfloat16)

    def by_own(self, x: ms.Tensor, w: ms.Tensor) -> ms.Tensor:
        """By MindSpore's operator."""
        return self.own(x, w)

    def by_kernel(
        self, kernel: ops.Custom, x: ms.Tensor, w: ms.Tensor, bfloat16: bool
    ) -> ms.Tensor:
        """By one of convolution_kernels."""
        return kernel(x, w, geometry_of(bfloat16, x.shape, w.shape, *self.form))


class MaxPool(nn.Cell):
    """What `own` computes, an ops.MaxPool: (N, C, H, W) to (N, C, H', W').

    By `own` itself where the type is not float32.
    """

    def __init__(self, own: ops.MaxPool, path: str):
        super().__init__()
        self.own = own
        self.form = (own.kernel_size, own.strides[2:], own.pad_mode.lower())
        self.kernel = pool_kernel(path, *self.form)

    def construct(self, x):
        if x.dtype != ms.float32:
            return self.own(x)
        return self.kernel(x, pool_geometry(x.shape, *self.form))


class Norm(nn.Cell):
    """What `own` computes, an ops.BatchNorm by moving statistics, then `activation`, one of LIMITS:
    (N, C, H, W) to the same shape.

    By these themselves where the type is not float32.
    """

    def __init__(self, own: ops.BatchNorm, path: str, activation: nn.Cell):
        super().__init__()
        self.own, self.activation = own, activation
        self.limits = limits_of(own.epsilon, type(activation))
        self.kernel = norm_kernel(path, not isinstance(activation, nn.Identity))

    def construct(self, x, gamma, beta, mean, variance):
        if x.dtype != ms.float32 or gamma.dtype != ms.float32:
            return (self.activation(self.own(x, gamma, beta, mean, variance)[0]),)
        return (self.kernel(x, gamma, beta, mean, variance, self.limits),)


class ConvolutionNorm(Convolution):
    """What a Convolution and then `norm` make of images; without gradients."""

    def __init__(self, own: ops.Conv2D, path: str, norm: Norm):
        super().__init__(own, path)
        self.kernel, self.pointwise, self.depthwise = predicting_kernels(path, self.form)
        self.norm, self.limits = norm, norm.limits

    def use_parameters(self, norm: nn.BatchNorm2d) -> None:
        """Those of `norm`, once this cell has its place: what it holds is renamed then."""
        self.mean, self.variance = norm.moving_mean, norm.moving_variance
        self.gamma, self.beta = norm.gamma, norm.beta

    def by_own(self, x: ms.Tensor, w: ms.Tensor) -> ms.Tensor:
        y = self.own(x, w)
        return self.norm(y, self.gamma, self.beta, self.mean, self.variance)[0]

    def by_kernel(
        self, kernel: ops.Custom, x: ms.Tensor, w: ms.Tensor, bfloat16: bool
    ) -> ms.Tensor:
        geometry = geometry_of(bfloat16, x.shape, w.shape, *self.form)
        moving = (self.mean, self.variance)
        return kernel(x, w, geometry, self.gamma, self.beta, *moving, self.limits)


class NoNorm(nn.Cell):
    """In place of a Norm that a convolution before it has computed."""

    def construct(self, x, *_):
        return (x,)


class TrainingNorm(Norm):
    """What `own` computes, an ops.BatchNorm by the batch's statistics, then `activation`, one of
    LIMITS: (N, C, H, W) to the same shape; `mean` and `variance` are moved by `own.momentum`
    towards the batch's.

    By these themselves where the type is not float32, and for one value a channel.
    """

    def __init__(self, own: ops.BatchNorm, path: str, activation: nn.Cell):
        super().__init__(own, path, activation)
        self.momentum = own.momentum
        self.kernel = training_norm_kernel(path)

    def construct(self, x, gamma, beta, mean, variance):
        count = x.size // x.shape[1]
        if x.dtype != ms.float32 or gamma.dtype != ms.float32 or count == 1:
            return (self.activation(self.own(x, gamma, beta, mean, variance)[0]),)
        y, batch_mean, batch_variance = self.kernel(x, gamma, beta, self.limits)
        unbiased = batch_variance * (count / (count - 1))
        y = ops.depend(y, ops.assign_sub(mean, self.momentum * (mean - batch_mean)))
        y = ops.depend(y, ops.assign_sub(variance, self.momentum * (variance - unbiased)))
        return (y,)
