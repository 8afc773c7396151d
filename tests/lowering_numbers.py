"""Cases of lower_mindir.py: numbers of all types, products of all ranks, functions."""

import mindspore as ms
import numpy as np
from mindspore import ops

from lowering_cases import (
    BATCH,
    MASK,
    OTHER,
    expression,
    values,
)

CUBE = values(2, 3, 5)
WHOLE = values(3, 6, low=-9, high=9, dtype=np.int32)
LONG, BYTES = WHOLE.astype(np.int64), values(3, 6, low=0, high=250, dtype=np.uint8)
PIXELS = values(2, 4, 4, 3, low=0, high=255, dtype=np.uint8)
VECTOR = values(6)


@expression(LONG)
def int64_arithmetic(x):
    return x + 1, x * 2, x - x, x > 2, x < 1.5, x // 4, x % 4, x // -3


@expression(LONG, LONG[::-1].copy())
def int64_pairs(x, y):
    return x + y, x * y, x > y, ops.maximum(x, y)


@expression(LONG)
def int64_to_float(x):
    return x.astype(ms.float32) * 0.5, x * 0.5, x / 2, ops.where(x > 0, x, 0)


@expression(BYTES)
def bytes_to_float(x):
    return x.astype(ms.float32) / 255.0


@expression(PIXELS)
def pixels_first(x):
    return ops.transpose(x, (0, 3, 1, 2)).astype(ms.float32) / 255


@expression(WHOLE)
def int32_of_all_kinds(x):
    return -x, ops.abs(x), ops.square(x), ops.sign(x), x.sum(1), x.prod(1), x.argmax(1)


@expression(WHOLE)
def int32_cumulated(x):
    return ops.cumsum(x, 1), ops.topk(x, 2)[0], ops.clamp(x, -2, 3)


@expression(WHOLE)
def fraction_to_integers(x):
    return 2.0**x, x.astype(ms.float32) ** 2


@expression(WHOLE, refused="raises no integers")
def integer_to_integers(x):
    return 2 ** ops.abs(x)


@expression(BATCH)
def fraction_floors(x):
    return x // 0.7, x % 0.7, x // -0.7, x % -0.7, ops.trunc(x), ops.frac(x)


@expression(BATCH)
def fraction_powers(x):
    return x**2, x**3, x**0, x**1, x**-2, ops.abs(x) ** 0.5, ops.abs(x) ** -0.5


@expression(BATCH)
def not_a_number(x):
    return ops.nan_to_num(x / (x - x)), ops.isinf(x / (x - x))


@expression(MASK)
def truth_value_operators(x):
    return x & x[::1], x | ~x, x ^ x, x.astype(ms.int32).sum()


@expression(BATCH)
def self_gated(x):
    return ops.mish(x), ops.softsign(x), ops.selu(x), ops.fast_gelu(x)


@expression(BATCH)
def hyperbolic(x):
    return ops.sinh(x), ops.cosh(x), ops.asinh(x), ops.expm1(x), ops.erfc(x), ops.tan(x / 3)


@expression(BATCH, OTHER)
def weighted_sums(x, y):
    return ops.lerp(x, y, 0.25), ops.addcmul(x, x, y, 0.5), ops.addcdiv(x, x, y)


@expression(VECTOR, BATCH)
def vector_products(v, x):
    return ops.matmul(x, v), ops.matmul(v, x.T), ops.matmul(v, v), (v * v).sum()


@expression(values(2, 3, 4), values(1, 4, 5))
def batches_broadcast(x, y):
    return ops.matmul(x, y)


@expression(values(2, 2, 3, 4), values(4, 5), values(4))
def ranks_mixed(x, y, v):
    return ops.matmul(x, y), ops.matmul(x, v)


@expression(values(2, 4, 3), values(4, 5), values(3, 5))
def sums_of_products(x, y, z):
    return ops.matmul(x[0].T, y) + z, ops.addmm(z, x[0].T, y, beta=0.5, alpha=2.0)


@expression(CUBE, values(3, 1), values(2, 1, 5))
def choices_broadcast(x, y, z):
    return ops.where(x > y, y, z)
