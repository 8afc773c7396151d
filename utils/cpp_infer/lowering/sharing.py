"""A weight of its own for each operator that uses it.

MindSpore Lite 2.0.0 packs a weight once, under its name, in the layout that one of its users wants,
and folds what follows a layer into the layer's bias in place. Whoever else uses that weight or bias
then computes with other numbers, and nothing says so. Where a weight is computed from others, the
runtime computes it beforehand and treats the result likewise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import mindir
from .mindir import (
    CONSTANT,
    GRAPH_NODE,
    GRAPH_OUTPUT,
    GRAPH_PARAMETER,
    NODE_ATTRIBUTE,
    NODE_DOMAIN,
    NODE_INPUT,
    NODE_NAME,
    NODE_OP_TYPE,
    NODE_OUTPUT,
    VALUE_NAME,
    Refused,
)
from .wire import BYTES, Message, one, parse, string_field, text, values

if TYPE_CHECKING:
    from .lower import Lowering

MOST_COPIES = 20_000  # of nodes: weights computed from each other may double with each step
EFFECTS = {"side_effect_mem", "side_effect_hidden", "side_effect_io"}  # attributes of primitives


def _renamed(fields, places, name):
    """`fields` with `name` in the fields that are numbered `places`."""
    return [
        string_field(number, name) if number in places else [number, kind, value]
        for number, kind, value in fields
    ]


class _Constants:
    """What does not depend on the inputs of a graph, and the copies made of it so far."""

    def __init__(self, rest, changed):
        self.parameters, self.makers, self.used = {}, {}, set()
        self.nodes, self.copies, self.count = [], [], 0
        for number, _, value in rest:
            if number == GRAPH_PARAMETER:
                fields = parse(value)
                name = text(one(fields, mindir.TENSOR_NAME, b""))
                if name not in changed:
                    self.parameters[name] = fields

    def __contains__(self, name):
        return name in self.parameters or name in self.makers

    def own(self, name):
        """`name` if this is its first user, or else that of a copy; what computes it is added to
        `nodes`.
        """
        again = name in self.used
        self.used.add(name)
        self.count += again
        if self.count > MOST_COPIES:
            raise Refused("they are computed from each other in too many ways to copy them")
        result = f"{name}:copy:{self.count}" if again else name
        if name in self.makers:
            node = self.with_own_inputs(self.makers[name])
            if again:
                node = _renamed(node, (NODE_OUTPUT, NODE_NAME, NODE_DOMAIN), result)
            self.nodes.append([GRAPH_NODE, BYTES, node])
        elif again:
            fields = _renamed(self.parameters[name], (mindir.TENSOR_NAME,), result)
            self.copies.append([GRAPH_PARAMETER, BYTES, fields])
        return result

    def take_nodes(self):
        """The nodes added since the last call."""
        nodes, self.nodes = self.nodes, []
        return nodes

    def with_own_inputs(self, fields, place=NODE_INPUT):
        """`fields` with each constant named in a field numbered `place` replaced by one of its
        own.
        """
        return [
            string_field(number, self.own(text(value)))
            if number == place and text(value) in self
            else [number, kind, value]
            for number, kind, value in fields
        ]


def _renamed_inputs(node, names):
    return [
        string_field(number, names.get(text(value), text(value)))
        if number == NODE_INPUT
        else [number, kind, value]
        for number, kind, value in node
    ]


def _is_monad(node):
    """Whether a constant is one of those that order execution."""
    kinds = [one(parse(item), mindir.ATTRIBUTE_TYPE) for item in values(node, NODE_ATTRIBUTE)]
    return kinds in ([mindir.UMONAD], [mindir.IOMONAD])


def _effects(nodes, lowering):
    """What must stay one: (the names of results of operators that draw numbers or change
    something, the names of what they change).
    """
    results, changed = set(), set()
    for node, _ in nodes:
        primitive = lowering.primitive_of(node) or []
        names = {
            text(one(parse(item), mindir.ATTRIBUTE_NAME, b""))
            for item in values(primitive, mindir.PRIMITIVE_ATTRIBUTE)
        }
        if names & EFFECTS:
            results.add(text(one(node, NODE_OUTPUT, b"")))
        if "side_effect_mem" in names:
            changed.update(map(text, values(node, NODE_INPUT)))
    return results, changed


def one_use_each(nodes: list[tuple[Message, list]], rest: Message, lowering: Lowering) -> Message:
    """The fields of a graph made of `nodes`, [(node, its field), ...], and the `rest` of its
    fields, where no two operators use the same parameter or constant.

    Raises Refused.
    """
    effects, changed = _effects(nodes, lowering)
    constants, monads, result = _Constants(rest, changed), {}, []
    for node, field in nodes:
        name, operator = text(one(node, NODE_OUTPUT, b"")), lowering.operator_of(node)
        inputs = [text(value) for value in values(node, NODE_INPUT)]
        fixed = name not in effects and all(item in constants or item in monads for item in inputs)
        if any(monads.get(item, item) != item for item in inputs):
            node = _renamed_inputs(node, monads)
            field = [GRAPH_NODE, BYTES, node]
        if text(one(node, NODE_OP_TYPE, b"")) == CONSTANT and _is_monad(node):
            monads[name] = name
            result.append(field)
        elif fixed and operator == "UpdateState":
            monads[name] = monads[inputs[0]]  # Nothing has happened since.
        elif fixed:
            constants.makers[name] = node
        elif operator != "UpdateState" and any(item in constants for item in inputs):
            node = constants.with_own_inputs(node)
            result += [*constants.take_nodes(), [GRAPH_NODE, BYTES, node]]
        else:
            result.append(field)
    rest = [
        [number, kind, constants.with_own_inputs(parse(value), VALUE_NAME)]
        if number == GRAPH_OUTPUT
        else [number, kind, value]
        for number, kind, value in rest
    ]
    return [*result, *constants.take_nodes(), *rest, *constants.copies]
