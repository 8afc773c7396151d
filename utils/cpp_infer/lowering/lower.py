"""Rewrite a parsed MindIR model of version 2 or 3 to version 1.

Version 2 brought "primitive functions": operators whose attributes became trailing inputs, mostly constants.
Version 1 wants them back as attributes of the primitive. signatures.json says which; rules.py has the rest.
"""
import json
from collections import Counter
from pathlib import Path

from . import mindir, wire
from .mindir import DataType, Opaque
from .rules import KINDS, RULES, Refused
from .wire import BYTES, VARINT, Damaged, one, parse, string_field, text, values

SIGNATURES = json.loads((Path(__file__).parent / "signatures.json").read_text())
PRIMITIVE_FUNCTION = 2
REFERENCE = "REF::"


class Node:
    """One operator of a graph, as rules see it: `operator`, `name`, `inputs` (names) and constant inputs."""

    def __init__(self, fields, operator, constants):
        self.fields, self.operator, self.constants = fields, operator, constants
        self.name = text(one(fields, mindir.NODE_NAME, b""))
        self.inputs = [text(value) for value in values(fields, mindir.NODE_INPUT)]

    def has(self, index):
        return index < len(self.inputs)

    def constant(self, index, argument):
        """The value of constant input `index`. Raises Refused when it is computed."""
        if not self.has(index):
            raise Refused(f"its argument '{argument}' is missing")
        name = self.inputs[index]
        if name not in self.constants:
            raise Refused(f"its argument '{argument}' is computed by the network; version 1 wants a constant")
        return self.constants[name]

    def data_type(self):
        """TensorProto.DataType of the first output, or None."""
        for item in values(self.fields, mindir.NODE_ATTRIBUTE):
            item = parse(item)
            if text(one(item, mindir.ATTRIBUTE_NAME, b"")) == "shape":
                for tensor in values(item, mindir.ATTRIBUTE_TENSORS):
                    return one(parse(tensor), mindir.TENSOR_TYPE)
        return None


def by_signature(node):
    """(operator, inputs, attributes) by the table. Raises Refused."""
    signature = SIGNATURES.get(node.operator)
    if signature is None:
        raise Refused("MindSpore 2.0 has no such operator")
    keep, attributes = signature["keep"], {}
    inputs = []
    for index, argument in enumerate(signature["arguments"]):
        argument, _, kind = argument.partition(":")
        if index < keep:
            if node.has(index):
                convert = kind in ("type",) and node.inputs[index] in node.constants
                inputs.append(KINDS[kind](node.constant(index, argument)) if convert else node.inputs[index])
        else:
            value = node.constant(index, argument)
            attributes["format" if argument == "data_format" else argument] = KINDS[kind](value)
    inputs += node.inputs[len(signature["arguments"]):]
    if signature["inputs"]:
        attributes = {"input_names": list(signature["inputs"]), "output_names": list(signature["outputs"]), **attributes}
    return node.operator, inputs, attributes


class Lowering:
    """The state of one conversion: the primitives of the new file, what was rewritten and what was refused."""

    def __init__(self, model):
        self.primitives, self.kept, self.new = {}, {}, {}
        for fields in map(parse, values(model, mindir.MODEL_PRIMITIVE)):
            self.primitives[text(one(fields, mindir.PRIMITIVE_NAME, b""))] = fields
        self.rewritten, self.refused = Counter(), []

    def primitive(self, operator, attributes, instance):
        """The name of the primitive with these attributes, made when there is none yet."""
        fields = [string_field(mindir.PRIMITIVE_OP_TYPE, operator)]
        fields += [[mindir.PRIMITIVE_ATTRIBUTE, BYTES, mindir.attribute(key, value)]
                   for key, value in attributes.items()]
        fields.append([mindir.PRIMITIVE_INSTANCE, BYTES, instance])
        key = wire.to_bytes(fields)
        if key not in self.new:
            name = f"{operator}:lowered:{len(self.new)}"
            self.new[key] = [string_field(mindir.PRIMITIVE_NAME, name), *fields]
        return text(self.new[key][0][2])

    def graph(self, fields):
        """One graph with its nodes rewritten."""
        parsed = [(parse(value) if number == mindir.GRAPH_NODE else None) for number, _, value in fields]
        constants, constant_nodes = {}, {}
        for node in filter(None, parsed):
            if text(one(node, mindir.NODE_OP_TYPE, b"")) == "Constant":
                name = text(one(node, mindir.NODE_OUTPUT, b""))
                constants[name] = self.constant(node)
                constant_nodes[id(node)] = name
        result, used = [], set()
        for node, field in zip(parsed, fields):
            if node is None or id(node) in constant_nodes:
                result.append((node, field))
                continue
            for new in self.node(node, constants):
                used.update(text(value) for value in values(new, mindir.NODE_INPUT))
                result.append((new, [mindir.GRAPH_NODE, BYTES, field[2] if new is node else new]))
        for value in values(fields, mindir.GRAPH_OUTPUT):
            used.add(text(one(parse(value), 1, b"")))
        return [field for node, field in result if id(node) not in constant_nodes or constant_nodes[id(node)] in used]

    @staticmethod
    def constant(node):
        for item in map(parse, values(node, mindir.NODE_ATTRIBUTE)):
            if text(one(item, mindir.ATTRIBUTE_NAME, b"")) == "value":
                return mindir.read_value(item)
        raise Damaged("a constant has no value")

    def node(self, fields, constants):
        """The nodes that stand for this one in version 1: itself when nothing changes."""
        target = text(one(fields, mindir.NODE_OP_TYPE, b"")).replace(REFERENCE, "", 1)
        primitive = self.primitives.get(target)
        if primitive is None:
            return [fields]
        if one(primitive, mindir.PRIMITIVE_TYPE) != PRIMITIVE_FUNCTION:
            self.kept[target] = primitive
            return [fields]
        node = Node(fields, text(one(primitive, mindir.PRIMITIVE_OP_TYPE, b"")), constants)
        try:
            operator, inputs, attributes = RULES.get(node.operator, by_signature)(node)
        except Refused as reason:
            self.refused.append(f"{node.operator} (node {node.name}): {reason}")
            return [fields]
        self.rewritten[node.operator] += 1
        made, names = [], []
        for index, item in enumerate(inputs):
            if not isinstance(item, str):
                constant = f"{node.name}:constant:{index}"
                made.append([string_field(mindir.NODE_OUTPUT, constant), string_field(mindir.NODE_NAME, constant),
                             string_field(mindir.NODE_OP_TYPE, "Constant"),
                             [mindir.NODE_ATTRIBUTE, BYTES, mindir.attribute("value", item)]])
                item = constant
            names.append(string_field(mindir.NODE_INPUT, item))
        name = self.primitive(operator, attributes, one(primitive, mindir.PRIMITIVE_INSTANCE, b""))
        rest = [field for field in fields if field[0] not in (mindir.NODE_INPUT, mindir.NODE_OP_TYPE)]
        return [*made, [*names, *rest[:2], string_field(mindir.NODE_OP_TYPE, REFERENCE + name), *rest[2:]]]


def version_of(model):
    """The mind_ir_version of a parsed model; files before it existed count as 1."""
    return wire.signed(one(model, mindir.MODEL_VERSION, 1))


def lower(model):
    """(fields of the version 1 model, the Lowering that made it)."""
    lowering = Lowering(model)
    result = []
    for number, kind, value in model:
        if number in (mindir.MODEL_GRAPH, mindir.MODEL_FUNCTION):
            value = lowering.graph(parse(value))
        if number not in (mindir.MODEL_PRIMITIVE, mindir.MODEL_VERSION):
            result.append([number, kind, value])
    for primitive in [*lowering.kept.values(), *lowering.new.values()]:
        result.append([mindir.MODEL_PRIMITIVE, BYTES, primitive])
    return [*result, [mindir.MODEL_VERSION, VARINT, 1]], lowering
