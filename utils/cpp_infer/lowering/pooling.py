"""Rules for pooling."""

from __future__ import annotations

import math

from .kinds import KINDS
from .mindir import FLOAT, FLOAT16, Refused, tensor_value
from .node import Node, Replacement
from .padding import bordered
from .separable import by_products, means

LOWEST = {FLOAT16: -65504.0, FLOAT: -3.4028234663852886e38}


def pair(value: int | tuple[int, ...] | list[int]) -> tuple[int, ...]:
    """(height, width) from one number or two."""
    value = (value,) if isinstance(value, int) else tuple(value)
    return value * 2 if len(value) == 1 else value


class _Windows:
    """The windows of a pool over input 0, of 4 dimensions or with a depth of 1."""

    def __init__(self, node, kernel, strides, padding=0, ceil_mode=False):
        self.node, self.flat = node, len(node.sizes(0)) == 5
        self.kernel, self.strides, self.padding = map(pair, (kernel, strides, padding))
        self.bordered = bool(any(self.padding) or ceil_mode)

    def _axes(self):
        """[(size, number of windows, kernel, stride, padding), ...] of height and width."""
        sizes = self.node.shape(0)[-2:], self.node.shape()[-2:]
        return list(zip(*sizes, self.kernel, self.strides, self.padding))

    def pool(self, operator):
        """(operator, inputs, attributes) of the pool without options, after borders that do not
        change it.
        """
        node, x = self.node, self.node.inputs[0]
        if self.flat:
            shape = (*node.shape(0)[:2], *node.shape(0)[3:])
            x = node.make("Reshape", [x, shape], shape=shape)
        if self.bordered:
            shape = shape if self.flat else node.shape(0)
            pads = [(0, 0), (0, 0)]
            for size, count, kernel, stride, before in self._axes():
                pads.append((before, max((count - 1) * stride + kernel - size - before, 0)))
            fill = 0 if operator == "AvgPool" else LOWEST.get(node.data_type(), -math.inf)
            x, _ = bordered(node, x, shape, tuple(pads), fill)
        return operator, [x], _window(self.kernel, self.strides, "VALID")

    def _divisors(self, with_padding):
        """By how much each row of windows, and each column, is to be divided."""
        result = []
        for size, count, kernel, stride, before in self._axes():
            begins = [at * stride - before for at in range(count)]
            ends = [min(begin + kernel, size + before) for begin in begins]
            if not with_padding:
                begins = [max(begin, 0) for begin in begins]
                ends = [min(end, size) for end in ends]
            result.append([end - begin for begin, end in zip(begins, ends)])
        return result

    def average(self, with_padding=True, divisor=None):
        """(operator, inputs, attributes) of the average, in the result's shape."""
        node, area = self.node, math.prod(self.kernel)
        small = (*node.sizes()[:2], *node.sizes()[-2:])
        x = node.make(*self.pool("AvgPool"), shape=small)
        if divisor:
            x = node.make("Mul", [x, node.number(area / divisor)], shape=small)
        elif self.bordered:
            rows, columns = self._divisors(with_padding)
            factors = [area / (row * column) for row in rows for column in columns]
            factors = tensor_value(node.data_type(), factors, (1, 1, len(rows), len(columns)))
            x = node.make("Mul", [x, factors], shape=small)
        return "Reshape", [x, node.sizes() if not self.flat else node.shape()], {}


def _window(kernel, strides, pad_mode, data_format="NCHW"):
    """The attributes of a pool, whose windows the old operators describe over four dimensions."""
    return {
        "kernel_size": (1, 1, *kernel),
        "strides": (1, 1, *strides),
        "pad_mode": pad_mode,
        "format": data_format,
    }


def average_pool(node: Node) -> Replacement:
    """The old AvgPool."""
    kernel, strides = (
        pair(node.constant(index, name)) for index, name in ((1, "kernel_size"), (2, "strides"))
    )
    pad_mode = KINDS["pad_mode"](node.constant(3, "pad_mode"))
    data_format = KINDS["data_format"](node.constant(4, "data_format"))
    return "AvgPool", node.inputs[:1], _window(kernel, strides, pad_mode, data_format)


def average_pool_2d(node: Node) -> Replacement:
    """The average pool of mindspore.mint."""
    kernel, padding = node.constant(1, "kernel_size"), node.constant(3, "padding")
    strides = node.constant(2, "stride") if node.has(2) else kernel
    windows = _Windows(node, kernel, strides, padding, node.constant(4, "ceil_mode"))
    divisor = node.constant(6, "divisor_override") if node.has(6) else None
    if not windows.bordered and not divisor:
        return windows.pool("AvgPool")
    return windows.average(node.constant(5, "count_include_pad"), divisor)


def max_pool_with_mask(node: Node) -> Replacement:
    """The max pool of mindspore.mint; its mask, the second result, is for training."""
    if pair(node.constant(4, "dilation")) != (1, 1):
        raise Refused("pooling with dilation came after MindSpore 2.0; do without")
    kernel = node.constant(1, "kernel_size")
    strides = node.constant(2, "strides") if node.has(2) else kernel
    padding, ceil_mode = node.constant(3, "pads"), node.constant(5, "ceil_mode")
    return (
        "MakeTuple",
        [node.make(*_Windows(node, kernel, strides, padding, ceil_mode).pool("MaxPool"))],
        {},
    )


def max_pool_padded(node: Node) -> Replacement:
    """What nn.MaxPool2d makes of pad_mode="pad": a pool over (1, height, width)."""
    given = node.attributes()
    flat = all(
        given[name][0] == one
        for name, one in (("ksize", 1), ("strides", 1), ("pads", 0), ("dilation", 1))
    )
    if not flat or given["dilation"] != (1, 1, 1) or node.shape(0)[2] != 1:
        return node.operator, node.inputs, {}
    window = (given[name][1:] for name in ("ksize", "strides", "pads"))
    shape = (*node.shape()[:2], *node.shape()[3:])
    x = node.make(*_Windows(node, *window, given["ceil_mode"]).pool("MaxPool"), shape=shape)
    return "MakeTuple", [node.make("Reshape", [x, node.shape()])], {}


def average_pool_padded(node: Node) -> Replacement:
    """What nn.AvgPool2d makes of pad_mode="pad": a pool over (1, height, width)."""
    given = node.attributes()
    kernel, strides, pads = given["kernel_size"], given["strides"], given["pad_list"]
    flat = (kernel[2], strides[2], node.shape(0)[2]) == (1, 1, 1)
    if not flat or pads[::2] != pads[1::2] or pads[0]:
        return node.operator, node.inputs, {}
    windows = _Windows(node, kernel[3:], strides[3:], (pads[2], pads[4]), given["ceil_mode"])
    return windows.average(given["count_include_pad"], given["divisor_override"])


def _is_divided(node):
    """Whether the result's height and width divide the image's."""
    size, target = node.sizes(0)[-2:], node.sizes()[-2:]
    known = min(*size, *target) > 0
    return known and all(whole % part == 0 for whole, part in zip(size, target))


def adaptive_average_pool(node: Node) -> Replacement:
    """One value a channel is a mean, a divisor of the size a pool, any other size two products;
    MindSpore Lite has nothing for them.
    """
    size, target = node.sizes(0)[-2:], node.sizes()[-2:]
    if tuple(target) == (1, 1):
        return "ReduceMean", [node.inputs[0], (-2, -1)], {"keep_dims": True}
    if not _is_divided(node):
        return by_products(node, means)
    if len(node.sizes(0)) != 4:
        return by_products(node, means)
    window = (size[0] // target[0], size[1] // target[1])
    return _Windows(node, window, window).pool("AvgPool")


def adaptive_max_pool(node: Node) -> Replacement:
    """A pool where the size divides; MindSpore Lite has nothing for others."""
    if not _is_divided(node) or len(node.sizes(0)) != 4:
        raise Refused("its output size does not divide the image's; MindSpore Lite has nothing")
    size, target = node.shape(0)[-2:], node.shape()[-2:]
    window = (size[0] // target[0], size[1] // target[1])
    return "MakeTuple", [node.make(*_Windows(node, window, window).pool("MaxPool"))], {}


RULES = {
    "AvgPool": average_pool,
    "AvgPool2D": average_pool_2d,
    "MaxPoolWithMask": max_pool_with_mask,
    "MaxPool3DWithArgmax": max_pool_padded,
    "AvgPool3D": average_pool_padded,
    **dict.fromkeys(("AdaptiveAvgPool2D", "AdaptiveAvgPool2DExt"), adaptive_average_pool),
    "AdaptiveMaxPool2D": adaptive_max_pool,
}
