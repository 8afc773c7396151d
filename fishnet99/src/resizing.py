"""What halves, doubles and frames feature maps; written for speed on CPU, the same function
everywhere.
"""

import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops


class Downsample(nn.Cell):
    """Maximum of each 2x2 square: (N, C, H, W), H and W even, to (N, C, H/2, W/2).

    The gradient of MaxPool takes many times as long on CPU as that of the adaptive pool, which ONNX
    does not know.
    """

    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2, pad_mode="valid")
        self.on_cpu = ms.get_context("device_target") == "CPU"

    def construct(self, x):
        if self.on_cpu and self.training:
            return ops.adaptive_max_pool2d(x, (x.shape[2] // 2, x.shape[3] // 2))
        return self.pool(x)


class StemPool(nn.Cell):
    """Maximum of 3x3 squares two apart, of values >= 0: (N, C, H, W) to (N, C, ceil(H/2),
    ceil(W/2)).

    `padding` 'same' reaches over the right and lower edge where a side is even, 'symmetric' over
    the left and upper, both over every edge where it is odd. Zeros stand for what lies outside,
    which changes no maximum.
    """

    def __init__(self, padding: str):
        super().__init__()
        self.symmetric = padding == "symmetric"
        self.pool = nn.MaxPool2d(
            kernel_size=3, stride=2, pad_mode="valid" if self.symmetric else "same"
        )
        self.on_cpu = ms.get_context("device_target") == "CPU"

    def construct(self, x):
        is_adaptive = self.on_cpu and self.training
        if is_adaptive or self.symmetric:  # ONNX export knows no pool that pads symmetrically.
            x = self.pad(self.pad(x, 2), 3)
        # The windows of both pools are the same where sides are odd; see Downsample.
        if is_adaptive:
            return ops.adaptive_max_pool2d(x, (x.shape[2] // 2, x.shape[3] // 2))
        return self.pool(x)

    def pad(self, x: ms.Tensor, axis: int) -> ms.Tensor:
        """(N, C, H, W) with one or two zeros more along `axis`, an odd number in all; by concat,
        faster than Pad.
        """
        shape = list(x.shape)
        shape[axis] = 1
        zeros = ops.zeros(tuple(shape), x.dtype)
        if x.shape[axis] % 2:
            return ops.concat((zeros, x, zeros), axis)
        return ops.concat((zeros, x) if self.symmetric else (x, zeros), axis)


class Upsample(nn.Cell):
    """Nearest-neighbour resizing, (N, C, H, W) to (N, C, 2H, 2W).

    `by_operator` chooses the operator, which MindSpore takes several times as long for on CPU as
    for a product and a concat; Ascend, GPU and the runtimes of exported models have a fast one.
    """

    def __init__(self):
        super().__init__()
        self.by_operator = ms.get_context("device_target") != "CPU"

    def construct(self, x):
        n, c, h, w = x.shape
        if self.by_operator:
            return ops.ResizeNearestNeighbor((2 * h, 2 * w))(x)
        rows = (x.reshape(n * c * h, w, 1) * ops.ones((1, 1, 2), x.dtype)).reshape(
            n * c * h, 1, 2 * w
        )
        return ops.concat((rows, rows), 1).reshape(n, c, 2 * h, 2 * w)
