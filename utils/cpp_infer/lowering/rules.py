"""What the table of signatures cannot say: operators whose old form differs by more than where a
value stands.

A rule takes a Node and returns (old operator, inputs, attributes) of what takes its place, after
having made what must come before. Inputs are names of tensors, or values that become constants.
"""

import math

from . import layers, shapes
from .kinds import data_type
from .mindir import BOOL, DOUBLE, FLOAT, FLOAT16, INT32, INT64, DataType, Refused

WIDTH = [BOOL, INT32, INT64, FLOAT16, FLOAT, DOUBLE]


def _operand_type(node):
    """The data type both operands of a binary operator take: its result's, or of a comparison
    the wider one.
    """
    result = node.data_type()
    if result != BOOL:
        return result
    tensors = [
        index
        for index in (0, 1)
        if not isinstance(node.constants.get(node.inputs[index]), (int, float))
    ]
    return max(
        (node.data_type(index) for index in tensors),
        default=FLOAT,
        key=lambda kind: WIDTH.index(kind) if kind in WIDTH else -1,
    )


def binary(operator):
    """Operands may be numbers or of two types today; the old operator takes two tensors of one
    type.
    """

    def rule(node):
        kind = _operand_type(node)
        return operator, [node.cast(name, kind) for name in node.inputs[:2]], {}

    return rule


def with_alpha(operator):
    """The third input scales the second operand."""

    def rule(node):
        alpha = node.constant(2, "alpha")
        _, (left, right), _ = binary(operator)(node)
        if alpha != 1:
            right = node.make(
                "Mul",
                [right, node.number(alpha)],
                shape=node.sizes(1) if isinstance(right, str) else (),
            )
        return operator, [left, right], {}

    return rule


def in_place(rule):
    """`x += y` changes x for all who read it later; a new tensor is the same only if nobody
    does.
    """

    def checked(node):
        if node.uses[node.inputs[0]] > 1:
            raise Refused("it changes a tensor in place that is read later, too; write x = x + y")
        return rule(node)

    return checked


def divide_rounded(node):
    """DivMod divides and rounds: not at all, towards zero (1) or down (2)."""
    mode = node.constant(2, "rounding_mode") if node.has(2) else None
    if mode == 1:
        raise Refused(
            "dividing with rounding towards zero came after MindSpore 2.0; use floor division"
        )
    return binary("RealDiv" if mode is None else "FloorDiv")(node)


def reduction(operator):
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


def reduce_max(node):
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


def argmax(node):
    """ArgMaxExt without an axis looks at the flattened tensor, which the old Argmax cannot."""
    if not node.has(1) or node.constant(2, "keepdim"):
        raise Refused("give it an axis and keepdim=False")
    return (
        "Argmax",
        node.inputs[:1],
        {"axis": node.constant(1, "dim"), "output_type": DataType(node.data_type())},
    )


def extreme_of_axis(largest, index_first):
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


def clamp(node):
    """Both limits are optional."""
    tensor = node.inputs[0]
    if node.has(1):
        tensor = node.make("Maximum", [tensor, node.cast(node.inputs[1], node.data_type())])
    if node.has(2):
        return "Minimum", [tensor, node.cast(node.inputs[2], node.data_type())], {}
    return "Reshape", [tensor, node.shape()], {}


def round_number(node):
    """Decimals came after MindSpore 2.0."""
    if node.has(1) and node.constant(1, "decimals"):
        raise Refused("decimals other than 0 came after MindSpore 2.0; multiply, round and divide")
    return "Round", node.inputs[:1], {}


def times_constant(operator, factor, before=False):
    """Exp2 and the logarithms to another base are the natural ones and a factor."""

    def rule(node):
        if before:
            return operator, [node.make("Mul", [node.inputs[0], node.number(factor)])], {}
        return "Mul", [node.make(operator, node.inputs[:1]), node.number(factor)], {}

    return rule


def first(operator, count, **attributes):
    """The same operator by its old name: the first `count` inputs, attributes fixed."""
    return lambda node: (operator, node.inputs[:count], dict(attributes))


def cast(node):
    """MindSpore 2.0 wrote down both data types, too."""
    kind = data_type(node.constant(1, "dtype"))
    return "Cast", [node.inputs[0], kind], {"SrcT": DataType(node.data_type(0)), "DstT": kind}


BINARY = {
    name: name
    for name in (
        "Add",
        "Sub",
        "Mul",
        "Div",
        "RealDiv",
        "Maximum",
        "Minimum",
        "Pow",
        "FloorDiv",
        "FloorMod",
        "Mod",
        "SquaredDifference",
        "Equal",
        "NotEqual",
        "Greater",
        "GreaterEqual",
        "Less",
        "LessEqual",
        "Atan2",
        "Xdivy",
    )
}
BINARY.update(
    {
        "Muls": "Mul",
        "Divs": "RealDiv",
        "EqScalar": "Equal",
        "LessScalar": "Less",
        "GreaterEqualScalar": "GreaterEqual",
        "PowTensorScalar": "Pow",
        "PowScalarTensor": "Pow",
        "RemainderTensorScalar": "FloorMod",
        "RemainderScalarTensor": "FloorMod",
        "RemainderTensorTensor": "FloorMod",
        "Atan2Ext": "Atan2",
    }
)
REDUCTIONS = {
    "ReduceMean": "ReduceMean",
    "ReduceSum": "ReduceSum",
    "ReduceMin": "ReduceMin",
    "Min": "ReduceMin",
    "ReduceProd": "ReduceProd",
    "ReduceAll": "ReduceAll",
    "ReduceAny": "ReduceAny",
    "MeanExt": "ReduceMean",
    "SumExt": "ReduceSum",
    "ProdExt": "ReduceProd",
}
IN_PLACE = {
    "InplaceAddExt": with_alpha("Add"),
    "InplaceAddsExt": with_alpha("Add"),
    "InplaceSubExt": with_alpha("Sub"),
    "InplaceSubScalar": with_alpha("Sub"),
    "InplaceMul": binary("Mul"),
    "InplaceMuls": binary("Mul"),
    "InplaceDiv": binary("RealDiv"),
    "InplaceDivs": binary("RealDiv"),
}
RULES = {
    **{name: binary(operator) for name, operator in BINARY.items()},
    **{name: reduction(operator) for name, operator in REDUCTIONS.items()},
    **{name: in_place(rule) for name, rule in IN_PLACE.items()},
    **{name: with_alpha("Add") for name in ("AddExt", "AddScalar")},
    **{name: with_alpha("Sub") for name in ("SubExt", "SubScalar")},
    **dict.fromkeys(("DivMod", "DivMods"), divide_rounded),
    **dict.fromkeys(("ClampScalar", "ClampTensor", "Hardtanh"), clamp),
    "ReduceMax": reduce_max,
    "Max": reduce_max,
    "Cast": cast,
    "ArgMaxExt": argmax,
    "ArgMaxWithValue": extreme_of_axis(True, index_first=True),
    "ArgMinWithValue": extreme_of_axis(False, index_first=True),
    "MaxDim": extreme_of_axis(True, index_first=False),
    "MinDim": extreme_of_axis(False, index_first=False),
    "Inv": first("Reciprocal", 1),
    "Round": round_number,
    "Exp2": times_constant("Exp", math.log(2), before=True),
    "Log2": times_constant("Log", 1 / math.log(2)),
    "Log10": times_constant("Log", 1 / math.log(10)),
    "CumsumExt": lambda node: (
        "CumSum",
        [node.cast(node.inputs[0], node.data_type()), node.inputs[1]],
        {"exclusive": False, "reverse": False},
    ),
    "OneHotExt": lambda node: ("OneHot", node.inputs[:4], {"axis": node.constant(4, "axis")}),
    "LogSoftmaxExt": lambda node: (
        "LogSoftmax",
        node.inputs[:1],
        {"axis": node.constant(1, "dim")},
    ),
    **shapes.RULES,
    **layers.RULES,
}
