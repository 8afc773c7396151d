"""Rewrite the nodes of one graph."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from . import mindir
from .lite import Observer
from .mindir import (
    CONSTANT,
    GRAPH_NODE,
    GRAPH_OUTPUT,
    NODE_ATTRIBUTE,
    NODE_DOMAIN,
    NODE_INPUT,
    NODE_NAME,
    NODE_OP_TYPE,
    NODE_OUTPUT,
    VALUE_NAME,
    Constant,
)
from .node import REFERENCE, Node, output_of
from .results import Results
from .sharing import one_use_each
from .wire import BYTES, Damaged, Message, one, parse, string_field, text, values

if TYPE_CHECKING:
    from .lower import Lowering


class Graph:
    """A graph: what its constants and tensors are, and which names have given way to others."""

    def __init__(self, fields: Message):
        self.fields = fields
        self.nodes = [parse(value) if number == GRAPH_NODE else None for number, _, value in fields]
        self.constants, self.types = {}, self._declared_types()
        self.tuples, self.renamed, self.removable = {}, {}, set()
        self.uses, self.shared = Counter(), set()  # from here on; by several operators
        self.fixed = {  # what does not depend on inputs, as far as the graph has been read
            text(one(parse(item), mindir.TENSOR_NAME, b""))
            for item in values(self.fields, mindir.GRAPH_PARAMETER)
        }
        for node in filter(None, self.nodes):
            given = {
                text(one(item, mindir.ATTRIBUTE_NAME, b"")): item
                for item in map(parse, values(node, NODE_ATTRIBUTE))
            }
            if text(one(node, NODE_OP_TYPE, b"")) == CONSTANT:
                if "value" not in given:
                    raise Damaged(f"constant {output_of(node)} has no value")
                self.constants[output_of(node)] = mindir.read_value(given["value"])
                self.removable.add(output_of(node))
                self.fixed.add(output_of(node))
            elif "shape" in given:
                self.types[output_of(node)] = mindir.tensor_types(given["shape"])

    def _declared_types(self):
        """{name: [(data type, shape)]} of the parameters and inputs."""
        types = {}
        for item in map(parse, values(self.fields, mindir.GRAPH_PARAMETER)):
            types[text(one(item, mindir.TENSOR_NAME, b""))] = [mindir.tensor_type(item)]
        for item in map(parse, values(self.fields, mindir.GRAPH_INPUT)):
            types[text(one(item, VALUE_NAME, b""))] = [
                mindir.tensor_type(parse(tensor)) for tensor in values(item, 2)
            ]
        return types

    def rewrite(self, lowering: Lowering) -> Message:
        """The fields of the graph with every node as `lowering.replacement` has it."""
        nodes, self.results = [], Results(self, lowering)
        for node in filter(None, self.nodes):
            if lowering.operator_of(node) != "UpdateState":
                self.uses.update(text(value) for value in values(node, NODE_INPUT))
        self.shared = {name for name, count in self.uses.items() if count > 1}
        for node, field in zip(self.nodes, self.fields):
            if node is not None:
                nodes += [
                    (new, field if new is node else [GRAPH_NODE, BYTES, new])
                    for new in self._replace(node, lowering)
                ]
                if lowering.operator_of(node) != "UpdateState":
                    self.uses.subtract(text(value) for value in values(node, NODE_INPUT))
        nodes += [(new, [GRAPH_NODE, BYTES, new]) for new in self.results.of_outputs()]
        rest = [
            [number, kind, self._output(value) if number == GRAPH_OUTPUT else value]
            for number, kind, value in self.fields
            if number != GRAPH_NODE
        ]
        nodes = self._without_unused(nodes, rest)
        lowering.check_runtime(Observer([node for node, _ in nodes], self.types, lowering).uses)
        return one_use_each(nodes, rest, lowering)

    def _output(self, value):
        return [
            [
                number,
                kind,
                self.renamed.get(text(item), text(item)).encode() if number == VALUE_NAME else item,
            ]
            for number, kind, item in parse(value)
        ]

    def _replace(self, fields, lowering):
        """The nodes that stand for this one: itself when nothing changes."""
        primitive = lowering.primitive_of(fields)
        sources = [text(value) for value in values(fields, NODE_INPUT)]
        inputs = [self.renamed.get(name, name) for name in sources]
        if inputs != sources:
            fields = [
                *(string_field(NODE_INPUT, name) for name in inputs),
                *(field for field in fields if field[0] != NODE_INPUT),
            ]
        if primitive is None:
            return [fields]
        if self.fixed.issuperset(sources):
            self.fixed.add(output_of(fields))
        node = Node(fields, primitive, self)
        node.is_shared = bool(self.shared.intersection(sources[:1]))
        if (
            node.operator in ("TupleGetItem", "list_getitem")
            and inputs[0] in self.tuples
            and isinstance(node.constant(1, "index"), int)
        ):
            self.renamed[output_of(fields)] = self.tuples[inputs[0]][node.constant(1, "index")]
            return []
        result = []
        if node.operator == "MakeTuple":
            self.tuples[output_of(fields)] = inputs
        if node.operator == "MakeTuple" and output_of(fields) in self.results.names:
            result, inputs = self.results.of_tuple(inputs)
            replacement = "MakeTuple", inputs, {}
        else:
            replacement = lowering.replacement(node)
        if replacement is None:
            return [fields]
        operator, inputs, attributes = replacement
        for made in node.made:
            result += self.new(lowering, *made)
        if operator == "MakeTuple":
            self.tuples[output_of(fields)] = inputs
            self.removable.add(output_of(fields))
        own = [field for field in fields if field[0] not in (NODE_INPUT, NODE_OP_TYPE)]
        instance = one(primitive, mindir.PRIMITIVE_INSTANCE, b"")
        return result + self._emit(
            node.name, lowering.primitive(operator, attributes, instance), inputs, own
        )

    def new(
        self,
        lowering: Lowering,
        operator: str,
        inputs: list[Constant],
        attributes: dict[str, Constant],
        name: str,
        shape: Message,
    ) -> list[Message]:
        """A new node, after the constants that it needs."""
        own = [
            string_field(NODE_OUTPUT, name),
            string_field(NODE_NAME, name),
            [NODE_ATTRIBUTE, BYTES, shape],
            string_field(NODE_DOMAIN, name),  # MindSpore Lite finds results by it.
        ]
        self.removable.add(name)
        return self._emit(name, lowering.primitive(operator, attributes), inputs, own)

    def _emit(self, name, primitive, inputs, own):
        """A node with these inputs and its `own` other fields, after the constants that it
        needs.
        """
        nodes, names = [], []
        for index, item in enumerate(inputs):
            if not isinstance(item, str):
                constant = f"{name}:constant:{index}"
                nodes.append(
                    [
                        string_field(NODE_OUTPUT, constant),
                        string_field(NODE_NAME, constant),
                        string_field(NODE_OP_TYPE, CONSTANT),
                        [NODE_ATTRIBUTE, BYTES, mindir.attribute("value", item)],
                    ]
                )
                self.removable.add(constant)
                item = constant
            names.append(string_field(NODE_INPUT, item))
        return [
            *nodes,
            [*names, *own[:2], string_field(NODE_OP_TYPE, REFERENCE + primitive), *own[2:]],
        ]

    def _without_unused(self, nodes, rest):
        """`nodes` without those constants and new operators that nothing needs."""
        used = {
            text(one(value, VALUE_NAME, b"")) for number, _, value in rest if number == GRAPH_OUTPUT
        }
        result = []
        for node, field in reversed(nodes):
            if output_of(node) not in self.removable - used:
                used.update(text(value) for value in values(node, NODE_INPUT))
                result.append((node, field))
        return result[::-1]
