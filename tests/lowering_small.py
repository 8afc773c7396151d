"""A small model for the tests of lower_mindir.py as a command."""

import numpy as np
import pytest
from mindspore import nn, ops

from lowering_tools import export


class Small(nn.Cell):
    """Two inputs, two outputs, parameters, constants of several kinds."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, has_bias=True), nn.BatchNorm2d(4)
        self.dense = nn.Dense(4, 5)

    def construct(self, x, y):
        x = ops.relu(self.norm(self.conv(x))).mean((2, 3)) + y * 0.5
        return self.dense(x), ops.concat((x, y), 1)


@pytest.fixture(name="model", scope="module")
def small_model(tmp_path_factory):
    """The path of its MindIR, as MindSpore writes it."""
    generator = np.random.default_rng(0)
    inputs = [generator.normal(size=shape).astype(np.float32) for shape in ((2, 3, 8, 8), (2, 4))]
    return export(Small(), tmp_path_factory.mktemp("small"), *inputs)
