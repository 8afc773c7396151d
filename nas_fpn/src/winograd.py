"""3x3 convolutions with a quarter of the multiplications, for inference with MindSpore on CPU.

F(4x4, 3x3) of Lavin and Gray (arXiv:1509.09308, section 4.3): 4x4 outputs come from a 6x6 tile of
the input. Tiles and kernels are transformed to 36 values each, multiplied in place of convolved,
and the products are transformed back.
"""

import numpy as np
from mindspore import Tensor, get_context, nn, ops

from src.vendored.cpu_kernels import has_avx512, library

INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
KERNEL = (
    (1 / 4, 0, 0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0, 0, 1),
)
OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
SMALLEST = 64  # Below this side no gain could be told from the noise of the timings.


def both_axes(transform: tuple[tuple[float, ...], ...]) -> np.ndarray:
    """(m, n) to float32 (m * m, n * n), which applies `transform` to rows and columns of a
    flattened square.
    """
    return np.float32(np.kron(transform, transform))


class Conv3x3(nn.Conv2d):
    """3x3 convolution, zero-padded, no bias: (N, C_in, H, W) to (N, C_out, H, W).

    With `winograd`, maps of at least 64 x 64 whose sides are multiples of 4 are convolved so;
    results differ by about 1e-5 of the largest. It is off at first: training and exported models
    have the plain convolution.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__(
            in_channels, out_channels, 3, stride=1, pad_mode="same", padding=0, has_bias=False
        )
        self.winograd = False
        self.transform_tiles = ops.Conv2D(
            out_channel=36, kernel_size=6, pad_mode="pad", pad=1, stride=4
        )
        self.transform_products = ops.Conv2D(out_channel=16, kernel_size=1)
        self.transform_kernels = ops.MatMul(transpose_b=True)
        self.product = ops.BatchMatMul()
        self.input_transform = Tensor(both_axes(INPUT).reshape(36, 1, 6, 6))
        self.kernel_transform = Tensor(both_axes(KERNEL))
        self.output_transform = Tensor(both_axes(OUTPUT).reshape(16, 36, 1, 1))

    def construct(self, x):
        n, c_in, h, w = x.shape
        if not self.winograd or h % 4 or w % 4 or min(h, w) < SMALLEST:
            return self.conv2d(x, self.weight)
        c_out, rows, columns = self.out_channels, h // 4, w // 4
        kernels = self.transform_kernels(self.kernel_transform, self.weight.reshape(-1, 9)).reshape(
            36, c_out, c_in
        )
        tiles = self.transform_tiles(x.reshape(n * c_in, 1, h, w), self.input_transform)
        tiles = (
            tiles.reshape(n, c_in, 36, rows * columns).transpose(2, 1, 0, 3).reshape(36, c_in, -1)
        )
        products = self.product(kernels, tiles).reshape(36, c_out, n, rows * columns)
        products = products.transpose(2, 1, 0, 3).reshape(n * c_out, 36, rows, columns)
        squares = self.transform_products(products, self.output_transform).reshape(
            n * c_out, 4, 4, rows, columns
        )
        return squares.transpose(0, 3, 1, 4, 2).reshape(n, c_out, h, w)


def is_faster() -> bool:
    """Whether this form is: on CPUs, but not where the CPU kernels convolve with AVX-512."""
    return get_context("device_target") == "CPU" and not (library().is_file() and has_avx512())


def use_winograd(network: nn.Cell, wanted: bool) -> None:
    """Set `Conv3x3.winograd` to `wanted`, a bool, in all of the cell `network`."""
    for _, cell in network.cells_and_names():
        if isinstance(cell, Conv3x3):
            cell.winograd = wanted
