"""Rules for the operators that pick entries of a tensor, or put some in."""

from __future__ import annotations

from .mindir import FLOAT, INT32, INT64, Opaque, Refused, tensor_value
from .node import Node, Replacement

MOST_INDICES = 1_000_000  # of a constant that are counted from the front
MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def gather(node: Node) -> Replacement:
    """MindSpore Lite 2.0 counts neither a constant axis nor constant indices from the end."""
    table, indices, axis = node.inputs[:3]
    rank = len(node.sizes(0))
    axis = node.axis(node.constant(2, "axis"), rank)
    known = node.constants.get(indices)
    numbers = known.numbers(MOST_INDICES) if isinstance(known, Opaque) else None
    if numbers and min(numbers) < 0:
        kind, shape = node.type_of(indices)
        size = node.shape(0)[axis]
        numbers = [node.axis(number, size) for number in numbers]
        indices = tensor_value(kind, numbers if shape else numbers[0], shape)
    return "Gather", [table, indices, axis], {"batch_dims": node.constant(3, "batch_dims")}


def _from_the_end(size, begin, end, at, masks):
    """(begin, end) of a slice with a negative stride, counted from the end."""
    first = size - 1 if masks["begin_mask"] >> at & 1 else min(begin + size * (begin < 0), size - 1)
    last = -1 if masks["end_mask"] >> at & 1 else max(end + size * (end < 0), -1)
    return size - 1 - first, size - 1 - last


def strided_slice(node: Node) -> Replacement:
    """MindSpore Lite 2.0 does not go backwards: the tensor is reversed first."""
    begin, end, strides = (
        tuple(node.constant(index, name))
        for index, name in ((1, "begin"), (2, "end"), (3, "strides"))
    )
    masks = {name: node.constant(4 + index, name) for index, name in enumerate(MASKS)}
    backwards = [at for at, stride in enumerate(strides) if stride < 0]
    if not backwards:
        return "StridedSlice", [node.inputs[0], begin, end, strides], masks
    if masks["ellipsis_mask"] or masks["new_axis_mask"]:
        raise Refused("a negative stride beside `...` or None; slice in two steps")
    shape, begin, end = node.shape(0), list(begin), list(end)
    for at in backwards:
        begin[at], end[at] = _from_the_end(shape[at], begin[at], end[at], at, masks)
        for name in ("begin_mask", "end_mask"):
            masks[name] &= ~(1 << at)
    x = node.make("ReverseV2", node.inputs[:1], {"axis": tuple(backwards)}, shape=shape)
    forwards = tuple(abs(stride) for stride in strides)
    return "StridedSlice", [x, tuple(begin), tuple(end), forwards], masks


def scatter_update(node: Node) -> Replacement:
    """MindSpore Lite 2.0 has the same by another name."""
    return "ScatterNdUpdate", node.inputs[:3], {}


def one_hot(node: Node) -> Replacement:
    """MindSpore Lite 2.0 chooses between fractions only."""
    indices, depth, *choices = node.inputs[:4]
    axis, kind = {"axis": node.constant(4, "axis")}, node.data_type()
    inputs = [indices, depth, *(node.cast(name, FLOAT) for name in choices)]
    if kind == FLOAT:
        return "OneHot", inputs, axis
    chosen = node.make("OneHot", inputs, axis, data_type=FLOAT)
    kind = INT32 if kind == INT64 else kind  # It returns int32 for int64.
    return "Reshape", [node.cast(chosen, kind), node.shape()], {}


RULES = {
    "Gather": gather,
    "StridedSlice": strided_slice,
    "TensorScatterUpdate": scatter_update,
    **dict.fromkeys(("OneHot", "OneHotExt"), one_hot),
}
