"""More cases for lower_mindir.py: operators written as Python expressions, and several results."""

import mindspore as ms
from mindspore import ops

from lowering_cases import (
    BATCH,
    IMAGE,
    INDICES,
    INTEGERS,
    MASK,
    NO_KERNEL,
    OTHER,
    POSITIVE,
    case,
    values,
)


def expression(*inputs, **options):
    """Register the function as a case."""

    def register(function):
        case(function.__name__, function, *inputs, **options)
        return function

    return register


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


@expression(values(3), values(4), cpu="the runtime crashes")
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
