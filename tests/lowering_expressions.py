"""More cases for lower_mindir.py: operators written as Python expressions, and several results."""

import mindspore as ms
from mindspore import ops

from lowering_cases import (
    BATCH,
    IMAGE,
    INTEGERS,
    MASK,
    POSITIVE,
    expression,
)


# Numbers beside tensors
@expression(BATCH)
def add_number(x):
    return x + 2.0


@expression(BATCH)
def number_minus(x):
    return 3.0 - x


@expression(BATCH)
def minus_number(x):
    return x - 1.5


@expression(BATCH)
def number_times(x):
    return 2 * x


@expression(BATCH)
def by_number(x):
    return x / 4.0


@expression(POSITIVE)
def number_by(x):
    return 1.0 / x


@expression(POSITIVE)
def power_number(x):
    return x**2.0


@expression(POSITIVE)
def number_power(x):
    return 2.0**x


@expression(POSITIVE)
def floor_divide(x):
    return x // 2.0


@expression(POSITIVE)
def modulo(x):
    return x % 2.0


@expression(BATCH)
def negative(x):
    return -x


@expression(BATCH)
def compare_numbers(x):
    return x > 0.5, x < 0.5, x >= 0.5, x <= 0.5, x == 0.5, x != 0.5


@expression(INTEGERS)
def integers_and_integers(x):
    return x + 2, x * 3, x - 1, x == 1, x > 4


@expression(INTEGERS)
def integers_and_floats(x):
    return x * 0.5, x + 1.5, x / 2


@expression(INTEGERS, BATCH)
def integers_and_float_tensor(x, y):
    return x + y, x * y


@expression(BATCH)
def clip_numbers(x):
    return ops.clip_by_value(x, -1.0, 1.0)


@expression(BATCH)
def clamp_numbers(x):
    return ops.clamp(x, -1.0, 1.0)


@expression(BATCH)
def clamp_below(x):
    return ops.clamp(x, min=-1.0)


@expression(INTEGERS)
def to_float(x):
    return ops.cast(x, ms.float32)


@expression(BATCH)
def to_integer(x):
    return ops.cast(x, ms.int32)


@expression(MASK)
def bool_to_float(x):
    return ops.cast(x, ms.float32)


@expression(BATCH, cpu="the runtime does not build float16 on this processor")
def to_half_and_back(x):
    return x.astype(ms.float16).astype(ms.float32)


# Slices
@expression(BATCH)
def slices(x):
    return x[:, 1:4], x[:, ::2], x[..., 1], x[:, None, :], x[-1]


@expression(IMAGE)
def shape_of_input(x):
    return x.reshape(x.shape[0], -1)
