"""One operator of a graph as the rules see it, and the new operators that they put in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import mindir, wire
from .mindir import BOOL, Constant, DataType, Opaque, Refused
from .wire import Message, text, values

if TYPE_CHECKING:
    from .graph import Graph

REFERENCE = "REF::"  # before the name of a primitive in NodeProto.op_type
PRIMITIVE_FUNCTION = 2  # PrimitiveProto.PrimType


def output_of(node: Message) -> str:
    """The name that a node's result goes by."""
    return text(wire.one(node, mindir.NODE_OUTPUT, b""))


class Node:
    """An operator with named inputs. Rules read it, `make` further operators, and return what takes
    its place.

    `types` maps the names of tensors to [(data type, shape), ...], one for each output, as far as
    the file says; `uses` counts how often each is an input from here on.
    """

    def __init__(self, fields: Message, primitive: Message, graph: Graph):
        self.primitive, self.constants, self.types, self.uses = (
            primitive,
            graph.constants,
            graph.types,
            graph.uses,
        )
        self.operator = text(wire.one(primitive, mindir.PRIMITIVE_OP_TYPE, b""))
        self.is_function = wire.one(primitive, mindir.PRIMITIVE_TYPE) == PRIMITIVE_FUNCTION
        self.name = text(wire.one(fields, mindir.NODE_NAME, b""))
        self.inputs = [text(value) for value in values(fields, mindir.NODE_INPUT)]
        self.results = self.types.get(output_of(fields), [])
        self.made, self.fixed, self.tuples = [], graph.fixed, graph.tuples
        self.is_shared = False  # whether others use input 0, too

    def has(self, index: int) -> bool:
        """Whether input `index` is there and not None."""
        return index < len(self.inputs) and self.constants.get(self.inputs[index], self) is not None

    def constant(self, index: int, argument: str) -> Constant:
        """The value of constant input `index`. Raises Refused when the network computes it."""
        if index >= len(self.inputs):
            raise Refused(f"its argument '{argument}' is missing")
        if self.inputs[index] not in self.constants:
            raise Refused(f"its argument '{argument}' is computed by the network; give a constant")
        return self.constants[self.inputs[index]]

    def is_fixed(self, index: int) -> bool:
        """Whether input `index` does not depend on the network's inputs."""
        return self.inputs[index] in self.fixed

    def constant_number(self, index: int) -> float | None:
        """The one number that input `index` is, or None."""
        value = self.constants.get(self.inputs[index])
        if isinstance(value, Opaque):
            value = value.number()
        return value if isinstance(value, (int, float)) else None

    def attributes(self) -> dict[str, Constant]:
        """{name: value} of the primitive."""
        return {
            text(wire.one(item, mindir.ATTRIBUTE_NAME, b"")): mindir.read_value(item)
            for item in map(wire.parse, values(self.primitive, mindir.PRIMITIVE_ATTRIBUTE))
        }

    def type_of(self, value: str | Opaque) -> tuple[int, tuple[int, ...]]:
        """(data type, shape) of a tensor's name, or of a constant. Raises Refused when it is not
        known.
        """
        known = (
            mindir.tensor_types(value.fields)[:1]
            if isinstance(value, Opaque)
            else self._type(value)
        )
        if not known:
            raise Refused("the data type of its operands is not written in the file")
        return known[0]

    def _type(self, name):
        if isinstance(self.constants.get(name), Opaque):
            return mindir.tensor_types(self.constants[name].fields)[:1]
        return self.types.get(name, [])[:1]

    def data_type(self, index: int | None = None) -> int:
        """TensorProto.DataType of input `index`, or of the (first) result.

        Raises Refused when it is not known.
        """
        known = self.results[:1] if index is None else self._type(self.inputs[index])
        if not known:
            raise Refused("the data type of its operands is not written in the file")
        return known[0][0]

    def shape(self, index: int | None = None) -> tuple[int, ...]:
        """The shape of input `index`, or of the (first) result. Raises Refused unless it is
        fixed.
        """
        sizes = self.sizes(index)
        if any(size < 0 for size in sizes):
            raise Refused("the shape of its operands is not fixed; export with fixed input sizes")
        return sizes

    def sizes(self, index: int | None = None) -> tuple[int, ...]:
        """Like `shape`, but a size may be -1, not fixed; only its rank is sure."""
        known = self.results[:1] if index is None else self._type(self.inputs[index])
        if not known:
            raise Refused("the shape of its operands is not written in the file")
        return known[0][1]

    def axis(self, value: int, rank: int) -> int:
        """`value` counted from the front."""
        return value + rank if value < 0 else value

    def number(self, value: float, data_type: int | None = None) -> Opaque:
        """A constant scalar tensor, of the result's data type unless another is given."""
        return mindir.tensor_value(data_type or self.data_type(), value)

    def make(
        self,
        operator: str,
        inputs: list[Constant],
        attributes: dict[str, Constant] | None = None,
        shape: tuple[int, ...] | None = None,
        data_type: int | None = None,
        types: list[tuple[int, tuple[int, ...]]] | None = None,
    ) -> str:
        """Add an operator before this one and return the name of its result.

        The result is a tensor of this node's data type and shape unless given, or a tuple of
        tensors of `types`.
        """
        name = f"{self.name}:{operator}:{len(self.made)}"
        tensor = types or [
            (data_type or self.data_type(), self.sizes() if shape is None else shape)
        ]
        self.made.append(
            (operator, inputs, attributes or {}, name, mindir.shape_attribute(tensor, bool(types)))
        )
        self.types[name] = tensor
        return name

    def cast(self, name: str | Opaque, data_type: int) -> str | Opaque:
        """`name` in another data type: a constant is rewritten, a result goes through Cast."""
        if isinstance(name, Opaque):  # a constant that a rule made of a number
            return mindir.tensor_value(data_type, name.number())
        value, known = self.constants.get(name), self._type(name)
        if isinstance(value, (int, float)):
            return mindir.tensor_value(data_type, value)
        if not known or known[0][0] == data_type:
            return name
        if isinstance(value, Opaque) and value.number() is not None and known[0][1] == ():
            return mindir.tensor_value(data_type, value.number())
        kind, shape = known[0]
        if data_type == BOOL:  # MindSpore Lite 2.0 converts to truth values only from float32.
            return self.make("NotEqual", [name, self.number(0, kind)], {}, shape, BOOL)
        types = {"SrcT": DataType(kind), "DstT": DataType(data_type)}
        return self.make("Cast", [name, DataType(data_type)], types, shape, data_type)

    def broadcast(self, value: str | Opaque, data_type: int) -> str | Opaque:
        """`value`, a name or a constant of this data type, in the shape of the result."""
        wanted = self.sizes()
        if self.type_of(value)[1] == wanted:
            return value
        if min(wanted) < 0:
            raise Refused("an operand takes the shape of another; export with fixed input sizes")
        return self.make(
            "BroadcastTo", [self.with_axis(value)], {"shape": wanted}, data_type=data_type
        )

    def with_axis(self, value: str | Opaque) -> str | Opaque:
        """`value` as a tensor of at least one dimension, which MindSpore Lite 2.0 needs to
        broadcast.
        """
        data_type, shape = self.type_of(value)
        if shape != ():
            return value
        if isinstance(value, str) and value in self.constants:
            value = self.constants[value]
        if isinstance(value, Opaque) and value.number() is not None:
            return mindir.tensor_value(data_type, [value.number()], (1,))
        return self.make("Reshape", [value, (1,)], shape=(1,), data_type=data_type)


# What takes a node's place: operator, inputs, attributes.
Replacement = tuple[str, list, dict]
Rule = Callable[[Node], Replacement]
