"""Rules for matrix products of operands of any rank."""

from __future__ import annotations

import math

from .mindir import Refused
from .node import Node, Replacement


def _as_matrix(node, name, shape, wanted):
    """(`name` of one dimension as a matrix, its shape); others as they are."""
    if len(shape) > 1:
        return name, shape
    return node.make("Reshape", [name, wanted], shape=wanted), wanted


def common_shape(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that two shapes broadcast to. Raises Refused where they do not."""
    rank = max(len(one), len(other))
    pairs = zip((1,) * (rank - len(one)) + one, (1,) * (rank - len(other)) + other)
    shape = tuple(b if a == 1 else a if b in (1, a) else -1 for a, b in pairs)
    if -1 in shape:
        raise Refused(f"shapes {one} and {other} do not broadcast")
    return shape


def _spread(node, name, shape, batch):
    """`name` with the first dimensions of `batch`."""
    wanted = (*batch, *shape[-2:])
    if shape == wanted:
        return name
    return node.make("BroadcastTo", [name], {"shape": wanted}, shape=wanted)


def _unlike(node, attributes):
    """The product of operands that are vectors or broadcast."""
    one, two = node.shape(0), node.shape(1)
    left, one = _as_matrix(node, node.inputs[0], one, (1, one[-1]))
    right, two = _as_matrix(node, node.inputs[1], two, (two[-1], 1))
    first, second = attributes["transpose_a"], attributes["transpose_b"]
    rows, columns = one[-1 if first else -2], two[-2 if second else -1]
    if len(two) == 2 and not first:
        flat = (math.prod(one[:-1]), one[-1])
        left = node.make("Reshape", [left, flat], shape=flat) if len(one) > 2 else left
        shape = (flat[0], columns)
        product = node.make("MatMul", [left, right], attributes, shape=shape)
    else:
        batch = common_shape(one[:-2], two[:-2])
        left, right = _spread(node, left, one, batch), _spread(node, right, two, batch)
        shape = (*batch, rows, columns)
        product = node.make("BatchMatMul", [left, right], attributes, shape=shape)
    if node.shape() == ():
        return "ReduceSum", [product, (0, 1)], {"keep_dims": False, "skip_mode": False}
    return "Reshape", [product, node.shape()], {}


def product(node: Node, transpose_a: bool = False, transpose_b: bool = False) -> Replacement:
    """The product of inputs 0 and 1, transposed on request. MindSpore Lite 2.0 multiplies no
    vectors and, of other ranks than 2, only what has the same first dimensions.
    """
    attributes = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    one, two = node.sizes(0), node.sizes(1)
    if len(one) == len(two) == 2:
        return "MatMul", node.inputs[:2], attributes
    if len(one) == len(two) > 2 and one[:-2] == two[:-2]:
        return "BatchMatMul", node.inputs[:2], attributes
    return _unlike(node, attributes)


def product_with_options(node: Node) -> Replacement:
    """MatMul and BatchMatMul say which operand is transposed."""
    return product(node, *(bool(node.constant(at, "transpose")) for at in (2, 3)))


def dense(node: Node) -> Replacement:
    """x @ weight.T + bias; the bias is optional."""
    operator, inputs, attributes = product(node, transpose_b=True)
    if not node.has(2):
        return operator, inputs, attributes
    return "Add", [node.make(operator, inputs, attributes), node.inputs[2]], {}


RULES = {
    "Dense": dense,
    **dict.fromkeys(("MatMulExt", "BatchMatMulExt", "Mm"), product),
    **dict.fromkeys(("MatMul", "BatchMatMul"), product_with_options),
}
