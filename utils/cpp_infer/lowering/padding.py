"""Rules for padding, and the borders that pooling needs."""

from __future__ import annotations

import math

from .mindir import INT32, Opaque, Refused, tensor_value
from .node import Node, Replacement

Pairs = tuple[tuple[int, int], ...]  # (entries before, entries after) of each axis
MOST_NUMBERS = 64  # of paddings in a tensor


def _joined(node, name, shape, axis, sides, fill):
    """(`name` of `shape` between borders of constants along one axis, its shape)."""
    kind, parts = node.data_type(), []
    for size in (sides[0], None, sides[1]):
        border = (*shape[:axis], size, *shape[axis + 1 :])
        if size is None:
            parts.append((name, shape))
        elif size:
            parts.append((tensor_value(kind, [fill] * math.prod(border), border), border))
    together = node.make(
        "MakeTuple", [value for value, _ in parts], types=[(kind, size) for _, size in parts]
    )
    shape = (*shape[:axis], shape[axis] + sum(sides), *shape[axis + 1 :])
    counted = {"axis": axis, "N": len(parts), "inputNums": len(parts)}
    return node.make("Concat", [together], counted, shape=shape), shape


def bordered(
    node: Node, name: str, shape: tuple[int, ...], pads: Pairs, fill: float
) -> tuple[str, tuple[int, ...]]:
    """(`name` of `shape` with pads[axis] = (before, after) further entries, its shape): zeros by
    Pad, others joined.
    """
    if fill == 0:
        target = tuple(sum(sides) + size for sides, size in zip(pads, shape))
        return node.make("Pad", [name], {"paddings": tuple(pads)}, shape=target), target
    for axis, sides in enumerate(pads):
        if any(sides):
            name, shape = _joined(node, name, shape, axis, sides, fill)
    return name, shape


def _source(at, size, mode):
    """The entry of an axis that is seen at `at`, which may lie outside."""
    if mode in ("edge", "replicate"):
        return min(max(at, 0), size - 1)
    if mode in ("circular", "wrap"):
        return at % size
    mirrored = 0 if mode == "symmetric" else 1  # Whether the last entry is seen once.
    at %= max(2 * (size - mirrored), 1)
    return at if at < size else 2 * size - 1 - mirrored - at


def _gathered(node, pads, mode):
    """Entries of each axis in another order: MindSpore Lite 2.0 pads with constants only."""
    x, shape = node.inputs[0], node.shape(0)
    for axis, (before, after) in enumerate(pads):
        if before or after:
            size = shape[axis]
            rows = [_source(at, size, mode) for at in range(-before, size + after)]
            shape = (*shape[:axis], len(rows), *shape[axis + 1 :])
            indices = tensor_value(INT32, rows, (len(rows),))
            x = node.make("Gather", [x, indices, axis], {"batch_dims": 0}, shape=shape)
    return "Reshape", [x, node.shape()], {}


def _numbers(node, index):
    """The paddings of a constant input, a tuple or a tensor."""
    value = node.constant(index, "paddings")
    found = value.numbers(MOST_NUMBERS) if isinstance(value, Opaque) else value
    if not found:
        raise Refused("its paddings are not a constant that can be read")
    found = [number for item in found for number in (item if isinstance(item, tuple) else (item,))]
    if min(found) < 0:
        raise Refused("a negative padding came after MindSpore 2.0; slice the tensor")
    return found


def mirror_pad(node: Node) -> Replacement:
    """A mirrored border, with or without the last entry."""
    numbers = _numbers(node, 1)
    pads = tuple(zip(numbers[::2], numbers[1::2]))
    return _gathered(node, pads, node.attributes()["mode"].lower())


def pad(node: Node) -> Replacement:
    """Pads are counted from the last axis."""
    given = node.attributes()
    mode = given.get("mode", "constant")
    if node.operator == "PadV3" and not given.get("paddings_contiguous"):
        return node.operator, node.inputs, {}
    numbers = _numbers(node, 1)
    pairs = [tuple(numbers[at : at + 2]) for at in range(0, len(numbers), 2)][::-1]
    pairs = (*[(0, 0)] * (len(node.shape(0)) - len(pairs)), *pairs)
    if mode != "constant":
        return _gathered(node, pairs, mode)
    fill = node.constant(2, "value") if len(node.inputs) > 2 else 0
    fill = fill if isinstance(fill, (int, float)) else fill.number()
    if fill == 0:
        return "Pad", node.inputs[:1], {"paddings": pairs}
    return (
        "Reshape",
        [bordered(node, node.inputs[0], node.shape(0), pairs, fill)[0], node.shape()],
        {},
    )


RULES = {"PadV3": pad, "ConstantPadND": pad, "MirrorPad": mirror_pad}
