"""What MindSpore Lite 2.0.0 does not run on CPU, or runs wrongly, from a table that was measured.

lite.json lists the operators that some network was seen to run rightly with, and for each operator
with faults [features, outcome]: sets of features with which none was, and what became of one that
had them all. `make lowering-operators` writes it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Union

from . import mindir
from .mindir import Opaque
from .wire import Message, one, parse, text, values

if TYPE_CHECKING:
    from .lower import Lowering

# {"run": operators, "faults": {operator: [[features, outcome], ...]}}
Measured = dict[str, Union[list, dict]]
TABLE = Path(__file__).parent / "lite.json"
MEASURED = json.loads(TABLE.read_text())
WRONG = "is wrong"  # the outcome that nobody would notice
UNSEEN = "was never seen to run"  # and so may be left out like those that are wrong
UNTRIED = {"float64", "bfloat16", "uint16", "uint32", "uint64"}  # data types that are not measured
ALWAYS = "in any form"  # the feature that every use of an operator has
TYPE_NAMES = {
    mindir.BOOL: "bool",
    mindir.INT8: "int8",
    mindir.INT16: "int16",
    mindir.INT32: "int32",
    mindir.INT64: "int64",
    mindir.UINT8: "uint8",
    mindir.UINT16: "uint16",
    mindir.UINT32: "uint32",
    mindir.UINT64: "uint64",
    mindir.FLOAT16: "float16",
    mindir.FLOAT: "float32",
    mindir.DOUBLE: "float64",
    mindir.BFLOAT16: "bfloat16",
}


def _type_name(kind):
    return TYPE_NAMES.get(kind, f"type {kind}")


def _of_constant(index, value):
    """The features of a constant input."""
    if isinstance(value, Opaque):
        return {f"a number as input {index}"} if value.number() is not None else set()
    numbers = value if isinstance(value, (tuple, list)) else (value,)
    if any(isinstance(number, (int, float)) and number < 0 for number in numbers):
        return {f"a negative input {index}"}
    return set()


def _of_attribute(name, value):
    """The features of an attribute: its value, or of a number only the sort."""
    if isinstance(value, (tuple, list)) and len(value) == 1:
        value = value[0]
    if isinstance(value, (bool, str)):
        return {f"{name}={value}"}
    if isinstance(value, int) and not isinstance(value, mindir.DataType):
        return {f"{name}{'<0' if value < 0 else '>1' if value > 1 else f'={value}'}"}
    return set()


def _of_types(operands, result):
    """The features that data types and shapes are, of [(data type, shape), ...] of tensors."""
    (kind, shape), wide = operands[0], len(result[1])
    found = {_type_name(kind), f"rank {len(shape)}"}
    higher = "a higher" if wide > len(shape) else "a lower"
    found.add(f"to {'the same' if wide == len(shape) else higher} rank")
    if result[0] != kind:
        found.add(f"{_type_name(kind)} to {_type_name(result[0])}")
    if len({shape for _, shape in operands}) > 1:
        found.add("operands of unlike shape")
    return found


class Observer:
    """How a graph uses operators: `uses` is [(name of the node, operator, features), ...]."""

    def __init__(
        self,
        nodes: list[Message],
        types: dict[str, list[tuple[int, tuple[int, ...]]]],
        lowering: Lowering,
    ):
        self.types, self.constants, self.uses = types, {}, []
        for node in nodes:
            name = text(one(node, mindir.NODE_OUTPUT, b""))
            if text(one(node, mindir.NODE_OP_TYPE, b"")) == mindir.CONSTANT:
                self.constants[name] = mindir.read_value(parse(one(node, mindir.NODE_ATTRIBUTE)))
            elif lowering.primitive_of(node):
                operator, primitive = lowering.operator_of(node), lowering.primitive_of(node)
                self.uses.append((name, operator, self._features(node, name, primitive)))

    def _features(self, node, name, primitive):
        found, operands = {ALWAYS}, []
        given = {
            text(one(item, mindir.ATTRIBUTE_NAME, b"")): mindir.read_value(item)
            for item in map(parse, values(primitive, mindir.PRIMITIVE_ATTRIBUTE))
        }
        for attribute, value in given.items():
            found |= _of_attribute(attribute, value)
        if {"group>1", "out_channel>1"} <= found:
            found.add("depthwise" if given["group"] == given["out_channel"] else "in groups")
        for index, value in enumerate(map(text, values(node, mindir.NODE_INPUT))):
            constant = self.constants.get(value)
            if value in self.constants:
                found |= _of_constant(index, constant)
            tensors = self.types.get(value, [])
            if isinstance(constant, Opaque):
                tensors = mindir.tensor_types(constant.fields)
            operands += tensors[:1]
        if operands and self.types.get(name):
            found |= _of_types(operands, self.types[name][0])
        return found


def described(needed: list[str]) -> str:
    """Features as words."""
    return ALWAYS if needed == [ALWAYS] else f"({', '.join(sorted(set(needed) - {ALWAYS}))})"


def faults(operator: str, found: set[str], measured: Measured) -> list[tuple[list[str], str]]:
    """[(features, outcome), ...] of what `measured` says of an operator used so."""
    known = measured["faults"].get(operator, [])
    if not known and operator not in measured["run"]:
        return [([ALWAYS], UNSEEN)]
    if found & UNTRIED:
        return [(sorted(found & UNTRIED), "is not known to run")]
    return [(needed, outcome) for needed, outcome in known if found.issuperset(needed)]
