"""Rules for two operands: arithmetic and comparisons, of tensors and numbers of any types."""

from .mindir import (
    BOOL,
    DOUBLE,
    FLOAT,
    FLOAT16,
    INT8,
    INT16,
    INT32,
    INT64,
    UINT8,
    Refused,
)
from .node import Node, Replacement, Rule
from .products import common_shape

INTEGERS = (UINT8, INT8, INT16, INT32, INT64)
MOST_FACTORS = 32  # of a power that is written as products
WIDTH = [BOOL, UINT8, INT8, INT16, INT32, INT64, FLOAT16, FLOAT, DOUBLE]


def promoted(kinds: list[int], numbers: list[float]) -> int:
    """The data type in which MindSpore computes with tensors of `kinds` and Python `numbers`: a
    number widens a tensor only by its sort, as a fraction beside integers.
    """
    kind = max(kinds, default=BOOL, key=lambda kind: WIDTH.index(kind) if kind in WIDTH else 99)
    if set(kinds) == {UINT8, INT8}:
        kind = INT16
    if any(isinstance(number, float) for number in numbers) and kind in (BOOL, *INTEGERS):
        return FLOAT
    if kind == BOOL and any(not isinstance(number, bool) for number in numbers):
        return INT32
    return kind


def operand_type(node: Node, count: int = 2) -> int:
    """The data type that the first `count` operands take: the result's, or that in which a
    comparison is made.
    """
    result = node.data_type()
    if result != BOOL:
        return result
    values = [node.constants.get(name) for name in node.inputs[:count]]
    numbers = [value for value in values if isinstance(value, (int, float))]
    kinds = [
        node.data_type(index)
        for index, value in enumerate(values)
        if not isinstance(value, (int, float))
    ]
    kind = promoted(kinds, numbers)
    return INT32 if kind == BOOL else kind  # MindSpore Lite 2.0 compares no truth values.


def binary(operator: str) -> Rule:
    """Operands may be numbers or of two types today; the old operator takes two tensors of one
    type.
    """

    def rule(node):
        kind = operand_type(node)
        return operator, [node.cast(name, kind) for name in node.inputs[:2]], {}

    return rule


def with_alpha(operator: str) -> Rule:
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


def in_place(rule: Rule) -> Rule:
    """`x += y` changes x for all who read it later; a new tensor is the same only if nobody
    does.
    """

    def checked(node):
        if node.uses[node.inputs[0]] > 1:
            raise Refused("it changes a tensor in place that is read later, too; write x = x + y")
        return rule(node)

    return checked


def floor_divide(node: Node) -> Replacement:
    """MindSpore Lite 2.0 divides integers as float32 and towards zero. Its FloorMod is exact, so
    what the quotient of fractions leaves over is divided again.
    """
    _, (left, right), _ = binary("FloorDiv")(node)
    kind = node.data_type()
    if kind not in INTEGERS:
        return "FloorDiv", [left, right], {}
    divisor = node.cast(right, FLOAT)
    about = node.make("RealDiv", [node.cast(left, FLOAT), divisor], data_type=FLOAT)
    about = node.cast(node.make("Floor", [about], data_type=FLOAT), kind)
    rest = node.make("Sub", [left, node.make("Mul", [about, right])])
    rest = node.make("Sub", [rest, node.make("FloorMod", [rest, right])])
    more = node.make("RealDiv", [node.cast(rest, FLOAT), divisor], data_type=FLOAT)
    more = node.cast(node.make("Round", [more], data_type=FLOAT), kind)
    return "Add", [about, more], {}


def divide_rounded(node: Node) -> Replacement:
    """DivMod divides and rounds: not at all, towards zero (1) or down (2)."""
    mode = node.constant(2, "rounding_mode") if node.has(2) else None
    if mode == 1:
        raise Refused(
            "dividing with rounding towards zero came after MindSpore 2.0; use floor division"
        )
    return (binary("RealDiv") if mode is None else floor_divide)(node)


def power(node: Node) -> Replacement:
    """MindSpore Lite 2.0 raises fractions only, and to several powers without broadcasting and
    as if negative ones were positive.
    """
    _, (base, exponent), _ = binary("Pow")(node)
    number, kind = node.constant_number(1), node.data_type()
    if kind in INTEGERS:
        return _integer_power(node, base, number)
    if number is not None:
        return "Pow", [base, exponent], {}
    base, exponent = (node.broadcast(value, kind) for value in (base, exponent))
    raised = node.make("Pow", [base, node.make("Abs", [exponent])])
    negative = node.make("Less", [exponent, node.number(0)], data_type=BOOL)
    return "Select", [negative, node.make("RealDiv", [node.number(1), raised]), raised], {}


def _integer_power(node, base, exponent):
    """(operator, inputs, attributes) of an integer to a constant power, as products."""
    if exponent is None or exponent < 1 or exponent > MOST_FACTORS:
        raise Refused("MindSpore Lite 2.0 raises no integers; cast them to float32 first")
    result = base
    for _ in range(int(exponent) - 2):
        result = node.make("Mul", [result, base])
    return ("Mul", [result, base], {}) if exponent > 1 else ("Reshape", [base, node.sizes()], {})


def square(node: Node) -> Replacement:
    """MindSpore Lite 2.0 squares fractions only."""
    if node.data_type() in INTEGERS:
        return "Mul", [node.inputs[0], node.inputs[0]], {}
    return "Square", node.inputs[:1], {}


def squared_difference(node: Node) -> Replacement:
    """MindSpore Lite 2.0 squares fractions only."""
    operator, inputs, attributes = binary("SquaredDifference")(node)
    if node.data_type() not in INTEGERS:
        return operator, inputs, attributes
    difference = node.make("Sub", inputs)
    return "Mul", [difference, difference], {}


def added(operator: str) -> Rule:
    """x + value * (one * other), or the quotient."""

    def rule(node):
        kind = node.data_type()
        x, one, other, value = (node.cast(name, kind) for name in node.inputs[:4])
        shape = common_shape(node.shape(1), node.shape(2))
        part = node.make(operator, [one, other], shape=shape)
        return "Add", [x, node.make("Mul", [part, value])], {}

    return rule


def bitwise(operator: str) -> Rule:
    """Of truth values, the logical operator; MindSpore Lite 2.0 has none for numbers."""

    def rule(node):
        if node.data_type() != BOOL:
            return node.operator, node.inputs, {}
        return (logical_xor if operator == "Xor" else logical(f"Logical{operator}"))(node)

    return rule


def logical(operator: str) -> Rule:
    """MindSpore Lite 2.0 takes other numbers than 0 and 1 for what their bits are."""
    return lambda node: (operator, [node.cast(name, BOOL) for name in node.inputs[:2]], {})


def logical_xor(node: Node) -> Replacement:
    """Whether two truth values differ."""
    return "NotEqual", [node.cast(node.cast(name, BOOL), INT32) for name in node.inputs[:2]], {}


# What each operator is in MindSpore 2.0.
BINARY = {
    **{
        name: name
        for name in (
            *("Add", "Sub", "Mul", "Div", "Maximum", "Minimum", "FloorMod", "Mod"),
            *("Equal", "NotEqual", "Greater", "GreaterEqual", "Less"),
            *("LessEqual", "Atan2", "Xdivy"),
        )
    },
    "RealDiv": "RealDiv",
    "Muls": "Mul",
    "Divs": "RealDiv",
    "EqScalar": "Equal",
    "LessScalar": "Less",
    "GreaterEqualScalar": "GreaterEqual",
    "RemainderTensorScalar": "FloorMod",
    "RemainderScalarTensor": "FloorMod",
    "RemainderTensorTensor": "FloorMod",
    "Atan2Ext": "Atan2",
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
    **{name: in_place(rule) for name, rule in IN_PLACE.items()},
    **{name: with_alpha("Add") for name in ("AddExt", "AddScalar")},
    **{name: with_alpha("Sub") for name in ("SubExt", "SubScalar")},
    **dict.fromkeys(("DivMod", "DivMods"), divide_rounded),
    **dict.fromkeys(("FloorDiv", "FloorDivScalar"), floor_divide),
    **dict.fromkeys(("Pow", "PowTensorScalar", "PowScalarTensor"), power),
    **{name: logical(name) for name in ("LogicalAnd", "LogicalOr", "LogicalNot")},
    "LogicalXor": logical_xor,
    **{f"Bitwise{name}": bitwise(name) for name in ("And", "Or", "Xor")},
    "Square": square,
    "Addcmul": added("Mul"),
    "Addcdiv": added("RealDiv"),
    "SquaredDifference": squared_difference,
}
