"""Rules for pooling and for the borders that it needs."""

from __future__ import annotations

import math

from .kinds import KINDS
from .mindir import FLOAT, FLOAT16, Refused, tensor_value
from .node import Node, Replacement

LOWEST = {FLOAT16: -65504.0, FLOAT: -3.4028234663852886e38}


def pair(value: int | tuple[int, ...] | list[int]) -> tuple[int, ...]:
    """(height, width) from one number or two."""
    value = (value,) if isinstance(value, int) else tuple(value)
    return value * 2 if len(value) == 1 else value


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
    node: Node, name: str, shape: tuple[int, ...], pads: tuple[tuple[int, int], ...], fill: float
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


def _pool(node, operator, kernel, strides, padding=(0, 0)):
    """A pool of input 0, of 4 dimensions or with a depth of 1, in valid mode after borders that
    do not change it.
    """
    x, flat = node.inputs[0], len(node.sizes(0)) == 5
    (kernel_y, kernel_x), (stride_y, stride_x), (pad_y, pad_x) = (
        pair(kernel),
        pair(strides),
        pair(padding),
    )
    if flat:
        shape = (*node.shape(0)[:2], *node.shape(0)[3:])
        x = node.make("Reshape", [x, shape], shape=shape)
    if pad_y or pad_x:
        shape = shape if flat else node.shape(0)
        pads = ((0, 0), (0, 0), (pad_y, pad_y), (pad_x, pad_x))
        fill = 0 if operator == "AvgPool" else LOWEST.get(node.data_type(), -math.inf)
        x, _ = bordered(node, x, shape, pads, fill)
    return (
        operator,
        [x],
        {
            "kernel_size": (1, 1, kernel_y, kernel_x),
            "strides": (1, 1, stride_y, stride_x),
            "pad_mode": "VALID",
            "format": "NCHW",
        },
    )


def average_pool(node: Node) -> Replacement:
    """The old AvgPool describes its windows over all four dimensions."""
    kernel, strides = (
        pair(node.constant(index, name)) for index, name in ((1, "kernel_size"), (2, "strides"))
    )
    return (
        "AvgPool",
        node.inputs[:1],
        {
            "kernel_size": (1, 1, *kernel),
            "strides": (1, 1, *strides),
            "pad_mode": KINDS["pad_mode"](node.constant(3, "pad_mode")),
            "format": KINDS["data_format"](node.constant(4, "data_format")),
        },
    )


def _no_options(*options):
    if any(options):
        raise Refused(
            "pooling with dilation, ceil_mode or another divisor came after MindSpore 2.0; do"
            " without"
        )


def average_pool_2d(node: Node) -> Replacement:
    """The average pool of mindspore.mint."""
    padding = node.constant(3, "padding")
    _no_options(
        node.constant(4, "ceil_mode"),
        node.has(6),
        any(pair(padding)) and not node.constant(5, "count_include_pad"),
    )
    kernel = node.constant(1, "kernel_size")
    return _pool(
        node, "AvgPool", kernel, node.constant(2, "stride") if node.has(2) else kernel, padding
    )


def max_pool_with_mask(node: Node) -> Replacement:
    """The max pool of mindspore.mint; its mask, the second result, is for training."""
    kernel = node.constant(1, "kernel_size")
    _no_options(pair(node.constant(4, "dilation")) != (1, 1), node.constant(5, "ceil_mode"))
    pool = _pool(
        node,
        "MaxPool",
        kernel,
        node.constant(2, "strides") if node.has(2) else kernel,
        node.constant(3, "pads"),
    )
    return "MakeTuple", [node.make(*pool)], {}


def max_pool_padded(node: Node) -> Replacement:
    """What nn.MaxPool2d makes of pad_mode="pad": a pool over (1, height, width)."""
    given = node.attributes()
    flat = all(
        given[name][0] == one
        for name, one in (("ksize", 1), ("strides", 1), ("pads", 0), ("dilation", 1))
    )
    if not flat or given["ceil_mode"] or given["dilation"] != (1, 1, 1) or node.shape(0)[2] != 1:
        return node.operator, node.inputs, {}
    operator, inputs, attributes = _pool(
        node, "MaxPool", given["ksize"][1:], given["strides"][1:], given["pads"][1:]
    )
    return (
        "MakeTuple",
        [_deep(node, node.make(operator, inputs, attributes, shape=_without_depth(node)))],
        {},
    )


def average_pool_padded(node: Node) -> Replacement:
    """What nn.AvgPool2d makes of pad_mode="pad": a pool over (1, height, width)."""
    given = node.attributes()
    kernel, strides, pads = given["kernel_size"], given["strides"], given["pad_list"]
    plain = given["count_include_pad"] and not given["ceil_mode"] and not given["divisor_override"]
    if (
        not plain
        or (kernel[2], strides[2], node.shape(0)[2]) != (1, 1, 1)
        or pads[::2] != pads[1::2]
        or pads[0]
    ):
        return node.operator, node.inputs, {}
    operator, inputs, attributes = _pool(
        node, "AvgPool", kernel[3:], strides[3:], (pads[2], pads[4])
    )
    return (
        "Reshape",
        [node.make(operator, inputs, attributes, shape=_without_depth(node)), node.shape()],
        {},
    )


def _without_depth(node):
    return (*node.shape()[:2], *node.shape()[3:])


def _deep(node, name):
    return node.make("Reshape", [name, node.shape()])


def adaptive_average_pool(node: Node) -> Replacement:
    """One value a channel is a mean, a divisor of the size a pool; MindSpore Lite has nothing
    for the others.
    """
    size, target = node.sizes(0)[-2:], node.sizes()[-2:]
    if target == (1, 1):
        return "ReduceMean", [node.inputs[0], (-2, -1)], {"keep_dims": True}
    if (
        len(node.sizes(0)) == 4
        and min(size) > 0
        and not (size[0] % target[0] or size[1] % target[1])
    ):
        window = (size[0] // target[0], size[1] // target[1])
        return _pool(node, "AvgPool", window, window)
    return "AdaptiveAvgPool2D", node.inputs[:1], {"output_size": target}


RULES = {
    "AvgPool": average_pool,
    "AvgPool2D": average_pool_2d,
    "MaxPoolWithMask": max_pool_with_mask,
    "MaxPool3DWithArgmax": max_pool_padded,
    "AvgPool3D": average_pool_padded,
    **dict.fromkeys(("AdaptiveAvgPool2D", "AdaptiveAvgPool2DExt"), adaptive_average_pool),
}
