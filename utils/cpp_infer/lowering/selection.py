"""Rules for operators that choose between two values, element by element.

MindSpore Lite 2.0's Select neither broadcasts nor converts: it reads past the end of a smaller
operand. So all three operands get the result's shape, and the two values its data type.
"""

from __future__ import annotations

from .mindir import BOOL, Opaque
from .node import Node, Replacement


def choose(
    node: Node, condition: str | Opaque, one: str | Opaque, other: str | Opaque
) -> Replacement:
    """(operator, inputs, attributes) that yield `one` where `condition` holds and `other`
    elsewhere; each is a name or a constant.
    """
    kind = node.data_type()
    condition = node.broadcast(node.cast(condition, BOOL), BOOL)
    one, other = (node.broadcast(node.cast(value, kind), kind) for value in (one, other))
    if kind != BOOL:
        return "Select", [condition, one, other], {}
    otherwise = node.make("LogicalNot", [condition])
    return (
        "LogicalOr",
        [
            node.make("LogicalAnd", [condition, one]),
            node.make("LogicalAnd", [otherwise, other]),
        ],
        {},
    )


def select(node: Node) -> Replacement:
    return choose(node, *node.inputs[:3])


def masked_fill(node: Node) -> Replacement:
    """The value where the mask holds, the tensor elsewhere."""
    tensor, mask, value = node.inputs[:3]
    return choose(node, mask, value, tensor)


def hard_shrink(node: Node) -> Replacement:
    """Zero where |x| is at most the limit."""
    limit = node.constant(1, "lambd")
    small = node.make(
        "LessEqual", [node.make("Abs", node.inputs[:1]), node.number(limit)], data_type=BOOL
    )
    return choose(node, small, node.number(0), node.inputs[0])


def soft_shrink(node: Node) -> Replacement:
    """x less what lies between -limit and limit of it."""
    x, limit = node.inputs[0], node.constant(1, "lambd")
    inner = node.make(
        "Minimum", [node.make("Maximum", [x, node.number(-limit)]), node.number(limit)]
    )
    return "Sub", [x, inner], {}


def fill(node: Node) -> Replacement:
    """MindSpore Lite 2.0 takes what is filled for one number, and reads on after it."""
    value = node.cast(node.inputs[1], node.data_type())
    return "BroadcastTo", [node.with_axis(value)], {"shape": node.shape()}


def is_nan(node: Node) -> Replacement:
    """Nothing else differs from itself."""
    return "NotEqual", [node.inputs[0]] * 2, {}


RULES = {
    "Select": select,
    **dict.fromkeys(("MaskedFill", "MaskedFillScalar"), masked_fill),
    "HShrink": hard_shrink,
    "SoftShrink": soft_shrink,
    "IsNan": is_nan,
    **dict.fromkeys(("FillV2", "FillScalar"), fill),
}
