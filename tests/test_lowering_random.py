"""lower_mindir.py on random networks of the kinds that MindSpore Lite 2.0.0 gets wrong without a
word: what is computed must be what NumPy and MindSpore compute.
"""

import mindspore as ms
import numpy as np
import pytest
from mindspore import nn, ops

from lowering_cases import Network
from lowering_tools import check, in_mindspore, prepare, run

X = np.random.default_rng(0).uniform(-3, 3, (3, 6)).astype(np.float32)


class Sharing(nn.Cell):
    """A chain of steps that all use the same weight, bias and constant; each returns its state."""

    def __init__(self, steps, seed):
        super().__init__()
        generator = np.random.default_rng(seed)
        self.steps = steps
        self.weight = ms.Parameter(generator.normal(size=(6, 6)).astype(np.float32) / 3, "weight")
        self.bias = ms.Parameter(generator.normal(size=6).astype(np.float32), "bias")
        self.constant = ms.Tensor(generator.normal(size=6).astype(np.float32))
        self.product, self.transposed = ops.MatMul(), ops.MatMul(transpose_b=True)
        self.add = ops.BiasAdd()

    def construct(self, x):
        states, rows = (), ms.Tensor([4, 0, 2], ms.int32)
        for step in self.steps:
            if step == 0:
                x = self.product(x, self.weight)
            elif step == 1:
                x = self.transposed(x, self.weight)
            elif step == 2:
                x = self.product(self.weight, x.T).T
            elif step == 3:
                x = self.add(self.transposed(x, self.weight), self.bias)
            elif step == 4:
                x = self.add(self.transposed(x, self.weight), self.bias) + self.constant
            elif step == 5:
                x = self.product(x, self.weight * self.bias) * self.constant
            elif step == 6:
                x = x + ops.gather(self.weight, rows, 0) - self.constant
            else:
                x = self.product(x, self.weight.reshape(6, 6).T) * self.bias
            states += (x,)
        return states


def shared(network, x):
    """What `Sharing` gives, in NumPy."""
    w, b, c = (item.asnumpy() for item in (network.weight, network.bias, network.constant))
    states = []
    for step in network.steps:
        x = [
            lambda x: x @ w,
            lambda x: x @ w.T,
            lambda x: (w @ x.T).T,
            lambda x: x @ w.T + b,
            lambda x: x @ w.T + b + c,
            lambda x: x @ (w * b) * c,
            lambda x: x + w[[4, 0, 2]] - c,
            lambda x: x @ w.T * b,
        ][step](x)
        states.append(x)
    return states


@pytest.mark.slow
def test_shared_weights_in_random_chains(tmp_path):
    networks = [
        Sharing(tuple(map(int, np.random.default_rng(seed).integers(0, 8, 6))), seed)
        for seed in range(12)
    ]
    folders = [tmp_path / str(seed) for seed in range(len(networks))]
    for network, folder in zip(networks, folders):
        prepare(network, folder, [X])
    for network, outputs in zip(networks, run(folders)):
        check(outputs, shared(network, X), in_mindspore(network, X))


class Convolutions(nn.Cell):
    """Convolutions with one weight, each of which wants it in a layout of its own."""

    def __init__(self):
        super().__init__()
        weight = np.random.default_rng(0).normal(size=(8, 8, 3, 3)).astype(np.float32)
        self.weight = ms.Parameter(weight, "weight")
        self.plain = ops.Conv2D(8, 3, pad_mode="same")
        self.strided = ops.Conv2D(8, 3, pad_mode="same", stride=2)
        self.dilated = ops.Conv2D(8, 3, pad_mode="same", dilation=2)

    def construct(self, x, y):
        weight = self.weight
        return (
            self.plain(x, weight),
            self.strided(x, weight),
            self.dilated(x, weight),
            self.plain(y, weight),
            self.strided(y, weight),
        )


def test_shared_weights_of_convolutions(tmp_path):
    generator, network = np.random.default_rng(0), Convolutions()
    sizes = ((2, 8, 32, 32), (1, 8, 7, 9))
    images = [generator.normal(size=size).astype(np.float32) for size in sizes]
    prepare(network, tmp_path, images)
    (outputs,) = run([tmp_path])
    seen = in_mindspore(network, *images)
    check(outputs, seen, seen)


def choose(condition, one, other):
    return ops.where(condition, one, other)


def fill(condition, one, other):
    return ops.masked_fill(one, condition, other)


def random_operand(generator, kind, shape):
    """Numbers of a shape that broadcasts to `shape`."""
    shape = tuple(size if generator.random() < 0.6 else 1 for size in shape)
    shape = shape[generator.integers(0, len(shape)) :]
    numbers = generator.uniform(-4, 4, shape)
    return numbers > 0 if kind == "bool" else numbers.astype(kind)


@pytest.mark.slow
def test_random_choices(tmp_path):
    """Select and masked fills with operands of all shapes, types and numbers of dimensions."""
    cases = []
    for seed in range(24):
        generator = np.random.default_rng(seed)
        shape = (2, 3, 4)
        kinds = generator.choice(["float32", "int32"], 2)
        one, other = (random_operand(generator, kind, shape) for kind in kinds)
        condition = random_operand(generator, "bool", shape)
        if seed % 3 == 0:
            other = np.full((), 2, one.dtype)
            cases.append((fill, (condition, np.broadcast_to(one, shape).copy(), other)))
        else:
            cases.append((choose, (condition, one, other)))
    folders = [tmp_path / str(index) for index in range(len(cases))]
    for (function, inputs), folder in zip(cases, folders):
        prepare(Network(function, ()), folder, inputs)
    for (function, inputs), outputs in zip(cases, run(folders)):
        condition, one, other = inputs
        right = np.where(condition, other, one) if function is fill else np.where(*inputs)
        if right.dtype == np.float64:  # NumPy's idea of int32 beside float32
            right = right.astype(np.float32)
        check(outputs, [right], in_mindspore(function, *inputs))


def less(x, y):
    return x < y


def same(x, y):
    return x == y


def at_least(x, y):
    return x >= y


def plus(x, y):
    return x + y


def minus(x, y):
    return x - y


def times(x, y):
    return x * y


def over(x, y):
    return x / y


def floor_over(x, y):
    return x // y


def modulo(x, y):
    return x % y


ARITHMETIC = (less, same, at_least, plus, minus, times, over, floor_over, modulo)


def random_number(generator, kind):
    """A number that is not 0."""
    number = float(generator.integers(1, 9)) * (1 if generator.random() < 0.5 else -1)
    return int(number) if kind == "int32" else number + 0.5


def test_random_arithmetic(tmp_path):
    """Integers and fractions, tensors and numbers, in either order."""
    cases = []
    for seed in range(36):
        generator = np.random.default_rng(seed)
        operation = ARITHMETIC[seed % len(ARITHMETIC)]
        kinds = generator.choice(["float32", "int32"], 2)
        tensor = generator.integers(-9, 9, (3, 6)).astype(kinds[0])
        if generator.random() < 0.5:
            number = random_number(generator, kinds[1])
            cases.append((operation, [tensor], [number]))
        else:
            other = generator.integers(1, 9, (3, 6)) * generator.choice([-1, 1], (3, 6))
            cases.append((operation, [tensor, other.astype(kinds[1])], []))
    folders = [tmp_path / str(index) for index in range(len(cases))]
    for (operation, inputs, numbers), folder in zip(cases, folders):
        prepare(Network(operation, tuple(numbers)), folder, inputs)
    for (operation, inputs, numbers), outputs in zip(cases, run(folders)):
        right = operation(*inputs, *numbers)
        if right.dtype == np.float64:
            right = right.astype(np.float32)
        check(outputs, [right], in_mindspore(operation, *inputs, *numbers))
