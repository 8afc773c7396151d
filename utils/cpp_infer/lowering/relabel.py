"""A model of version 3 as one of version 2, which runtimes of before version 3 read.

The schemas of MindSpore 2.6 and 2.10 name one kind of value after version 2, SCALAR_GRAPH_HOLDER,
which is taken to be all that version 3 added. All else stays as it is, operators too.
"""

from __future__ import annotations

from . import mindir
from .mindir import Refused
from .wire import VARINT, Message, one, parse, values

ADDED_KIND = 40  # AttributeProto.AttributeType SCALAR_GRAPH_HOLDER
MOST_NESTED = 16


def _is_new(attribute, depth=0):
    """Whether an AttributeProto is, or holds, a value of the kind that version 3 added."""
    if one(attribute, mindir.ATTRIBUTE_TYPE) == ADDED_KIND or depth > MOST_NESTED:
        return True
    inner = values(attribute, mindir.ATTRIBUTE_VALUES)
    return any(_is_new(parse(item), depth + 1) for item in inner)


def _holders(model):
    """The messages that have attributes, with the number of the field that these are."""
    graphs = [*values(model, mindir.MODEL_GRAPH), *values(model, mindir.MODEL_FUNCTION)]
    for graph in map(parse, graphs):
        yield graph, mindir.GRAPH_ATTRIBUTE
        for item in values(graph, mindir.GRAPH_INPUT):
            yield parse(item), mindir.VALUE_ATTRIBUTE
        for node in map(parse, values(graph, mindir.GRAPH_NODE)):
            for field in mindir.NODE_ATTRIBUTES:
                yield node, field
    for primitive in values(model, mindir.MODEL_PRIMITIVE):
        yield parse(primitive), mindir.PRIMITIVE_ATTRIBUTE


def as_version_2(model: Message) -> Message:
    """The fields of `model`, of version 3, with the number 2. Raises Refused."""
    for message, field in _holders(model):
        if any(_is_new(parse(item)) for item in values(message, field)):
            raise Refused("holds a value of a kind that version 2 does not have")
    fields = [field for field in model if field[0] != mindir.MODEL_VERSION]
    return [*fields, [mindir.MODEL_VERSION, VARINT, 2]]
