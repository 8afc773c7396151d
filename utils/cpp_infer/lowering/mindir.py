"""MindIR's messages: field numbers, and attributes as Python values.

The numbers are those of mind_ir.proto, which every MindSpore carries as
mindspore/train/mind_ir_pb2.py.
"""

from __future__ import annotations

import struct
from typing import Union

from . import wire
from .wire import BYTES, VARINT, Damaged, Message, one, parse, signed, string_field, text, values

MODEL_IR_VERSION, MODEL_WRITER, MODEL_GRAPH, MODEL_FUNCTION = 1, 5, 7, 8
MODEL_PRIMITIVE, MODEL_VERSION = 12, 13
GRAPH_NODE, GRAPH_NAME, GRAPH_PARAMETER, GRAPH_INPUT, GRAPH_OUTPUT = 1, 2, 3, 5, 6
GRAPH_ATTRIBUTE, VALUE_ATTRIBUTE = 8, 5
NODE_INPUT, NODE_OUTPUT, NODE_NAME, NODE_OP_TYPE, NODE_ATTRIBUTE, NODE_DOMAIN = 1, 2, 3, 4, 5, 7
NODE_ATTRIBUTES = (NODE_ATTRIBUTE, 8, 9)  # what it is, and two kinds of further ones
PRIMITIVE_NAME, PRIMITIVE_OP_TYPE, PRIMITIVE_ATTRIBUTE, PRIMITIVE_INSTANCE, PRIMITIVE_TYPE = (
    1,
    2,
    3,
    4,
    5,
)
ATTRIBUTE_NAME, ATTRIBUTE_F, ATTRIBUTE_I, ATTRIBUTE_D, ATTRIBUTE_S = 1, 2, 3, 4, 5
ATTRIBUTE_INTS, ATTRIBUTE_FLOATS, ATTRIBUTE_DOUBLES, ATTRIBUTE_STRINGS, ATTRIBUTE_TENSORS = (
    10,
    8,
    9,
    11,
    12,
)
ATTRIBUTE_TYPE, ATTRIBUTE_VALUES = 16, 17
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW, TENSOR_EXTERNAL = 1, 2, 7, 9, 12

CONSTANT = "Constant"  # NodeProto.op_type of a node that is a value
VALUE_NAME = 1  # of ValueInfoProto

# AttributeProto.AttributeType; the first twelve are also TensorProto.DataType.
FLOAT, UINT8, INT8, UINT16, INT16, INT32, INT64, STRING, BOOL, FLOAT16, DOUBLE = range(1, 12)
UINT32, UINT64, BFLOAT16, TENSORS, TUPLE, LIST, NONE = 12, 13, 16, 19, 20, 21, 25
UMONAD, IOMONAD = 23, 24  # what orders execution

# Version 3 names data types by MindSpore's TypeId, version 1 by TensorProto.DataType.
DATA_TYPES = {
    30: BOOL,
    32: INT8,
    33: INT16,
    34: INT32,
    35: INT64,
    37: UINT8,
    38: UINT16,
    39: UINT32,
    40: UINT64,
    42: FLOAT16,
    43: FLOAT,
    44: DOUBLE,
    45: BFLOAT16,
}
PACKING = {
    FLOAT: "f",
    DOUBLE: "d",
    FLOAT16: "e",
    INT8: "b",
    INT16: "h",
    INT32: "i",
    INT64: "q",
    UINT8: "B",
    UINT16: "H",
    UINT32: "I",
    UINT64: "Q",
    BOOL: "?",
}


class Refused(Exception):
    """A node that version 1 cannot express, and why."""


class DataType(int):
    """A data type as a value; the number is TensorProto.DataType."""


class Opaque:
    """A value that is passed on as it stands, such as a tensor."""

    def __init__(self, fields: Message):
        self.fields = fields

    def number(self) -> float | None:
        """The number in a tensor of one element, or None."""
        numbers = self.numbers(most=1)
        return numbers[0] if numbers else None

    def numbers(self, most: int) -> list[float] | None:
        """The numbers in a tensor of at least one and at most `most` elements, or None."""
        tensors = [parse(tensor) for tensor in values(self.fields, ATTRIBUTE_TENSORS)]
        raw = one(tensors[0], TENSOR_RAW, b"") if tensors else b""
        code = PACKING.get(tensor_type(tensors[0])[0]) if tensors else None
        if not code or not raw or len(raw) % struct.calcsize(code):
            return None
        count = len(raw) // struct.calcsize(code)
        return list(struct.unpack(f"<{count}{code}", raw)) if count <= most else None


# What a node that is a value holds, and an attribute.
Constant = Union[bool, int, float, str, tuple, list, Opaque, None]


def _scalar(kind, value):
    if kind == FLOAT:
        return struct.unpack("<f", value)[0]
    if kind == DOUBLE:
        return struct.unpack("<d", value)[0]
    if kind == STRING:
        return text(value)
    return bool(value) if kind == BOOL else signed(value)


def read_value(fields: Message, depth: int = 0) -> Constant:
    """The Python value of an AttributeProto: bool, int, float, str, None, tuple, list, or
    Opaque.
    """
    if depth > 16:
        raise Damaged("a value is nested too deeply")
    kind = one(fields, ATTRIBUTE_TYPE, 0)
    if kind == NONE:
        return None
    if kind in (TUPLE, LIST):
        items = [read_value(parse(item), depth + 1) for item in values(fields, ATTRIBUTE_VALUES)]
        return items if kind == LIST else tuple(items)
    # An element of a tuple holds its value in the repeated field, a scalar of its own in the single
    # one.
    places = {
        FLOAT: (ATTRIBUTE_F, ATTRIBUTE_FLOATS),
        DOUBLE: (ATTRIBUTE_D, ATTRIBUTE_DOUBLES),
        STRING: (ATTRIBUTE_S, ATTRIBUTE_STRINGS),
    }
    integers = (BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64)
    for number in places.get(kind, (ATTRIBUTE_I, ATTRIBUTE_INTS) if kind in integers else ()):
        value = one(fields, number)
        if value is not None:
            return _scalar(kind, value)
    return Opaque(fields)


def _tensor(data_type, dims=(), raw=None):
    fields = [[TENSOR_DIMS, VARINT, n] for n in dims]
    fields += [[TENSOR_TYPE, VARINT, data_type], string_field(TENSOR_NAME, "value0")]
    return fields if raw is None else [*fields, [TENSOR_RAW, BYTES, raw]]


def attribute(name: str | None, value: Constant, inside: bool = False) -> Message:
    """An AttributeProto of this name and Python value, in the form that version 1 has."""
    fields = [string_field(ATTRIBUTE_NAME, name)] if name else []
    if isinstance(value, Opaque):
        return fields + [field for field in value.fields if field[0] != ATTRIBUTE_NAME]
    if isinstance(value, DataType):
        kind, content = TENSORS, [[ATTRIBUTE_TENSORS, BYTES, _tensor(value)]]
    elif isinstance(value, bool):
        kind, content = BOOL, [[ATTRIBUTE_INTS if inside else ATTRIBUTE_I, VARINT, int(value)]]
    elif isinstance(value, int):
        kind, content = INT64, [[ATTRIBUTE_INTS if inside else ATTRIBUTE_I, VARINT, value]]
    elif isinstance(value, float):
        kind, content = (
            FLOAT,
            [wire.float_field(ATTRIBUTE_FLOATS if inside else ATTRIBUTE_F, value)],
        )
    elif isinstance(value, str):
        kind, content = STRING, [string_field(ATTRIBUTE_STRINGS if inside else ATTRIBUTE_S, value)]
    elif value is None:
        kind, content = NONE, []
    else:
        kind = LIST if isinstance(value, list) else TUPLE
        content = [[ATTRIBUTE_VALUES, BYTES, attribute(None, item, inside=True)] for item in value]
    return [*fields, *content, [ATTRIBUTE_TYPE, VARINT, kind]]


def tensor_type(fields: Message) -> tuple[int, tuple[int, ...]]:
    """(data type, shape) of a TensorProto."""
    return one(fields, TENSOR_TYPE, 0), tuple(signed(n) for n in values(fields, TENSOR_DIMS))


def tensor_types(fields: Message) -> list[tuple[int, tuple[int, ...]]]:
    """[(data type, shape), ...] of the tensors an AttributeProto describes, those in a tuple
    included.
    """
    found = [tensor_type(parse(tensor)) for tensor in values(fields, ATTRIBUTE_TENSORS)]
    for item in values(fields, ATTRIBUTE_VALUES):
        found += tensor_types(parse(item))
    return found


def shape_attribute(types: list[tuple[int, tuple[int, ...]]], is_tuple: bool) -> Message:
    """The attribute in which a node says what it yields: a tensor, or a tuple of them, of [(data
    type, shape), ...].
    """
    tensors = [
        [
            [
                ATTRIBUTE_TENSORS,
                BYTES,
                [[TENSOR_DIMS, VARINT, n] for n in shape] + [[TENSOR_TYPE, VARINT, kind]],
            ],
            [ATTRIBUTE_TYPE, VARINT, TENSORS],
        ]
        for kind, shape in types
    ]
    content = tensors[0]
    if is_tuple:
        content = [
            *([ATTRIBUTE_VALUES, BYTES, tensor] for tensor in tensors),
            [ATTRIBUTE_TYPE, VARINT, TUPLE],
        ]
    return [string_field(ATTRIBUTE_NAME, "shape"), *content]


def tensor_value(
    data_type: int, numbers: float | list[float], shape: tuple[int, ...] = ()
) -> Opaque:
    """A tensor of these numbers (one number for a tensor without dimensions), as a value for
    `attribute`.

    Raises Refused for data types that MindSpore 2.0 cannot take, and numbers that do not fit.
    """
    if data_type not in PACKING:
        raise Refused(
            f"it needs a constant of a data type (number {data_type}) that cannot be written"
        )
    convert = float if data_type in (FLOAT, DOUBLE, FLOAT16) else bool if data_type == BOOL else int
    try:
        numbers = [numbers] if shape == () else numbers
        if convert is int and any(number != int(number) for number in numbers):
            raise Refused("it needs a fraction in a data type of integers; cast the tensor first")
        numbers = [convert(number) for number in numbers]
        raw = struct.pack(f"<{len(numbers)}{PACKING[data_type]}", *numbers)
    except (struct.error, OverflowError, ValueError):
        raise Refused("it needs a constant that its data type cannot hold") from None
    return Opaque(
        [
            [ATTRIBUTE_TENSORS, BYTES, _tensor(data_type, shape, raw)],
            [ATTRIBUTE_TYPE, VARINT, TENSORS],
        ]
    )
