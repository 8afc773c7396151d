"""Weights that several operators use: each that changes them has its own, the others share one."""

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from lowering_tools import check, in_mindspore, prepare, run


class Standardised(nn.Cell):
    """Weights less their mean over their deviation, and the weights themselves, by two layers."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(32, 32, 3, weight_init="normal")

    def construct(self, x):
        weight = self.convolution.weight
        mean = ops.ReduceMean(keep_dims=True)(weight, (1, 2, 3))
        deviation = ops.sqrt(weight.var((1, 2, 3), keepdims=True) + 1e-10)
        y = self.convolution(x)
        return y, self.convolution.conv2d(x, (weight - mean) / deviation) + y


def test_what_only_reads_a_weight_shares_it(tmp_path):
    network = Standardised()
    x = np.random.default_rng(0).normal(size=(2, 32, 9, 11)).astype(np.float32)
    prepare(network, tmp_path, [x])
    (outputs,) = run([tmp_path])
    seen = in_mindspore(network, x)
    check(outputs, seen, seen)
    before, after = (tmp_path / name for name in ("model.3.mindir", "model.mindir"))
    # The layer that packs it has one of its own.
    assert after.stat().st_size < 2.5 * before.stat().st_size


class ReadTwice(nn.Cell):
    """A product of weights, read by what the runtime would fold into a layer, and by others."""

    def __init__(self):
        super().__init__()
        numbers = np.random.default_rng(1).normal(size=(3, 8, 8)).astype(np.float32)
        self.first, self.second = (
            ms.Parameter(value, name=name) for name, value in zip("ab", map(ms.Tensor, numbers))
        )
        self.added = ms.Parameter(ms.Tensor(numbers[2, 0]), name="c")

    def construct(self, x):
        product = ops.matmul(self.first, self.second)
        return x * (product + self.added), ops.matmul(x, product * product), x - product


def test_a_product_of_weights_that_is_read_twice(tmp_path):
    network = ReadTwice()
    x = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    prepare(network, tmp_path, [x])
    (outputs,) = run([tmp_path])
    seen = in_mindspore(network, x)
    check(outputs, seen, seen)
