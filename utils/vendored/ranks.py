"""Numbers that the processes of a distributed run add up."""

from collections.abc import Sequence

import numpy as np


def add_over_ranks(numbers: Sequence[float]) -> np.ndarray:
    """The sums float32 (N,) of the N `numbers` that each process has."""
    import mindspore as ms
    from mindspore import nn, ops

    class SumOverRanks(nn.Cell):
        def __init__(self):
            super().__init__()
            self.all_reduce = ops.AllReduce(ops.ReduceOp.SUM)

        def construct(self, x):
            return self.all_reduce(x)

    return SumOverRanks()(ms.Tensor(numbers, ms.float32)).asnumpy()


def any_of_ranks(flag: bool, ranks: int) -> bool:
    """Whether `flag` is true in any of the `ranks` processes."""
    return flag if ranks == 1 else add_over_ranks([float(flag)])[0] > 0
