# Copied from utils/vendored/cpu_custom.py by `make vendor`: change it there.
"""The kernels of cpu_kernels as MindSpore's operators, with their gradients."""

from __future__ import annotations

from functools import cache

import mindspore as ms
import numpy as np
from mindspore import ops


def _kernel(path, name, shapes, outputs, bprop=None):
    """The float32 operator `name`; `shapes` maps shapes of inputs to those of `outputs`."""
    types = ms.float32 if outputs == 1 else (ms.float32,) * outputs
    return ops.Custom(f"{path}:{name}", shapes, lambda *_: types, "aot", bprop)


# One for all cells of a form, as MindSpore compiles the gradient of each operator anew.
@cache
def convolution_kernels(path: str, form: tuple) -> tuple[ops.Custom, ops.Custom, ops.Custom]:
    """(that of any filters, of 1 x 1, depthwise) for convolutions of a `form`, see Convolution."""

    shape = _outputs_of(form)

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
def predicting_kernels(path: str, form: tuple) -> list[ops.Custom]:
    """The same with more inputs, gamma, beta, mean, variance and limits of a Norm, which follows;
    without gradients.
    """
    names = ("Convolution", "Pointwise", "Depthwise")
    return [_kernel(path, f"{name}Forward", _outputs_of(form), 1) for name in names]


@cache
def split_attention_kernels(path: str) -> tuple[ops.Custom, ops.Custom]:
    """(that of both branches' convolutions, 3 x 3, with their norm and ReLU; that of what is made
    of these) in ResNeSt's split attention, see cpu_convolution.cc and cpu_split_attention.cc;
    without gradients.
    """

    def shape_of_branches(x, w, *_):
        return [x[0], 2 * w[0], *x[2:]]

    def shape(x, *_):
        return [x[0], x[1] // 2, *x[2:]]

    branches = _kernel(path, "HalvesForward", shape_of_branches, 1)
    return branches, _kernel(path, "SplitAttention", shape, 1)


def _outputs_of(form):
    return lambda x, w, *_: [x[0], w[0], *(count for count, _ in _extents(x, w, *form))]


@cache
def norm_kernel(path: str, cuts: bool) -> ops.Custom:
    """That of Norm, which `cuts` values off at limits or has infinite ones."""

    def bprop(x, gamma, beta, mean, variance, limits, y, dy):
        epsilon, floor, ceiling = limits
        if cuts:
            is_cut = ops.logical_or(y <= floor, y >= ceiling)
            dy = ops.select(is_cut, ops.zeros_like(dy), dy)
        inverse = ops.rsqrt(variance + epsilon)
        centred = x - mean.reshape(1, -1, 1, 1)
        dx = dy * (gamma * inverse).reshape(1, -1, 1, 1)
        dgamma, dbeta = (dy * centred).sum((0, 2, 3)) * inverse, dy.sum((0, 2, 3))
        zeros = ops.zeros_like(mean)
        return dx, dgamma, dbeta, zeros, zeros, ops.zeros_like(limits)

    return _kernel(path, "BatchNormInference", lambda x, *_: x, 1, bprop)


@cache
def training_norm_kernel(path: str) -> ops.Custom:
    """That of TrainingNorm."""

    backward = _kernel(path, "BatchNormBackward", lambda x, gamma, *_: (x, gamma, gamma), 3)

    def bprop(x, gamma, beta, limits, outputs, gradients):
        _, mean, variance = outputs
        dx, dgamma, dbeta = backward(x, gamma, beta, limits, mean, variance, gradients[0])
        return dx, dgamma, dbeta, ops.zeros_like(limits)

    return _kernel(path, "BatchNormForward", lambda x, gamma, *_: (x, gamma, gamma), 3, bprop)


@cache
def pool_kernel(path: str, *form: object) -> ops.Custom:
    """That of MaxPool, of a `form` as pool_geometry has it."""
    backward = _kernel(path, "MaxPoolBackward", lambda x, *_: x, 1)

    def bprop(x, geometry, y, dy):
        return backward(x, geometry, dy), ops.zeros_like(geometry)

    def shape(x, _):
        return [*x[:2], *(count for count, _ in _pool_extents(x, *form))]

    return _kernel(path, "MaxPoolForward", shape, 1, bprop)


def _extent(size, kernel, stride, dilation, mode, before, after):
    """(outputs along an axis, padding before it), as ops.Conv2D has them."""
    reach = (kernel - 1) * dilation + 1
    if mode == "same":
        count = -(-size // stride)
        return count, max((count - 1) * stride + reach - size, 0) // 2
    return (size + before + after - reach) // stride + 1, before


@ops.constexpr
def geometry_of(bfloat16: bool, image: tuple, window: tuple, *form: object) -> ms.Tensor:
    """The third input of the convolutions' kernels."""
    (_, top), (_, left) = _extents(image, window, *form)
    strides, dilations, *_ = form
    return ms.Tensor(np.array([*strides, top, left, *dilations, bfloat16], np.int64))


@ops.constexpr
def is_plain(image: tuple, window: tuple, strides: tuple, *form: object) -> bool:
    """Whether there is an output for each pixel, without padding."""
    plain = [(size, 0) for size in image[2:]]
    return strides == (1, 1) and _extents(image, window, strides, *form) == plain


@ops.constexpr
def pool_geometry(image: tuple, window: tuple, strides: tuple, mode: str) -> ms.Tensor:
    """The second input of MaxPool's kernel."""
    (_, top), (_, left) = _pool_extents(image, window, strides, mode)
    return ms.Tensor(np.array([*window[2:], *strides, top, left], np.int64))


def _pool_extents(image, window, strides, mode):
    return _extents(image, window, strides, (1, 1), mode, (0, 0, 0, 0))


def _extents(image, window, strides, dilations, mode, padding):
    sides = (padding[:2], padding[2:])
    found = [
        _extent(*axis, mode, *side)
        for *axis, side in zip(image[2:], window[2:], strides, dilations, sides)
    ]
    if min(found)[0] < 1:
        raise ValueError(f"images {image} are too small for windows {window}")
    return found
