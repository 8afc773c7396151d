"""Rules for the operators that move numbers without changing them: views, slices, splits and
joins.
"""

from collections.abc import Callable

from .kinds import KINDS
from .mindir import Refused, tensor_value
from .node import Node, Replacement, Rule


def stack(axis_of: Callable[[Node], int]) -> Rule:
    """MindSpore Lite 2.0 mistakes the axis of images that it keeps in another layout: they are
    joined along a new axis.
    """

    def rule(node):
        axis, names, shape = axis_of(node), node.tuples.get(node.inputs[0]), node.sizes()
        if not names or len(shape) != 5 or min(shape) < 0:
            return "Stack", node.inputs[:1], {"axis": axis}
        axis = node.axis(axis, 5)
        wide, count = (*shape[:axis], 1, *shape[axis + 1 :]), len(names)
        parts = [node.make("Reshape", [name, wide], shape=wide) for name in names]
        together = node.make("MakeTuple", parts, types=[(node.data_type(), wide)] * count)
        return "Concat", [together], {"axis": axis, "N": count, "inputNums": count}

    return rule


def concat(node: Node) -> Replacement:
    """MindSpore 2.0 counted the tensors, too."""
    count = len(node.types.get(node.inputs[0], []))
    if not count:
        raise Refused("the tensors it joins are not a tuple written in the network")
    return (
        "Concat",
        node.inputs[:1],
        {"axis": node.constant(1, "axis"), "N": count, "inputNums": count},
    )


def reshape(node: Node) -> Replacement:
    """Views of a tensor in another shape, and copies of it."""
    return "Reshape", [node.inputs[0], node.shape()], {}


def transpose_two(node: Node) -> Replacement:
    """TransposeExtView swaps two axes."""
    order = list(range(len(node.shape(0))))
    one, other = (node.axis(node.constant(index, "dim"), len(order)) for index in (1, 2))
    order[one], order[other] = order[other], order[one]
    return "Transpose", [node.inputs[0], tuple(order)], {}


def narrow(node: Node) -> Replacement:
    """A slice of one axis."""
    axis, start, length = (
        node.constant(index, name) for index, name in ((1, "dim"), (2, "start"), (3, "length"))
    )
    shape = node.shape(0)
    axis = node.axis(axis, len(shape))
    begin = tuple(node.axis(start, shape[axis]) if at == axis else 0 for at in range(len(shape)))
    return (
        "Slice",
        [node.inputs[0], begin, tuple(length if at == axis else n for at, n in enumerate(shape))],
        {},
    )


def select_index(node: Node) -> Replacement:
    """One entry of an axis, which disappears."""
    axis, index = node.constant(1, "dim"), node.constant(2, "index")
    shape = node.shape(0)
    axis = node.axis(axis, len(shape))
    begin = tuple(node.axis(index, shape[axis]) if at == axis else 0 for at in range(len(shape)))
    size = tuple(1 if at == axis else n for at, n in enumerate(shape))
    return (
        "Reshape",
        [node.make("Slice", [node.inputs[0], begin, size], shape=size), node.shape()],
        {},
    )


def split(axis_at: int) -> Rule:
    """Pieces along an axis; the old Split knows only equal ones."""

    def rule(node):
        axis, parts = node.constant(axis_at, "axis"), len(node.results)
        sizes = {size[axis] for _, size in node.results}
        if len(sizes) != 1:
            raise Refused(f"its pieces of axis {axis} are not equal; slice the tensor instead")
        return (
            "Split",
            node.inputs[:1],
            {"axis": axis, "output_num": parts, "size_splits": (*sizes,) * parts},
        )

    return rule


def split_with_sizes(node: Node) -> Replacement:
    """Pieces of any size: a slice for each."""
    sizes, shape = node.constant(1, "split_size"), node.shape(0)
    axis = node.axis(node.constant(2, "dim"), len(shape))
    pieces, begin = [], 0
    for size in sizes:
        window = tuple(size if at == axis else n for at, n in enumerate(shape))
        start = tuple(begin if at == axis else 0 for at in range(len(shape)))
        pieces.append(node.make("Slice", [node.inputs[0], start, window], shape=window))
        begin += size
    return "MakeTuple", pieces, {}


def broadcast_to(node: Node) -> Replacement:
    """A size of -1, which is that of the input, MindSpore Lite 2.0 only knows in some places."""
    return "BroadcastTo", [node.with_axis(node.inputs[0])], {"shape": node.shape()}


def identity_matrix(node: Node) -> Replacement:
    """Ones on the diagonal: MindSpore Lite 2.0 has no Eye."""
    rows, columns = node.shape()
    numbers = [float(row == column) for row in range(rows) for column in range(columns)]
    return "Reshape", [tensor_value(node.data_type(), numbers, (rows, columns)), node.shape()], {}


def evenly_spaced(node: Node) -> Replacement:
    """Numbers from one to another: MindSpore Lite 2.0 has no LinSpace."""
    start, stop, (count,) = node.constant_number(0), node.constant_number(1), node.shape()
    if start is None or stop is None:
        raise Refused("its ends are computed by the network; give constants")
    step = (stop - start) / max(count - 1, 1)
    numbers = [start + step * at for at in range(count)]
    return "Reshape", [tensor_value(node.data_type(), numbers, (count,)), (count,)], {}


def meshgrid(node: Node) -> Replacement:
    """Each vector along an axis of its own: MindSpore Lite 2.0 has no Meshgrid."""
    vectors = node.tuples.get(node.inputs[0])
    if not vectors:
        raise Refused("the tensors it takes are not a tuple written in the network")
    order, rank, grids = list(range(len(vectors))), len(vectors), []
    if KINDS["indexing"](node.constant(1, "indexing")) == "xy":
        order[:2] = order[1::-1]
    for axis, name, (kind, shape) in zip(order, vectors, node.results):
        wide = tuple(shape[at] if at == axis else 1 for at in range(rank))
        x = node.make("Reshape", [name, wide], shape=wide, data_type=kind)
        grids.append(node.make("BroadcastTo", [x], {"shape": shape}, shape=shape, data_type=kind))
    return "MakeTuple", grids, {}


def tile(node: Node) -> Replacement:
    """MindSpore Lite 2.0 adds no dimensions by itself."""
    times, x, shape = tuple(node.constant(1, "dims")), node.inputs[0], node.sizes(0)
    if len(times) > len(shape):
        wide = (1,) * (len(times) - len(shape)) + node.shape(0)
        x = node.make("Reshape", [x, wide], shape=wide)
    return "Tile", [x, (1,) * (len(shape) - len(times)) + times], {}


RULES = {
    "Meshgrid": meshgrid,
    "Eye": identity_matrix,
    "LinSpace": evenly_spaced,
    "Tile": tile,
    **dict.fromkeys(("FlattenExt", "Clone", "Contiguous", "Identity"), reshape),
    "Split": split(1),
    # By these names up to MindSpore 2.6, and since then with View behind them.
    **dict.fromkeys(("Narrow", "NarrowView"), narrow),
    **dict.fromkeys(("SplitTensor", "SplitTensorView", "Chunk", "ChunkView"), split(2)),
    **dict.fromkeys(("SplitWithSize", "SplitWithSizeView"), split_with_sizes),
    **dict.fromkeys(("TransposeExt", "TransposeExtView"), transpose_two),
    "TransposeView": lambda node: ("Transpose", node.inputs[:2], {}),
    "ExpandDimsView": lambda node: ("ExpandDims", node.inputs[:2], {}),
    **dict.fromkeys(("BroadcastTo", "BroadcastToView"), broadcast_to),
    "SelectExtView": select_index,
    "StackExt": stack(lambda node: node.constant(1, "dim")),
    "Stack": stack(lambda node: node.attributes()["axis"]),
    "Concat": concat,
    "make_list": lambda node: ("MakeTuple", node.inputs, {}),
}
