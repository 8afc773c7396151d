"""A weight of its own for each operator that uses it.

MindSpore Lite 2.0.0 packs a weight once, under its name, in the layout that one of its users wants,
and folds what follows a layer into the layer's bias in place. Whoever else uses that weight or bias
then computes with other numbers, and nothing says so. Where a weight is computed from others, the
runtime computes it beforehand and treats the result likewise. Operators that only read a weight,
to compute another from it, share one.
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
# Of what is computed beforehand; they neither pack a weight nor fold anything into it.
READERS = {"Add", "Sub", "Mul", "Div", "Pow", "Sqrt", "ReduceMean", "ReduceSum"}
EFFECTS = {"side_effect_mem", "side_effect_hidden", "side_effect_io"}  # attributes of primitives


def _renamed(fields, places, name):
    """`fields` with `name` in the fields that are numbered `places`."""
    return [
        string_field(number, name) if number in places else [number, kind, value]
        for number, kind, value in fields
    ]


class _Constants:
    """What does not depend on the inputs of a graph, and the copies made of it so far."""

    def __init__(self, rest, changed, operator_of):
        self.parameters, self.makers, self.used = {}, {}, set()
        self.operator_of, self.read = operator_of, {}
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
            node = self.makers[name]
            reads = self.operator_of(node) in READERS
            node = self.with_own_inputs(node, own=self.to_read if reads else self.own)
            if again:
                node = _renamed(node, (NODE_OUTPUT, NODE_NAME, NODE_DOMAIN), result)
            self.nodes.append([GRAPH_NODE, BYTES, node])
        elif again:
            fields = _renamed(self.parameters[name], (mindir.TENSOR_NAME,), result)
            self.copies.append([GRAPH_PARAMETER, BYTES, fields])
        return result

    def to_read(self, name):
        """The name of what all READERS use in place of `name`; each has its own of what a layer
        gives, into which the runtime may fold it.
        """
        if name in self.makers and self.operator_of(self.makers[name]) not in {*READERS, "Load"}:
            return self.own(name)
        if name not in self.read:
            self.read[name] = self.own(name)
        return self.read[name]

    def take_nodes(self):
        """The nodes added since the last call."""
        nodes, self.nodes = self.nodes, []
        return nodes

    def with_own_inputs(self, fields, place=NODE_INPUT, own=None):
        """`fields` with each constant named in a field numbered `place` replaced by one of its
        own, or by what `own` gives for it.
        """
        own = own or self.own
        return [
            string_field(number, own(text(value)))
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


def _with_inputs(node, names):
    rest = [field for field in node if field[0] != NODE_INPUT]
    return [*(string_field(NODE_INPUT, name) for name in names), *rest]


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


def _order_only(nodes, rest, lowering):
    """{name of a tuple that is there for nothing but the order of execution: its elements}"""
    tuples, used = (
        {},
        {
            text(one(parse(value), VALUE_NAME, b""))
            for number, _, value in rest
            if number == GRAPH_OUTPUT
        },
    )
    for node, _ in nodes:
        operator, inputs = lowering.operator_of(node), list(map(text, values(node, NODE_INPUT)))
        if operator == "MakeTuple":
            tuples[text(one(node, NODE_OUTPUT, b""))] = inputs
        if operator != "UpdateState":
            used.update(inputs)
    return {name: inputs for name, inputs in tuples.items() if name not in used}


class _Order:
    """What has happened by when, by the names of monads, of which some stand for others."""

    def __init__(self, tuples):
        self.tuples, self.same, self.idle = tuples, {}, set()

    def begin(self, name):
        """A monad before which nothing has happened."""
        self.same[name] = name
        self.idle.add(name)

    def update(self, name, inputs, constants):
        """What happens between one monad and the next: inputs of an UpdateState, or nothing."""
        first, *after = inputs
        after = [item for name in after for item in self.tuples.get(name, [name])]
        after = [item for item in after if item not in constants and item not in self.idle]
        if not after:  # Weights do not change.
            self.same[name] = self.same.get(first, first)
            self.idle.update({name} if first in self.idle else ())
        return after

    def rename(self, node):
        """(node, whether it is another than before)"""
        inputs = [text(value) for value in values(node, NODE_INPUT)]
        if all(self.same.get(item, item) == item for item in inputs):
            return node, False
        return _renamed_inputs(node, self.same), True


def one_use_each(nodes: list[tuple[Message, list]], rest: Message, lowering: Lowering) -> Message:
    """The fields of a graph made of `nodes`, [(node, its field), ...], and the `rest` of its
    fields, where no two operators use the same parameter or constant.

    Raises Refused.
    """
    effects, changed = _effects(nodes, lowering)
    constants, result = _Constants(rest, changed, lowering.operator_of), []
    order = _Order(_order_only(nodes, rest, lowering))
    for node, field in nodes:
        name, operator = text(one(node, NODE_OUTPUT, b"")), lowering.operator_of(node)
        inputs = [text(value) for value in values(node, NODE_INPUT)]
        fixed = name not in effects and all(
            item in constants or item in order.idle for item in inputs
        )
        if operator == "UpdateState":
            after = order.update(name, inputs, constants)
            if after:
                node = _with_inputs(node, [order.same.get(inputs[0], inputs[0]), *after])
                result.append([GRAPH_NODE, BYTES, node])
        if operator == "UpdateState" or name in order.tuples:
            continue
        node, is_renamed = order.rename(node)
        if text(one(node, NODE_OP_TYPE, b"")) == CONSTANT and _is_monad(node):
            order.begin(name)
            result.append(field)
        elif fixed:
            constants.makers[name] = node
        elif any(item in constants for item in inputs):
            node = constants.with_own_inputs(node)
            result += [*constants.take_nodes(), [GRAPH_NODE, BYTES, node]]
        else:
            result.append([GRAPH_NODE, BYTES, node] if is_renamed else field)
    rest = [
        [number, kind, constants.with_own_inputs(parse(value), VALUE_NAME)]
        if number == GRAPH_OUTPUT
        else [number, kind, value]
        for number, kind, value in rest
    ]
    return [*result, *constants.take_nodes(), *rest, *constants.copies]
