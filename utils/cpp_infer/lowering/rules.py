"""What the table of signatures cannot say: operators whose old form differs by more than where a
value stands.

A rule takes a Node and returns (old operator, inputs, attributes) of what takes its place, after
having made what must come before. Inputs are names of tensors, or values that become constants.
"""

import math

from . import arithmetic, functions, indexing, layers, selection, shapes
from .kinds import data_type
from .mindir import BOOL, DOUBLE, FLOAT, FLOAT16, Constant, DataType, Refused
from .node import Node, Replacement, Rule


def reduction(operator: str) -> Rule:
    """No axis means all axes, which MindSpore Lite 2.0 does not survive; the old operator has no
    data type.
    """

    def rule(node):
        axis = node.constant(1, "axis") if node.has(1) else ()
        axis = (axis,) if isinstance(axis, int) else tuple(axis)
        skip = (
            operator == "ReduceSum" and node.operator == operator and node.constant(3, "skip_mode")
        )
        if axis == () and not skip:
            axis = tuple(range(len(node.sizes(0))))
        attributes = {"keep_dims": bool(node.has(2) and node.constant(2, "keep_dims"))}
        if operator == "ReduceSum":
            attributes["skip_mode"] = bool(skip)
        return operator, [node.cast(node.inputs[0], node.data_type()), axis], attributes

    return rule


def reduce_max(node: Node) -> Replacement:
    """MindSpore Lite 2.0 computes the float maximum wrongly on CPU unless the last axes are the
    reduced ones.
    """
    operator, (tensor, axis), attributes = reduction("ReduceMax")(node)
    rank = len(node.sizes(0))
    trailing = sorted(node.axis(at, rank) for at in axis) == list(range(rank - len(axis), rank))
    if trailing or node.data_type() not in (FLOAT, FLOAT16, DOUBLE):
        return operator, [tensor, axis], attributes
    smallest = node.make(
        "ReduceMin", [node.make("Neg", [tensor], shape=node.sizes(0)), axis], attributes
    )
    return "Neg", [smallest], {}


def deviation(node: Node) -> Replacement:
    """The standard deviation and the mean; MindSpore Lite 2.0 skips ReduceStd."""
    axis = node.constant(1, "axis")
    shape, x = node.shape(0), node.inputs[0]
    axis = (axis,) if isinstance(axis, int) else tuple(axis) or tuple(range(len(shape)))
    axis = tuple(node.axis(at, len(shape)) for at in axis)
    kept = tuple(1 if at in axis else size for at, size in enumerate(shape))
    count = math.prod(shape[at] for at in axis)
    mean = node.make("ReduceMean", [x, axis], {"keep_dims": True}, shape=kept)
    x = node.make("Sub", [x, mean], shape=shape)
    x = node.make("Mul", [x, x], shape=shape)
    variance = node.make("ReduceMean", [x, axis], {"keep_dims": True}, shape=kept)
    if node.constant(2, "unbiased"):
        correction = node.number(count / max(count - 1, 1))
        variance = node.make("Mul", [variance, correction], shape=kept)
    result = node.make("Sqrt", [variance], shape=kept)
    keep = {"keep_dims": bool(node.constant(3, "keep_dims"))}
    return "MakeTuple", [node.make("ReduceMean", [name, axis], keep) for name in (result, mean)], {}


def lp_norm(node: Node) -> Replacement:
    """(sum of |x| ** p) ** (1 / p) over some axes."""
    given, shape = node.attributes(), node.sizes(0)
    axis, p = given["axis"], given["p"]
    axis = (axis,) if isinstance(axis, int) else tuple(axis) or tuple(range(len(shape)))
    if p < 1:
        raise Refused("a norm of p below 1 is not expressed")
    x = node.make("Abs", node.inputs[:1], shape=shape)
    if p > 1:
        x = node.make("Pow", [x, node.number(p)], shape=shape)
    keep = {"keep_dims": bool(given["keep_dims"]), "skip_mode": False}
    if p == 1:
        return "ReduceSum", [x, axis], keep
    return "Pow", [node.make("ReduceSum", [x, axis], keep), node.number(1 / p)], {}


def l2_normalize(node: Node) -> Replacement:
    """x / sqrt(max(sum of x * x, epsilon)): MindSpore Lite 2.0 has it for the last axis only."""
    given, shape, x = node.attributes(), node.sizes(0), node.inputs[0]
    axis = given["axis"]
    axis = (axis,) if isinstance(axis, int) else tuple(axis)
    axis = tuple(node.axis(at, len(shape)) for at in axis)
    kept = tuple(1 if at in axis else size for at, size in enumerate(shape))
    square = node.make("Mul", [x, x])
    keep = {"keep_dims": True, "skip_mode": False}
    size = node.make("ReduceSum", [square, axis], keep, shape=kept)
    size = node.make("Maximum", [size, node.number(given["epsilon"])], shape=kept)
    return "Mul", [x, node.make("Rsqrt", [size], shape=kept)], {}


def argmax(node: Node) -> Replacement:
    """ArgMaxExt without an axis looks at the flattened tensor, which the old Argmax cannot."""
    if not node.has(1) or node.constant(2, "keepdim"):
        raise Refused("give it an axis and keepdim=False")
    return (
        "Argmax",
        node.inputs[:1],
        {"axis": node.constant(1, "dim"), "output_type": DataType(node.data_type())},
    )


def extreme_of_axis(largest: bool, index_first: bool) -> Rule:
    """MindSpore Lite has no operator for an extreme and its place together: one for each."""

    def rule(node):
        axis, keep = node.constant(1, "axis"), bool(node.constant(2, "keep_dims"))
        kinds, sizes = [kind for kind, _ in node.results], node.sizes(0)
        where, what = (0, 1) if index_first else (1, 0)
        x = node.inputs[0]
        negative = node.make("Neg", [x], shape=sizes, data_type=kinds[what])
        flat = tuple(n for at, n in enumerate(sizes) if at != node.axis(axis, len(sizes)))
        place = node.make(
            "Argmax",
            [x if largest else negative],
            {"axis": axis, "output_type": DataType(kinds[where])},
            shape=flat,
            data_type=kinds[where],
        )
        if keep:
            place = node.make("Reshape", [place, node.shape()], data_type=kinds[where])
        # The minimum serves both: see reduce_max.
        extreme = node.make(
            "ReduceMin",
            [negative if largest else x, (axis,)],
            {"keep_dims": keep},
            data_type=kinds[what],
        )
        if largest:
            extreme = node.make("Neg", [extreme], data_type=kinds[what])
        return "MakeTuple", [place, extreme] if index_first else [extreme, place], {}

    return rule


def clamp(node: Node) -> Replacement:
    """Both limits are optional."""
    tensor = node.cast(node.inputs[0], node.data_type())
    if node.has(1):
        tensor = node.make("Maximum", [tensor, node.cast(node.inputs[1], node.data_type())])
    if node.has(2):
        return "Minimum", [tensor, node.cast(node.inputs[2], node.data_type())], {}
    return "Reshape", [tensor, node.shape()], {}


def round_number(node: Node) -> Replacement:
    """Decimals came after MindSpore 2.0."""
    if node.has(1) and node.constant(1, "decimals"):
        raise Refused("decimals other than 0 came after MindSpore 2.0; multiply, round and divide")
    return "Round", node.inputs[:1], {}


def first(operator: str, count: int, **attributes: Constant) -> Rule:
    """The same operator by its old name: the first `count` inputs, attributes fixed."""
    return lambda node: (operator, node.inputs[:count], dict(attributes))


def cast(node: Node) -> Replacement:
    """MindSpore 2.0 wrote down both data types, too."""
    kind = data_type(node.constant(1, "dtype"))
    if kind == BOOL != node.data_type(0):
        return "NotEqual", [node.inputs[0], node.number(0, node.data_type(0))], {}
    return "Cast", [node.inputs[0], kind], {"SrcT": DataType(node.data_type(0)), "DstT": kind}


def softmax(node: Node) -> Replacement:
    """MindSpore Lite 2.0 counts no axis from the end but the last. None is the first axis of one or
    three, else the second.
    """
    axis, rank = node.constant(1, "axis"), len(node.sizes(0))
    if axis is None:
        axis = 0 if rank in (1, 3) else 1
    (axis,) = (axis,) if isinstance(axis, int) else axis
    axis, operator = node.axis(axis, rank), node.operator.removesuffix("Ext")
    tensor = node.cast(node.inputs[0], node.data_type())
    return operator, [tensor], {"axis": axis if "Log" in operator else (axis,)}


def reduce_any(node: Node) -> Replacement:
    """Not all are not: MindSpore Lite 2.0 skips ReduceAny."""
    operator, (x, axis), attributes = reduction("ReduceAll")(node)
    x = node.make("LogicalNot", [x], shape=node.sizes(0), data_type=BOOL)
    return "LogicalNot", [node.make(operator, [x, axis], attributes)], {}


def argmin(node: Node) -> Replacement:
    """Where the largest of -x is: MindSpore Lite 2.0 has no Argmin."""
    kind, shape = node.type_of(node.inputs[0])
    negative = node.make("Neg", node.inputs[:1], shape=shape, data_type=kind)
    place = {"axis": node.constant(1, "axis"), "output_type": DataType(node.data_type())}
    return "Argmax", [negative], place


REDUCTIONS = {
    "ReduceMean": "ReduceMean",
    "ReduceSum": "ReduceSum",
    "ReduceMin": "ReduceMin",
    "Min": "ReduceMin",
    "ReduceProd": "ReduceProd",
    "ReduceAll": "ReduceAll",
    "MeanExt": "ReduceMean",
    "SumExt": "ReduceSum",
    "ProdExt": "ReduceProd",
}
RULES = {
    **{name: reduction(operator) for name, operator in REDUCTIONS.items()},
    **dict.fromkeys(("ClampScalar", "ClampTensor", "Hardtanh"), clamp),
    "ReduceMax": reduce_max,
    "Max": reduce_max,
    "Cast": cast,
    "ReduceStd": deviation,
    "ReduceAny": reduce_any,
    "LpNorm": lp_norm,
    "L2Normalize": l2_normalize,
    "Argmin": argmin,
    **dict.fromkeys(("Softmax", "LogSoftmax", "LogSoftmaxExt"), softmax),
    "Rint": first("Round", 1),
    "ArgMaxExt": argmax,
    "ArgMaxWithValue": extreme_of_axis(True, index_first=True),
    "ArgMinWithValue": extreme_of_axis(False, index_first=True),
    "MaxDim": extreme_of_axis(True, index_first=False),
    "MinDim": extreme_of_axis(False, index_first=False),
    "Inv": first("Reciprocal", 1),
    "Round": round_number,
    "CumsumExt": lambda node: (
        "CumSum",
        [node.cast(node.inputs[0], node.data_type()), node.inputs[1]],
        {"exclusive": False, "reverse": False},
    ),
    **arithmetic.RULES,
    **functions.RULES,
    **indexing.RULES,
    **selection.RULES,
    **shapes.RULES,
    **layers.RULES,
}
