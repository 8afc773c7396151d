"""What halves, doubles and frames feature maps; written for speed on CPU, the same function everywhere."""
import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops


class Downsample(nn.Cell):
    """Maximum of each 2x2 square: (N, C, H, W), H and W even, to (N, C, H/2, W/2).

    The gradient of MaxPool takes many times as long on CPU as that of the adaptive pool, which ONNX does not know.
    """

    def __init__(self):
        super().__init__()
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2, pad_mode="valid")
        self.on_cpu = ms.get_context("device_target") == "CPU"

    def construct(self, x):
        if self.on_cpu and self.training:
            return ops.adaptive_max_pool2d(x, (x.shape[2] // 2, x.shape[3] // 2))
        return self.pool(x)


class Upsample(nn.Cell):
    """Nearest-neighbour resizing, (N, C, H, W) to (N, C, 2H, 2W), several times faster on CPU than that operator."""

    def construct(self, x):
        n, c, h, w = x.shape
        rows = (x.reshape(n * c * h, w, 1) * ops.ones((1, 1, 2), x.dtype)).reshape(n * c * h, 1, 2 * w)
        return ops.concat((rows, rows), 1).reshape(n, c, 2 * h, 2 * w)


class ZeroBorder(nn.Cell):
    """A pixel of zeros on every side: (N, C, H, W) to (N, C, H+2, W+2); many times faster on CPU than Pad."""

    def construct(self, x):
        n, c, h, w = x.shape
        row, column = ops.zeros((n, c, 1, w), x.dtype), ops.zeros((n, c, h + 2, 1), x.dtype)
        return ops.concat((column, ops.concat((row, x, row), 2), column), 3)
