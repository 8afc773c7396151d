# Copied from utils/vendored/cpu_operators.py by `make vendor`: change it there.
"""Networks on the kernels of cpu_kernels, where these have been built."""

from __future__ import annotations

import math
from collections import Counter
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
    training_norm_kernel,
)
from .cpu_kernels import has_bfloat16, library
from .launch import UserError

ONEDNN = "libdnnl.so.3"  # as MindSpore loads it with its CPU operators
LIMITS = {nn.Identity: (-math.inf, math.inf), nn.ReLU: (0.0, math.inf), nn.ReLU6: (0.0, 6.0)}
SMALL = 32  # pixels, below which a product of matrices for each image does too little at a time
WIDE = 256  # channels, from which 1 x 1 filters gain more by bfloat16 than rounding takes


def use_cpu_kernels(network: nn.Cell, bfloat16: bool = False) -> nn.Cell:
    """`network` itself, its convolutions, maximum pools and batch norms, and a ReLU or ReLU6 that
    follows a norm in a SequentialCell, computed by the kernels; as it is on other devices, and
    where the kernels have not been built.

    Parameters keep their names and values, results are the same but for rounding. To be called
    after to_float and before the network is; not for what is exported, in which only MindSpore's
    operators may be. With `bfloat16`, convolutions that train multiply in it (require_bfloat16).
    """
    kernels = library()
    if ms.get_context("device_target") != "CPU" or not kernels.is_file():
        return network
    path = str(kernels)
    cells = [cell for _, cell in network.cells_and_names()]
    activations = _take_activations(cells)
    for cell in cells:
        if isinstance(cell, (Convolution, Norm, MaxPool)) or _has_own_type(cell):
            continue
        for name, own in list(vars(cell).items()):
            if isinstance(own, ops.Conv2D):
                setattr(cell, name, Convolution(own, path, bfloat16))
            elif isinstance(own, ops.MaxPool) and own.format == "NCHW":
                setattr(cell, name, MaxPool(own, path))
            elif isinstance(own, ops.BatchNorm):
                kind = TrainingNorm if own.is_training else Norm
                setattr(cell, name, kind(own, path, activations.get(cell, nn.Identity())))
    return network


def _take_activations(cells):
    """{a BatchNorm2d: the ReLU or ReLU6 that followed it in a SequentialCell, and is the norm's
    kernel's from now on}
    """
    uses, found = Counter(child for cell in cells for child in cell.cells()), {}
    for cell in cells:
        if type(cell).construct is not nn.SequentialCell.construct:
            continue
        for place, (norm, activation) in enumerate(zip(cell, list(cell)[1:]), 1):
            own = [name for name, value in vars(norm).items() if isinstance(value, ops.BatchNorm)]
            is_plain_norm = type(norm) is nn.BatchNorm2d and own and not _has_own_type(norm)
            if is_plain_norm and uses[norm] == 1 and type(activation) in (nn.ReLU, nn.ReLU6):
                found[norm], cell[place] = activation, nn.Identity()
    return found


def require_bfloat16() -> None:
    """Raise UserError where convolutions cannot multiply in bfloat16."""
    if ms.get_context("device_target") != "CPU":
        raise UserError("--cpu_bfloat16 is for --device_target CPU; leave it out")
    if not has_bfloat16() or not _has_onednn():
        raise UserError("this processor does not multiply in bfloat16; leave --cpu_bfloat16 out")
    if not library().is_file():
        raise UserError(
            "--cpu_bfloat16 wants the CPU kernels; in the model folder: python -m"
            " src.vendored.cpu_kernels"
        )


def _has_onednn():
    return ONEDNN in Path("/proc/self/maps").read_text()


def _has_own_type(cell):
    """Whether to_float chose one: then MindSpore casts the inputs of its operators in `cell`."""
    return any(cell.get_flags().get(name) for name in ("fp16", "bf16", "fp32"))


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
        self.has_onednn, self.bfloat16 = _has_onednn(), bfloat16
        self.kernel, self.pointwise, self.depthwise = convolution_kernels(path, self.form)

    def construct(self, x, w):
        if x.dtype != ms.float32 or w.dtype != ms.float32:
            return self.own(x, w)
        if w.shape[:2] == (x.shape[1], 1):
            return self.depthwise(x, w, geometry_of(False, x.shape, w.shape, *self.form))
        kernel, bfloat16 = self.kernel, self.bfloat16 and self.training
        if w.shape[2:] == (1, 1):
            bfloat16 = bfloat16 and min(w.shape[:2]) >= WIDE
            is_product = w.shape[1] == x.shape[1] and is_plain(x.shape, w.shape, *self.form)
            if not is_product and not bfloat16:
                return self.own(x, w)
            if is_product and x.shape[2] * x.shape[3] >= SMALL:
                kernel = self.pointwise
        if not self.has_onednn:
            return self.own(x, w)
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
        self.limits = ms.Tensor([own.epsilon, *LIMITS[type(activation)]], ms.float32)
        self.kernel = norm_kernel(path, not isinstance(activation, nn.Identity))

    def construct(self, x, gamma, beta, mean, variance):
        if x.dtype != ms.float32 or gamma.dtype != ms.float32:
            return (self.activation(self.own(x, gamma, beta, mean, variance)[0]),)
        return (self.kernel(x, gamma, beta, mean, variance, self.limits),)


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
