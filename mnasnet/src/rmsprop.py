"""RMSProp that gives the same weights whenever it is run, on CPU too."""

import mindspore as ms
import mindspore.nn as nn
import mindspore.ops as ops


class RMSPropUpdate(nn.Cell):
    """One step on one weight, by MindSpore's rule, in exact square roots.

    With gradient g: mean square s = decay s + (1 - decay) g g; moment m = momentum m + rate g /
    sqrt(s + epsilon); weight w = w - m.
    """

    def construct(self, weight, mean_square, moment, rate, gradient, decay, momentum, epsilon):
        square = ops.assign(mean_square, decay * mean_square + (1 - decay) * gradient * gradient)
        step = momentum * moment + rate * gradient / ops.sqrt(square + epsilon)
        return ops.assign(weight, weight - ops.assign(moment, step))


class RMSProp(nn.RMSProp):
    """MindSpore's, not centred. On CPU its operator takes roots that are right to four digits, by
    the vector, and exact ones for what is left of a thread's share; the shares follow from how long
    earlier steps took. So runs differ, and a resumed one from the whole.
    """

    def __init__(self, parameters: list, learning_rate: ms.Tensor, **options: float):
        super().__init__(parameters, learning_rate, centered=False, **options)
        if ms.get_context("device_target") == "CPU":
            self.opt = RMSPropUpdate()
