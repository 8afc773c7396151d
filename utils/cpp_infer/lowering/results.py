"""What a network returns, in the forms that MindSpore Lite 2.0.0 can return.

It returns no tensor twice, nothing that depends on no input, not the lone input of an empty
network, and of an operator with several results only a tuple that is made of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import mindir
from .mindir import (
    BOOL,
    FLOAT,
    GRAPH_INPUT,
    GRAPH_OUTPUT,
    INT32,
    INT64,
    NODE_INPUT,
    VALUE_NAME,
    DataType,
)
from .node import output_of
from .wire import Message, one, parse, text, values

if TYPE_CHECKING:
    from .graph import Graph
    from .lower import Lowering


class Results:
    """The results of a graph; `names` are those of what it returns and of what tuples of them
    hold.
    """

    def __init__(self, graph: Graph, lowering: Lowering):
        self.graph, self.lowering = graph, lowering
        self.inputs = [
            text(one(parse(item), VALUE_NAME, b"")) for item in values(graph.fields, GRAPH_INPUT)
        ]
        self.outputs = [
            text(one(parse(item), VALUE_NAME, b"")) for item in values(graph.fields, GRAPH_OUTPUT)
        ]
        self.names = self._find({output_of(node): node for node in graph.nodes if node})
        self.zeros = {}  # names of zeros that depend on an input, by data type

    def _find(self, makers):
        found, names = set(), list(self.outputs)
        while names:
            name = names.pop()
            if name in found:
                continue
            found.add(name)
            operator = self.lowering.operator_of(makers.get(name, []))
            inputs = [text(value) for value in values(makers.get(name, []), NODE_INPUT)]
            names += (
                inputs[:1] if operator == "Depend" else inputs if operator == "MakeTuple" else []
            )
        return found

    def _type(self, name):
        """(data type, shape) of a tensor, or None."""
        value = self.graph.constants.get(name)
        if isinstance(value, mindir.Opaque):
            found = mindir.tensor_types(value.fields)
        else:
            found = self.graph.types.get(name, [])
        return found[0] if len(found) == 1 else None

    def _make(self, made, operator, inputs, name, kind, attributes=None):
        """Add a node that yields a tensor of `kind`, (data type, shape); its name."""
        shape = mindir.shape_attribute([kind], False)
        made += self.graph.new(self.lowering, operator, inputs, attributes or {}, name, shape)
        self.graph.types[name] = [kind]
        return name

    def _cast(self, made, name, data_type):
        (source, shape), new = self._type(name), f"{name}:as:{data_type}"
        if new in self.graph.types:
            return new
        types = {"SrcT": DataType(source), "DstT": DataType(data_type)}
        return self._make(made, "Cast", [name, DataType(data_type)], new, (data_type, shape), types)

    def _zero(self, made, data_type):
        """The name of a scalar zero that depends on an input: whether a number of it is less than
        itself.
        """
        if data_type in self.zeros:
            return self.zeros[data_type]
        name, ((kind, _), *_) = self.inputs[0], self.graph.types[self.inputs[0]]
        begin = f"{name}:zero:{data_type}"
        x = self._make(made, "Reshape", [name, (-1,)], f"{begin}:flat", (kind, (-1,)))
        x = self._make(made, "Slice", [x, (0,), (1,)], f"{begin}:first", (kind, (1,)))
        if kind != FLOAT:
            x = self._cast(made, x, FLOAT)
        axes = {"keep_dims": False, "skip_mode": False}
        x = self._make(made, "ReduceSum", [x, (0,)], f"{begin}:number", (FLOAT, ()), axes)
        x = self._make(made, "Less", [x, x], f"{begin}:less", (BOOL, ()))
        if data_type != BOOL:
            x = self._cast(made, x, data_type)
        self.zeros[data_type] = x
        return x

    def _own(self, made, name, taken, alone):
        """`name`, or that of a copy which can be returned beside what is `taken`."""
        kind = self._type(name)
        if kind is None:
            return name
        if name in self.graph.fixed and self.inputs:
            operator = "LogicalOr" if kind[0] == BOOL else "Add"
            if kind[0] == INT64:  # MindSpore Lite returns int32 for it, and adds only that.
                name, kind = self._cast(made, name, INT32), (INT32, kind[1])
            inputs = [name, self._zero(made, kind[0])]
        elif name in taken or (alone and name in self.inputs):
            operator, inputs = "Reshape", [name, kind[1]]
        else:
            return name
        return self._make(made, operator, inputs, f"{name}:result:{len(taken)}", kind)

    def of_tuple(self, names: list[str]) -> tuple[list[Message], list[str]]:
        """(new nodes, names) of what a tuple that is returned holds."""
        made, result = [], []
        for name in names:
            result.append(self._own(made, name, result, alone=len(names) == 1))
        return made, result

    def of_outputs(self) -> list[Message]:
        """New nodes at the end of the graph; the outputs that they take the place of are noted as
        renamed.
        """
        graph, made = self.graph, []
        makers = {output_of(node): node for node in graph.nodes if node}
        for result in self.outputs:
            name = result
            while self.lowering.operator_of(makers.get(name, [])) == "Depend":
                name = text(values(makers.pop(name), NODE_INPUT)[0])  # once, though in a circle
            name = graph.renamed.get(name, name)
            is_tuple = name in graph.tuples or self.lowering.operator_of(makers.get(name, [])) == (
                "MakeTuple"
            )
            if is_tuple:
                continue
            types = graph.types.get(name, [])
            if len(types) > 1:
                graph.renamed[result] = self._tuple(made, name, types)
            else:
                own = self._own(made, name, [], alone=True)
                if own != name:
                    graph.renamed[result] = own
        return made

    def _tuple(self, made, name, types):
        """The name of a new tuple of an operator's several results."""
        parts = [
            self._make(made, "TupleGetItem", [name, index], f"{name}:{index}", kind)
            for index, kind in enumerate(types)
        ]
        shape = mindir.shape_attribute(types, True)
        made += self.graph.new(self.lowering, "MakeTuple", parts, {}, f"{name}:all", shape)
        return f"{name}:all"
