"""lower_mindir.py around the faults of MindSpore Lite 2.0.0 that nothing tells of: each right
value is NumPy's.
"""

import mindspore as ms
import numpy as np
import pytest
from mindspore import ops

from lowering_cases import Network
from lowering_tools import check, in_mindspore, prepare, run

X = np.random.default_rng(0).uniform(-3, 3, (3, 6)).astype(np.float32)
ODD = np.array([[np.nan, np.inf, -np.inf, -0.0, 1, -1]] * 3, np.float32)
MASK, ROW, COLUMN = X > 0, X[0] + 0, X[:, :1] + 0
INTEGERS = np.arange(-9, 9, dtype=np.int32).reshape(3, 6)
LARGE = np.array([2**31 - 1, 1 - 2**31, 2**24 + 1, -(2**24) - 1, 7, -7], np.int32)
DIVISORS = np.array([3, 3, 2, 2, -2, -2], np.int32)
ROWS = {}


def row(right, *inputs):
    """Register a network with what gives the right values."""

    def register(function):
        ROWS[function.__name__] = (function, inputs, right)
        return function

    return register


@row(lambda x: np.where(x > 0, x, 0), X)
def where_number(x):
    return ops.where(x > 0, x, 0.0)


@row(lambda x: np.where(x > 0, 1, 2.5), X)
def where_two_numbers(x):
    return ops.where(x > 0, ms.Tensor(1.0), ms.Tensor(2.5))


@row(lambda x: np.where(x > 0, x, 0), ODD)
def where_of_infinity(x):
    return ops.where(x > 0, x, 0.0)


@row(lambda x, y, mask: np.where(mask, x, y), ROW, COLUMN, MASK)
def where_row_or_column(x, y, mask):
    return ops.where(mask, x, y)


@row(lambda x, mask: np.where(mask, x, -x), X, MASK[:, :1] + 0 > 0)
def where_by_a_column(x, mask):
    return ops.where(mask, x, -x)


@row(lambda x, mask: np.where(mask, x, 0.5), INTEGERS, MASK)
def where_integer_or_fraction(x, mask):
    return ops.where(mask, x, 0.5)


@row(lambda x, mask: np.where(mask, x, 7), INTEGERS, MASK)
def where_integers(x, mask):
    return ops.where(mask, x, 7)


@row(lambda x, mask: np.where(mask, x > 0, x < -1), X, MASK[::-1].copy())
def where_truth_values(x, mask):
    return ops.where(mask, x > 0, x < -1)


@row(lambda x: np.where(x > 0.1, x, 5), X)
def threshold(x):
    return ops.threshold(x, 0.1, 5.0)


@row(lambda x, mask: np.where(mask, -np.inf, x), X, MASK[0] + 0 > 0)
def fill_masked_with_infinity(x, mask):
    return ops.masked_fill(x, mask, float("-inf"))


@row(lambda x, mask: np.where(mask, -3, x), INTEGERS, MASK)
def fill_masked_integers(x, mask):
    return x.masked_fill(mask, -3)


@row(lambda x: np.where(np.abs(x) > 0.7, x, 0), X)
def hard_shrink(x):
    return ops.hardshrink(x, 0.7)


@row(lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.7, 0), X)
def soft_shrink(x):
    return ops.softshrink(x, 0.7)


@row(lambda x: (np.isnan(x), x < 0.5, x == x), ODD)
def odd_numbers(x):
    return ops.isnan(x), x < 0.5, x == x


@row(lambda x: (x < 1.5, x > 1.5, x <= 1.5, x >= -1.5, x == 1.5, x != 1.5), INTEGERS)
def integers_beside_fractions(x):
    return x < 1.5, x > 1.5, x <= 1.5, x >= -1.5, x == 1.5, x != 1.5


@row(lambda x, y: (x < y, x == y, x + y, x // y), INTEGERS, ROW)
def integers_beside_fraction_tensor(x, y):
    return ops.less(x, y), ops.equal(x, y), x + y, ops.floor_div(x, y)


@row(lambda x: (x + 1.5, 0.5 - x, x * 0.5, x / 2, x // 1.5, x % 1.5), INTEGERS)
def integers_and_fractions(x):
    return x + 1.5, 0.5 - x, x * 0.5, x / 2, x // 1.5, x % 1.5


@row(lambda x: (x // 3, x // -3, x % 3, x % -3, 7 // (x - 20), -7 % (x - 20)), INTEGERS)
def floor_division(x):
    return x // 3, x // -3, x % 3, x % -3, 7 // (x - 20), -7 % (x - 20)


@row(lambda x, y: (x // y, x % y), LARGE, DIVISORS)
def division_of_large_integers(x, y):
    return ops.floor_div(x, y), ops.floor_mod(x, y)


@row(lambda x: (np.clip(x, -1.5, 4.5), np.maximum(x, 1.5), x**2, x**3, x**1), INTEGERS)
def integer_limits_and_powers(x):
    return ops.clamp(x, -1.5, 4.5), ops.maximum(x, 1.5), x**2, x**3, x**1


@row(lambda x, y: (x**y, 2.0**x), X, np.array([2, 3, -2, -1, 0, 1], np.float32))
def powers(x, y):
    return ops.pow(x, y), 2.0**x


@row(lambda x: (x.astype(bool) & (x > 2), x.astype(bool), (x > 2) == (x > 4)), INTEGERS)
def integers_as_truth_values(x):
    return ops.logical_and(x, x > 2), x.astype(ms.bool_), (x > 2) == (x > 4)


@row(lambda x: (2 * x, 2 * x, x, x), X)
def results_twice(x):
    y = x * 2
    return y, y, x, x


def given(function, inputs):
    """What a function gives, as a tuple of arrays."""
    with np.errstate(all="ignore"):
        result = function(*inputs)
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("name", ROWS)
def test_faults(name, tmp_path):
    function, inputs, right = ROWS[name]
    prepare(Network(function, ()), tmp_path, inputs)
    (outputs,) = run([tmp_path])
    check(outputs, given(right, inputs), in_mindspore(function, *inputs))
