"""The two ways NAS-FPN merges a pair of feature maps (arXiv:1904.07392, section 3.1)."""

from mindspore import Tensor, nn, ops

from src.winograd import Conv3x3

FACTORS = (2, 4, 8)  # of the levels that a cell makes smaller


class Resize(nn.Cell):
    """(N, C, H, H) to (N, C, size, size): nearest neighbour up by a whole factor, max-pooling down
    by one of FACTORS.
    """

    def __init__(self):
        super().__init__()
        self.pools = nn.CellList([nn.MaxPool2d(factor, factor) for factor in FACTORS])

    def construct(self, x, size):
        height = x.shape[2]
        if height < size:
            return _repeat(x, size // height)
        for factor, pool in zip(FACTORS, self.pools):
            if height == factor * size:
                return pool(x)
        if height != size:
            raise ValueError(f"maps of {height} do not become maps of {size}")
        return x


def _repeat(x, factor):
    # Each pixel becomes factor x factor pixels by a product with ones and concat alone: exact in
    # every exported form, and on CPU a third of the time of two concats.
    batch, channels, height, width = x.shape
    rows = x.reshape(batch * channels * height, width, 1) * ops.ones((1, 1, factor), x.dtype)
    return ops.concat((rows.reshape(-1, 1, width * factor),) * factor, 1).reshape(
        batch, channels, height * factor, width * factor
    )


class OutputConv(nn.Cell):
    """ReLU, 3x3 convolution, BatchNorm, at `channels` channels."""

    def __init__(self, channels: int, bn_momentum: float):
        super().__init__()
        self.features = nn.SequentialCell(
            nn.ReLU(),
            Conv3x3(channels, channels),
            nn.BatchNorm2d(channels, eps=1e-5, momentum=bn_momentum),
        )

    def construct(self, x):
        return self.features(x)


class SumCell(nn.Cell):
    """Two maps at `size`, added, and convolved where the cell has an output convolution."""

    def __init__(self, channels: int, bn_momentum: float, with_out_conv: bool = True):
        super().__init__()
        self.resize = Resize()
        self.out_conv = OutputConv(channels, bn_momentum) if with_out_conv else None

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        """`a` and `b` (N, C, size, size) to one such map."""
        return a + b

    def construct(self, a, b, size):
        x = self.merge(self.resize(a, size), self.resize(b, size))
        return x if self.out_conv is None else self.out_conv(x)


class GlobalPoolingCell(SumCell):
    """b + a weighted by channel with the sigmoid of b's mean: attention by the map of higher
    resolution (figure 5).
    """

    def merge(self, a: Tensor, b: Tensor) -> Tensor:
        return b + ops.sigmoid(ops.mean(b, (2, 3), True)) * a
