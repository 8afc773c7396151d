# Copied from utils/vendored/cpu_operators.py by `make vendor`: change it there.
"""Networks on the kernels of cpu_kernels, where these have been built."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from .cpu_kernels import has_bfloat16, library
from .launch import UserError

ONEDNN = "libdnnl.so.3"  # as MindSpore loads it with its CPU operators
WIDE = 256  # channels, from which 1 x 1 filters gain more by bfloat16 than rounding takes


def use_cpu_kernels(network: nn.Cell, bfloat16: bool = False) -> nn.Cell:
    """`network` itself, its convolutions and batch norms computed by the kernels; as it is on
    other devices, and where the kernels have not been built.

    Parameters keep their names and values, results are the same but for rounding. To be called
    after to_float and before the network is; not for what is exported, in which only MindSpore's
    operators may be. With `bfloat16`, convolutions that train multiply in it; raises UserError
    where they cannot.
    """
    kernels = library()
    if bfloat16:
        _require_bfloat16(kernels)
    if ms.get_context("device_target") != "CPU" or not kernels.is_file():
        return network
    path = str(kernels)
    cells = [cell for _, cell in network.cells_and_names()]
    for cell in cells:
        if isinstance(cell, (Convolution, Norm, TrainingNorm)) or _has_own_type(cell):
            continue
        for name, own in list(vars(cell).items()):
            if isinstance(own, ops.Conv2D):
                setattr(cell, name, Convolution(own, path, bfloat16))
            elif isinstance(own, ops.BatchNorm):
                setattr(cell, name, (TrainingNorm if own.is_training else Norm)(own, path))
    return network


def _require_bfloat16(kernels):
    if ms.get_context("device_target") != "CPU":
        raise UserError("--cpu_bfloat16 is for --device_target CPU; leave it out")
    if not has_bfloat16() or not _has_onednn():
        raise UserError("this processor does not multiply in bfloat16; leave --cpu_bfloat16 out")
    if not kernels.is_file():
        raise UserError(
            "--cpu_bfloat16 wants the CPU kernels; in the model folder: python -m"
            " src.vendored.cpu_kernels"
        )


def _has_onednn():
    return ONEDNN in Path("/proc/self/maps").read_text()


def _has_own_type(cell):
    """Whether to_float chose one: then MindSpore casts the inputs of its operators in `cell`."""
    return any(cell.get_flags().get(name) for name in ("fp16", "bf16", "fp32"))


def _kernel(path, name, shapes, outputs, bprop=None):
    """The float32 operator `name`; `shapes` maps shapes of inputs to those of `outputs`."""
    types = ms.float32 if outputs == 1 else (ms.float32,) * outputs
    return ops.Custom(f"{path}:{name}", shapes, lambda *_: types, "aot", bprop)


# One for all cells of a form, as MindSpore compiles the gradient of each operator anew.
@cache
def _convolution_kernels(path, form):
    """(that of any filters, of 1 x 1, depthwise) for convolutions of a `form`, see Convolution."""

    def shape(x, w, _):
        return [x[0], w[0], *(count for count, _ in _extents(x, w, *form))]

    def by_onednn(name):
        to_x = _kernel(path, f"{name}BackwardData", lambda x, *_: x, 1)
        to_w = _kernel(path, f"{name}BackwardWeights", lambda x, w, *_: w, 1)

        def bprop(x, w, geometry, y, dy):
            dx, dw = to_x(x, w, geometry, dy), to_w(x, w, geometry, dy)
            return dx, dw, ops.zeros_like(geometry)

        return _kernel(path, f"{name}Forward", shape, 1, bprop)

    to_both = _kernel(path, "DepthwiseBackward", lambda x, w, *_: (x, w), 2)

    def depthwise_bprop(x, w, geometry, y, dy):
        dx, dw = to_both(x, w, geometry, dy)
        return dx, dw, ops.zeros_like(geometry)

    depthwise = _kernel(path, "DepthwiseForward", shape, 1, depthwise_bprop)
    return by_onednn("Convolution"), by_onednn("Pointwise"), depthwise


@cache
def _norm_kernel(path):
    """That of Norm."""

    def bprop(x, gamma, beta, mean, variance, epsilon, y, dy):
        inverse = ops.rsqrt(variance + epsilon)
        centred = x - mean.reshape(1, -1, 1, 1)
        dx = dy * (gamma * inverse).reshape(1, -1, 1, 1)
        dgamma, dbeta = (dy * centred).sum((0, 2, 3)) * inverse, dy.sum((0, 2, 3))
        zeros = ops.zeros_like(mean)
        return dx, dgamma, dbeta, zeros, zeros, ops.zeros_like(epsilon)

    return _kernel(path, "BatchNormInference", lambda x, *_: x, 1, bprop)


@cache
def _training_norm_kernel(path):
    """That of TrainingNorm."""

    backward = _kernel(path, "BatchNormBackward", lambda x, gamma, *_: (x, gamma, gamma), 3)

    def bprop(x, gamma, beta, epsilon, outputs, gradients):
        _, mean, variance = outputs
        dx, dgamma, dbeta = backward(x, gamma, epsilon, mean, variance, gradients[0])
        return dx, dgamma, dbeta, ops.zeros_like(epsilon)

    return _kernel(path, "BatchNormForward", lambda x, gamma, *_: (x, gamma, gamma), 3, bprop)


def _extent(size, kernel, stride, dilation, mode, before, after):
    """(outputs along an axis, padding before it), as ops.Conv2D has them."""
    reach = (kernel - 1) * dilation + 1
    if mode == "same":
        count = -(-size // stride)
        return count, max((count - 1) * stride + reach - size, 0) // 2
    return (size + before + after - reach) // stride + 1, before


@ops.constexpr
def _geometry(bfloat16, image, window, *form):
    """The third input of the convolutions' kernels."""
    (_, top), (_, left) = _extents(image, window, *form)
    strides, dilations, *_ = form
    return ms.Tensor(np.array([*strides, top, left, *dilations, bfloat16], np.int64))


@ops.constexpr
def _is_plain(image, window, *form):
    """Whether there is an output for each pixel, without padding."""
    return _extents(image, window, *form) == [(size, 0) for size in image[2:]]


def _extents(image, window, strides, dilations, mode, padding):
    sides = (padding[:2], padding[2:])
    return [
        _extent(*axis, mode, *side)
        for *axis, side in zip(image[2:], window[2:], strides, dilations, sides)
    ]


class Convolution(nn.Cell):
    """What `own` computes, an ops.Conv2D: (N, C, H, W) by (O, C / groups, K, L) to (N, O, H', W').

    By `own` itself where types are not float32, and filters of 1 x 1 at strides: nothing is gained
    there by other layouts. With `bfloat16`, what trains rounds x, w and the gradient of the outputs
    to it, and sums in float32; not what is depthwise, or narrow and 1 x 1.
    """

    def __init__(self, own: ops.Conv2D, path: str, bfloat16: bool = False):
        super().__init__()
        self.own = own
        self.form = (own.stride[2:], own.dilation[2:], own.pad_mode, own.padding)
        self.has_onednn, self.bfloat16 = _has_onednn(), bfloat16
        self.kernel, self.pointwise, self.depthwise = _convolution_kernels(path, self.form)

    def construct(self, x, w):
        if x.dtype != ms.float32 or w.dtype != ms.float32:
            return self.own(x, w)
        if w.shape[:2] == (x.shape[1], 1):
            return self.depthwise(x, w, _geometry(False, x.shape, w.shape, *self.form))
        kernel, bfloat16 = self.kernel, self.bfloat16 and self.training
        if w.shape[1:] == (x.shape[1], 1, 1) and _is_plain(x.shape, w.shape, *self.form):
            kernel, bfloat16 = self.pointwise, bfloat16 and min(w.shape[:2]) >= WIDE
        elif w.shape[2:] == (1, 1) and not bfloat16:
            return self.own(x, w)
        if not self.has_onednn:
            return self.own(x, w)
        return kernel(x, w, _geometry(bfloat16, x.shape, w.shape, *self.form))


class Norm(nn.Cell):
    """What `own` computes, an ops.BatchNorm by moving statistics: (N, C, H, W) to the same shape.

    By `own` itself where the type is not float32.
    """

    def __init__(self, own: ops.BatchNorm, path: str):
        super().__init__()
        self.own = own
        self.epsilon = ms.Tensor([own.epsilon], ms.float32)
        self.kernel = _norm_kernel(path)

    def construct(self, x, gamma, beta, mean, variance):
        if x.dtype != ms.float32 or gamma.dtype != ms.float32:
            return self.own(x, gamma, beta, mean, variance)
        return (self.kernel(x, gamma, beta, mean, variance, self.epsilon),)


class TrainingNorm(nn.Cell):
    """What `own` computes, an ops.BatchNorm by the batch's statistics: (N, C, H, W) to the same
    shape; `mean` and `variance` are moved by `own.momentum` towards the batch's.

    By `own` itself where the type is not float32, and for one value a channel.
    """

    def __init__(self, own: ops.BatchNorm, path: str):
        super().__init__()
        self.own, self.momentum = own, own.momentum
        self.epsilon = ms.Tensor([own.epsilon], ms.float32)
        self.kernel = _training_norm_kernel(path)

    def construct(self, x, gamma, beta, mean, variance):
        count = x.size // x.shape[1]
        if x.dtype != ms.float32 or gamma.dtype != ms.float32 or count == 1:
            return self.own(x, gamma, beta, mean, variance)
        y, batch_mean, batch_variance = self.kernel(x, gamma, beta, self.epsilon)
        unbiased = batch_variance * (count / (count - 1))
        y = ops.depend(y, ops.assign_sub(mean, self.momentum * (mean - batch_mean)))
        y = ops.depend(y, ops.assign_sub(variance, self.momentum * (variance - unbiased)))
        return (y,)
