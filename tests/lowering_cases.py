"""What `lower_mindir.py` is tested on: one small network for each way of using an operator.

Exported by a current MindSpore, lowered, and run by MindSpore Lite 2.0.0 on CPU. The file works
with MindSpore 2.0, too, so that lowering_reference.py can note what that release itself writes.
"""

import mindspore as ms
import numpy as np
from mindspore import nn


class Network(nn.Cell):
    """The network of one case: `operation(*inputs, *constants)`."""

    def __init__(self, operation, constants):
        super().__init__()
        self.operation, self.constants = operation, constants

    def construct(self, *inputs):
        return self.operation(*inputs, *self.constants)


class Case:
    """An operation, its inputs and constants after them, and what is to happen.

    like: an operation that yields the same, where MindSpore has no CPU kernel for the operation
    itself. cpu: the reason why MindSpore Lite 2.0.0 does not run the lowered model on CPU. refused:
    what lower_mindir.py says when it refuses the model.
    """

    def __init__(self, operation, inputs, constants=(), like=None, cpu=None, refused=None):
        self.operation, self.inputs, self.constants = operation, inputs, constants
        self.like, self.cpu, self.refused = like, cpu, refused


CASES = {}
NO_KERNEL = "no CPU kernel"


def case(name, operation, *inputs, **options):
    """Register a case."""
    assert name not in CASES, name
    CASES[name] = Case(operation, inputs, **options)


def expression(*inputs, **options):
    """Register the function as a case."""

    def register(function):
        case(function.__name__, function, *inputs, **options)
        return function

    return register


def values(*shape, low=-3.0, high=3.0, dtype=np.float32):
    """Random numbers, the same for the same shape."""
    return np.random.RandomState(sum(shape)).uniform(low, high, shape).astype(dtype)


def layer(cell):
    """The layer in inference form, with weights that differ from channel to channel."""
    cell.set_train(False)
    for parameter in cell.get_parameters():
        low = 0.5 if parameter.name.endswith(("variance", "running_var", "gamma")) else -0.5
        parameter.set_data(ms.Tensor(values(*parameter.shape, low=low, high=1.0)))
    return cell


IMAGE, BATCH, POSITIVE = values(2, 4, 8, 8), values(3, 6), values(3, 6, low=0.2)
SMALL, OTHER = values(3, 6, low=-0.9, high=0.9), values(3, 6, low=0.5, high=2.0)[::-1].copy()
INTEGERS = values(3, 6, low=0, high=9, dtype=np.int32)
MASK, INDICES = values(3, 6) > 0, np.array([2, 0, 1], np.int32)
