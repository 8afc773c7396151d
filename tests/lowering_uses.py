"""Ways of using a tensor: `make_uses` picks some, to use what one layer gives several times.

MindSpore Lite 2.0.0 makes what follows a layer part of it, also where others use its result.
"""

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from lowering_cases import layer

LAYERS = {
    "conv": lambda: nn.Conv2d(4, 4, 3, has_bias=True),
    "depthwise": lambda: nn.Conv2d(4, 4, 3, group=4),
    "transposed": lambda: nn.Conv2dTranspose(4, 4, 2, 2),
    "normalised": lambda: nn.SequentialCell(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)),
    "batch_norm": lambda: nn.BatchNorm2d(4),
    "pool": lambda: nn.AvgPool2d(2, 2),
    "dense": lambda: nn.Dense(6, 6),
    "dense_no_bias": lambda: nn.Dense(6, 6, has_bias=False),
    "layer_norm": lambda: nn.LayerNorm((6,)),
}


def relu(x):
    return ops.relu(x)


def relu6(x):
    return ops.relu6(x)


def sigmoid(x):
    return ops.sigmoid(x)


def gelu(x):
    return ops.gelu(x)


def hard_swish(x):
    return ops.hardswish(x)


def leaky(x):
    return ops.leaky_relu(x, 0.1)


def softmax_channels(x):
    return ops.softmax(x, 1)


def unit_length(x):
    return ops.L2Normalize(1)(x)


def mean_channels(x):
    return x.mean(1, True)


def largest(x):
    return ops.amax(x, 1)


def shifted(x):
    return x + 1.0


def scaled(x):
    return x * 2.0


def itself(x):
    return x


def stacked(x):
    return ops.stack((x, x), 1)


def joined(x):
    return ops.cat((x, x), 1)


def reversed_rows(x):
    return x[:, ::-1]


def every_second(x):
    return x[:, ::2]


def swapped(x):
    return x.swapaxes(0, 1)


def picked(x):
    return ops.gather(x, ms.Tensor(np.array([2, -1], np.int32)), 1)


def second_of_many(x):
    return ops.unstack(x, 1)[1]


def top(x):
    return ops.topk(x, 2)[0]


def compared(x):
    return x > 0


def limited(x):
    return ops.clamp(x, -0.5, 0.5)


def padded(x):
    return ops.pad(x, (1, 1))


USES = [value for value in list(vars().values()) if getattr(value, "__module__", "") == __name__]


class Used(nn.Cell):
    """What `layer_name` gives, used in each of several ways; the last result is of two of them."""

    def __init__(self, layer_name, uses):
        super().__init__()
        self.layer, self.uses = layer(LAYERS[layer_name]()), uses

    def construct(self, x):
        x = self.layer(x)
        results = ()
        for use in self.uses:
            results += (use(x),)
        return (*results, ops.relu(x) + x * 2.0)


def make_uses(layer_name, seed):
    """[`Used`, ...] with all of USES, three at a time, in an order of their own."""
    order = np.random.default_rng(seed).permutation(len(USES))
    groups = [order[at : at + 3] for at in range(0, len(order), 3)]
    return [Used(layer_name, [USES[index] for index in group]) for group in groups]
