"""Rules for functions of one tensor, element by element, that MindSpore Lite 2.0 lacks on CPU."""

from __future__ import annotations

import math

from .mindir import BOOL, FLOAT, Refused
from .node import Node, Replacement, Rule

LARGEST = 3.4028234663852886e38  # of float32
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def sign(node: Node) -> Replacement:
    """(x > 0) - (x < 0)."""
    x = node.inputs[0]
    sides = [
        node.make(operator, [x, node.number(0)], data_type=BOOL) for operator in ("Greater", "Less")
    ]
    return "Sub", [node.cast(side, node.data_type()) for side in sides], {}


def truncated(node: Node) -> Replacement:
    """sign(x) * floor(|x|)."""
    operator, inputs, attributes = sign(node)
    whole = node.make("Floor", [node.make("Abs", node.inputs[:1])])
    return "Mul", [node.make(operator, inputs, attributes), whole], {}


def rectifier(limit: float | None) -> Rule:
    """MindSpore Lite 2.0 has a product itself rectified, also where others use that product, too:
    for them, the maximum.
    """

    def rule(node):
        if not node.is_shared:
            return node.operator, node.inputs, {}
        positive = [node.inputs[0], node.number(0)]
        if limit is None:
            return "Maximum", positive, {}
        return "Minimum", [node.make("Maximum", positive), node.number(limit)], {}

    return rule


def mish(node: Node) -> Replacement:
    """x * tanh(log(1 + exp(x)))."""
    return "Mul", [node.inputs[0], node.make("Tanh", [node.make("Softplus", node.inputs[:1])])], {}


def softsign(node: Node) -> Replacement:
    """x / (1 + |x|)."""
    below = node.make("Add", [node.make("Abs", node.inputs[:1]), node.number(1)])
    return "RealDiv", [node.inputs[0], below], {}


def _exponential_unit(node, x, alpha, scale):
    """scale * (max(x, 0) + min(alpha * (exp(x / slope) - 1), 0)), slope = alpha for CeLU."""
    low = node.make("Minimum", [x, node.number(0)])
    if scale == 1:
        low = node.make("Mul", [low, node.number(1 / alpha)])
    low = node.make("Sub", [node.make("Exp", [low]), node.number(1)])
    low = node.make("Mul", [low, node.number(alpha * scale)])
    high = node.make("Mul", [node.make("Maximum", [x, node.number(0)]), node.number(scale)])
    return "Add", [high, low], {}


def celu(node: Node) -> Replacement:
    """max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0)."""
    alpha = node.constant(1, "alpha")
    if alpha <= 0:
        raise Refused("an alpha that is not positive is not expressed")
    return _exponential_unit(node, node.inputs[0], alpha, 1)


def selu(node: Node) -> Replacement:
    """The self-normalising unit, by the constants of Klambauer et al. 2017."""
    return _exponential_unit(node, node.inputs[0], SELU_ALPHA, SELU_SCALE)


def fast_gelu(node: Node) -> Replacement:
    """x * sigmoid(1.702 x)."""
    gate = node.make("Sigmoid", [node.make("Mul", [node.inputs[0], node.number(1.702)])])
    return "Mul", [node.inputs[0], gate], {}


def expm1(node: Node) -> Replacement:
    """exp(x) - 1."""
    return "Sub", [node.make("Exp", node.inputs[:1]), node.number(1)], {}


def erfc(node: Node) -> Replacement:
    """1 - erf(x)."""
    return "Sub", [node.number(1), node.make("Erf", node.inputs[:1])], {}


def tangent(node: Node) -> Replacement:
    """sin(x) / cos(x)."""
    return "RealDiv", [node.make(name, node.inputs[:1]) for name in ("Sin", "Cos")], {}


def hyperbolic(operator: str) -> Rule:
    """(exp(x) + exp(-x)) / 2, or the difference."""

    def rule(node):
        up = node.make("Exp", node.inputs[:1])
        down = node.make("Exp", [node.make("Neg", node.inputs[:1])])
        return "Mul", [node.make(operator, [up, down]), node.number(0.5)], {}

    return rule


def is_infinite(node: Node) -> Replacement:
    """Whether |x| is more than any number."""
    size = node.make("Abs", node.inputs[:1], data_type=FLOAT)
    return "Greater", [size, node.number(LARGEST, FLOAT)], {}


def nan_to_num(node: Node) -> Replacement:
    """Numbers in place of what is none, and of infinities."""
    limits = [LARGEST, -LARGEST]
    x = node.inputs[0]
    nan, *ends = (
        node.constant(index, "number") if node.has(index) else default
        for index, default in enumerate((0.0, *limits), 1)
    )
    strange = node.make("NotEqual", [x, x], data_type=BOOL)
    x = node.make("Select", [strange, _filled(node, nan), x])
    for operator, limit, end in zip(("Greater", "Less"), limits, ends):
        beyond = node.make(operator, [x, node.number(limit)], data_type=BOOL)
        x = node.make("Select", [beyond, _filled(node, end), x])
    return "Reshape", [x, node.shape()], {}


def _filled(node, number):
    return node.broadcast(node.number(number), node.data_type())


def lerp(node: Node) -> Replacement:
    """start + weight * (end - start)."""
    start, end, weight = (node.cast(name, node.data_type()) for name in node.inputs[:3])
    return "Add", [start, node.make("Mul", [weight, node.make("Sub", [end, start])])], {}


def _inverse_hyperbolic(offset):
    """log(x + sqrt(x * x + offset)) of a name."""

    def compute(node, x):
        square = node.make("Add", [node.make("Mul", [x, x]), node.number(offset)])
        return node.make("Log", [node.make("Add", [x, node.make("Sqrt", [square])])])

    return compute


def asinh(node: Node) -> Replacement:
    """sign(x) * log(|x| + sqrt(x * x + 1))."""
    operator, inputs, attributes = sign(node)
    size = _inverse_hyperbolic(1)(node, node.make("Abs", node.inputs[:1]))
    return "Mul", [node.make(operator, inputs, attributes), size], {}


def acosh(node: Node) -> Replacement:
    """log(x + sqrt(x * x - 1))."""
    return "Mul", [_inverse_hyperbolic(-1)(node, node.inputs[0]), node.number(1)], {}


def atanh(node: Node) -> Replacement:
    """log((1 + x) / (1 - x)) / 2."""
    above = node.make("Add", [node.inputs[0], node.number(1)])
    below = node.make("Sub", [node.number(1), node.inputs[0]])
    ratio = node.make("Log", [node.make("RealDiv", [above, below])])
    return "Mul", [ratio, node.number(0.5)], {}


def times_constant(operator: str, factor: float, before: bool = False) -> Rule:
    """Exp2 and the logarithms to another base are the natural ones and a factor."""

    def rule(node):
        if before:
            return operator, [node.make("Mul", [node.inputs[0], node.number(factor)])], {}
        return "Mul", [node.make(operator, node.inputs[:1]), node.number(factor)], {}

    return rule


RULES = {
    "ReLU": rectifier(None),
    "ReLU6": rectifier(6),
    "Sign": sign,
    "Trunc": truncated,
    **dict.fromkeys(("Mish", "MishExt"), mish),
    "Softsign": softsign,
    "CeLU": celu,
    "SeLU": selu,
    "FastGeLU": fast_gelu,
    **dict.fromkeys(("Expm1",), expm1),
    "Erfc": erfc,
    "Tan": tangent,
    "Sinh": hyperbolic("Sub"),
    "Cosh": hyperbolic("Add"),
    "Asinh": asinh,
    "Acosh": acosh,
    "Atanh": atanh,
    "IsInf": is_infinite,
    "NanToNum": nan_to_num,
    "Lerp": lerp,
    "Exp2": times_constant("Exp", math.log(2), before=True),
    "Log2": times_constant("Log", 1 / math.log(2)),
    "Log10": times_constant("Log", 1 / math.log(10)),
}
