"""Cases of lower_mindir.py: several results or operands, and what may be a result."""

import mindspore as ms
import numpy as np
from mindspore import nn, ops

from lowering_cases import (
    BATCH,
    INDICES,
    INTEGERS,
    MASK,
    NO_KERNEL,
    OTHER,
    POSITIVE,
    case,
    expression,
    values,
)


# Several results or operands
@expression(BATCH)
def split_two(x):
    a, b = ops.Split(1, 2)(x)
    return a, b


@expression(BATCH)
def split_sizes(x):
    a, b = ops.split(x, [2, 4], 1)
    return a, b


@expression(BATCH)
def chunk_two(x):
    a, b = ops.chunk(x, 2, 1)
    return a, b


@expression(BATCH)
def unstack_rows(x):
    a, b, c = ops.Unstack(0)(x)
    return a + b * c


@expression(BATCH)
def top_two(x):
    largest, index = ops.TopK()(x, 2)
    return largest * 1.0, index + 0


@expression(BATCH, cpu=NO_KERNEL)
def sorted_rows(x):
    ordered, index = ops.Sort()(x)
    return ordered * 1.0, index + 0


@expression(BATCH, OTHER)
def join(x, y):
    return ops.Concat(1)((x, y)), ops.concat((x, y), -1), ops.Stack(1)((x, y)), ops.stack((x, y), 0)


@expression(BATCH)
def join_with_itself(x):
    return ops.Concat(0)((x, x, x))


@expression(BATCH, OTHER)
def join_lists(x, y):
    parts = [x, y]
    parts.append(x * 2)
    return ops.stack(parts, 1), ops.concat(parts, 0)


@expression(BATCH)
def where_zero(x):
    return ops.where(x > 0, x, x * 0.1)


@expression(BATCH, MASK)
def fill_masked(x, mask):
    return ops.masked_fill(x, mask, -1.0), x.masked_fill(mask, 2.0)


@expression(INDICES)
def one_hot(x):
    return ops.OneHot()(x, 4, ms.Tensor(1.0, ms.float32), ms.Tensor(0.0, ms.float32))


@expression(values(3), values(4))
def mesh(x, y):
    a, b = ops.meshgrid(x, y)
    return a * b


@expression(BATCH)
def top_two_as_they_come(x):
    return ops.TopK()(x, 2)


@expression(BATCH, OTHER, like=lambda x, y: (((x + y - 2.0) * 3 - y) * y + 1) / y / 2.0)
def in_place(x, y):
    z = x * 1.0
    z += y
    z -= 2.0
    z *= 3
    z -= y
    z *= y
    z += 1
    z /= y
    z /= 2.0
    return z


@expression(BATCH, OTHER, like=lambda x, y: (x + y, x * y))
def in_place_after_reading(x, y):
    z = x * 1.0
    w = z * y
    z += y
    return z, w


@expression(BATCH, OTHER, refused="changes a tensor in place that is read later")
def in_place_before_reading(x, y):
    z = x * 1.0
    w = z
    z += y
    return z, w * y


@expression(POSITIVE, OTHER)
def remainders(x, y):
    return ops.remainder(x, 2.0), ops.floor_mod(x, y)


@expression(POSITIVE, refused="rounding towards zero")
def remainder_towards_zero(x):
    return ops.fmod(x, 2.0)


# What may be a result
SCALAR = np.array(1.7, np.float32)


@expression(SCALAR)
def scalar_alone(x):
    return x * 2 + 1


@expression(SCALAR, BATCH)
def scalar_beside_matrix(s, x):
    return x * s, x + s, ops.maximum(x, s), x > s


@expression(SCALAR, BATCH)
def scalar_chooses(s, x):
    return ops.where(s > 0, x, -x)


@expression(BATCH)
def scalar_results(x):
    return x.sum(), x.mean(), ops.amax(x), x.sum().reshape(1, 1)


@expression(BATCH)
def input_alone(x):
    return x


@expression(BATCH)
def input_beside_others(x):
    return x, x * 2, x


@expression(BATCH, OTHER)
def input_unused(x, y):
    return x * 2


@expression(BATCH)
def steps_as_results(x):
    y = x * 2
    z = y + 1
    return z, y, z * y, z


@expression(BATCH)
def constant_alone(x):
    return ms.Tensor(np.arange(4, dtype=np.float32))


@expression(BATCH)
def constants_beside_others(x):
    return x + 1, ms.Tensor(np.arange(5, dtype=np.int32)), ms.Tensor(2.5), ops.ones((2, 3))


@expression(BATCH)
def constant_int64(x):
    return x + 1, ops.arange(5)


@expression(BATCH)
def constant_truth_values(x):
    return ms.Tensor(np.array([True, False])), x


@expression(INTEGERS)
def constant_beside_integers(x):
    return x, ms.Tensor(np.arange(4, dtype=np.float32))


@expression(SCALAR)
def constant_beside_scalar(x):
    return x * 1, ms.Tensor(np.arange(4, dtype=np.float32))


@expression(BATCH)
def largest_and_again(x):
    largest, index = ops.max(x, 1)
    return largest + 1, index + 1, largest, index


@expression(BATCH)
def truth_values_as_results(x):
    return x > 0, ops.logical_not(x > 0), x


class Weight(nn.Cell):
    """A weight that is a result, too."""

    def __init__(self):
        super().__init__()
        self.weight = ms.Parameter(ms.Tensor(np.arange(6, dtype=np.float32)), "weight")

    def construct(self, x):
        return x * self.weight, self.weight


case("weight_as_result", Weight(), BATCH)
