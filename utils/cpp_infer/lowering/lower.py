"""Rewrite a parsed MindIR model of version 2 or 3 to version 1.

Version 2 brought "primitive functions": operators whose attributes became trailing inputs, mostly
constants. Version 1 wants them back as attributes of the primitive. signatures.json says which;
rules.py has the rest.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from . import lite, mindir, wire
from .graph import Graph
from .kinds import KINDS
from .mindir import Constant, Refused
from .node import REFERENCE, Node, Replacement
from .rules import RULES
from .wire import BYTES, VARINT, Message, one, parse, string_field, text, values

TABLE = json.loads((Path(__file__).parent / "signatures.json").read_text())
OPERATORS, UNCHANGED = TABLE["operators"], frozenset(TABLE["unchanged"])
CALLS = (
    "MindSpore Lite 2.0 loads no graph that calls others; do without if and while on the values of"
    " tensors (ops.select) and without no_inline"
)
UNKNOWN = "MindSpore 2.0 has no such operator; write this part with others"


def by_signature(node: Node) -> Replacement:
    """(operator, inputs, attributes) by the table. Raises Refused."""
    if "arguments" not in OPERATORS.get(node.operator, {}):
        raise Refused(UNKNOWN)
    inputs, attributes = [], {}
    arguments = OPERATORS[node.operator]["arguments"]
    for index, (argument, kind) in enumerate(item.partition(":")[::2] for item in arguments):
        if index >= OPERATORS[node.operator]["keep"]:
            attributes[argument] = KINDS[kind](node.constant(index, argument))
            if argument == "data_format":
                attributes["format"] = attributes[argument]
        elif index < len(node.inputs):
            known = kind and node.inputs[index] in node.constants
            inputs.append(
                KINDS[kind](node.constant(index, argument)) if known else node.inputs[index]
            )
    # What orders execution (monads) trails the arguments.
    return node.operator, inputs + node.inputs[len(arguments) :], attributes


def complete(operator: str, attributes: dict[str, Constant]) -> dict[str, Constant]:
    """`attributes` and those that MindSpore 2.0 added by itself: names of inputs and outputs,
    second names.
    """
    signature, added = OPERATORS.get(operator, {}), {}
    if "inputs" in signature:
        added = {
            "input_names": list(signature["inputs"]),
            "output_names": list(signature["outputs"]),
        }
    for name, source in signature.get("also", {}).items():
        added[name] = attributes.get(source, source) if isinstance(source, str) else source
    return {**added, **attributes}


class Lowering:
    """One conversion: the primitives before and after, what was rewritten, what was refused and
    why, {(operator, reason): names of nodes}, and likewise what the runtime does not run on CPU
    (`notes`) or runs wrongly (`wrong`).
    """

    def __init__(self, model: Message, measured: lite.Measured | None):
        self.measured, self.uses, self.notes, self.wrong = measured, [], {}, {}
        self.primitives, self.kept, self.new = {}, {}, {}
        for fields in map(parse, values(model, mindir.MODEL_PRIMITIVE)):
            self.primitives[text(one(fields, mindir.PRIMITIVE_NAME, b""))] = fields
        self.rewritten, self.refused = Counter(), {}

    def check_runtime(self, uses: list[tuple[str, str, set[str]]]) -> None:
        """Note what MindSpore Lite does not run on CPU, and what it runs wrongly."""
        self.uses = uses
        if self.measured is None:
            return
        refused = {operator for operator, _ in self.refused}
        for name, operator, found in uses:
            if operator in refused:
                continue
            for needed, outcome in lite.faults(operator, found, self.measured):
                how = lite.described(needed)
                if outcome in (lite.WRONG, lite.UNSEEN):
                    fault = f"skips it or is wrong {how}"
                    reason = "on CPU MindSpore Lite 2.0.0 " + (
                        fault if outcome == lite.WRONG else "was never seen to run it"
                    )
                    self.wrong.setdefault((operator, reason), []).append(name)
                else:
                    reason = f"on CPU MindSpore Lite 2.0.0 {outcome} it {how}"
                    self.notes.setdefault((operator, reason), []).append(name)

    def primitive_of(self, node: Message) -> Message | None:
        """The primitive that a node refers to; None for constants and calls of graphs."""
        target = text(one(node, mindir.NODE_OP_TYPE, b""))
        return (
            self.primitives.get(target[len(REFERENCE) :]) if target.startswith(REFERENCE) else None
        )

    def operator_of(self, node: Message) -> str:
        """The operator of a node, or nothing."""
        return text(one(self.primitive_of(node) or [], mindir.PRIMITIVE_OP_TYPE, b""))

    def replacement(self, node: Node) -> Replacement | None:
        """(operator, inputs, attributes) in place of `node`; None to leave it, because it is
        fine or refused.
        """
        try:
            if not node.is_function and node.operator not in RULES:
                if node.operator not in UNCHANGED and node.operator not in OPERATORS:
                    raise Refused(UNKNOWN)
                self.kept[text(one(node.primitive, mindir.PRIMITIVE_NAME, b""))] = node.primitive
                return None
            operator, inputs, attributes = RULES.get(node.operator, by_signature)(node)
        except Refused as reason:
            self.refused.setdefault((node.operator, str(reason)), []).append(node.name)
            return None
        self.rewritten[node.operator] += 1
        if operator == node.operator and not node.is_function:
            attributes = {**node.attributes(), **attributes}
        return operator, inputs, attributes

    def primitive(
        self, operator: str, attributes: dict[str, Constant], instance: bytes | memoryview = b""
    ) -> str:
        """The name of the primitive with these attributes, made when there is none yet."""
        fields = [string_field(mindir.PRIMITIVE_OP_TYPE, operator)]
        fields += [
            [mindir.PRIMITIVE_ATTRIBUTE, BYTES, mindir.attribute(key, value)]
            for key, value in complete(operator, attributes).items()
        ]
        fields.append([mindir.PRIMITIVE_INSTANCE, BYTES, instance])
        name = string_field(mindir.PRIMITIVE_NAME, f"{operator}:v1:{len(self.new)}")
        fields = self.new.setdefault(wire.to_bytes(fields), [name, *fields])
        self.primitives[text(fields[0][2])] = fields
        return text(fields[0][2])


def version_of(model: Message) -> int:
    """The mind_ir_version of a parsed model; files from before it existed count as 1.

    It is the last thing that MindSpore 2 writes: a file of its that has none was cut between two
    entries. Raises wire.Damaged.
    """
    version = one(model, mindir.MODEL_VERSION)
    if version is None:
        writer = text(one(model, mindir.MODEL_WRITER, b""))
        if writer[:1].isdigit() and not writer.startswith(("0.", "1.")):
            raise wire.Damaged(f"MindSpore {writer} wrote it, but its end with the version is gone")
        return 1
    return wire.signed(version)


def _referenced(graph):
    """The names of the primitives that the nodes of a graph refer to."""
    return {
        text(one(parse(node), mindir.NODE_OP_TYPE, b"")).removeprefix(REFERENCE)
        for node in values(graph, mindir.GRAPH_NODE)
    }


def lower(
    model: Message, measured: lite.Measured | None = lite.MEASURED
) -> tuple[Message, Lowering]:
    """(fields of the version 1 model, the Lowering that made it)."""
    lowering, result, used = Lowering(model, measured), [], set()
    for number, kind, value in model:
        if number == mindir.MODEL_GRAPH:
            try:
                value = Graph(parse(value)).rewrite(lowering)
                used = _referenced(value)
            except Refused as reason:
                lowering.refused["the graph's weights", str(reason)] = []
        if number == mindir.MODEL_FUNCTION:
            name = text(one(parse(value), mindir.GRAPH_NAME, b""))
            lowering.refused[f"graph {name}", CALLS] = []
        if number not in (mindir.MODEL_PRIMITIVE, mindir.MODEL_VERSION):
            result.append([number, kind, value])
    for primitive in [*lowering.kept.values(), *lowering.new.values()]:
        if text(one(primitive, mindir.PRIMITIVE_NAME, b"")) in used:
            result.append([mindir.MODEL_PRIMITIVE, BYTES, primitive])
    return [*result, [mindir.MODEL_VERSION, VARINT, 1]], lowering
