"""The wire format of protocol buffers, read lazily, so that weights are never parsed nor held in
memory.

A message is a list of fields [number, wire type, value]. The value of a length-delimited field is a
view into the file until someone parses it; a parsed message may stand in its place, and new bytes
too. Format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct
from typing import Union

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Message = list[list]  # fields
Value = Union[int, bytes, memoryview, Message]  # of a field


class Damaged(Exception):
    """The bytes are not the message they should be."""


def _read_varint(data, at):
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Damaged("a number runs past its end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def varint(value: int) -> bytes:
    """The bytes of one varint; negative numbers as 64-bit two's complement."""
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def parse(data: Value) -> Message:
    """The fields of one message, from bytes or a view, or parsed already. Raises Damaged."""
    if isinstance(data, list):
        return data
    if isinstance(data, int):
        raise Damaged("a number stands where a message should")
    fields, at = [], 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise Damaged("a field has the number 0")
        if wire == VARINT:
            value, at = _read_varint(data, at)
        else:
            if wire == BYTES:
                length, at = _read_varint(data, at)
            elif wire in (FIXED32, FIXED64):
                length = 4 if wire == FIXED32 else 8
            else:
                raise Damaged(f"a field has the unknown wire type {wire}")
            if length > len(data) - at:
                raise Damaged("a field runs past the end")
            value, at = data[at : at + length], at + length
        fields.append([number, wire, value])
    return fields


def serialize(fields: Message) -> tuple[int, list[bytes | memoryview]]:
    """(length in bytes, pieces to write one after another) of a message; views stay views."""
    pieces, total = [], 0
    for number, wire, value in fields:
        head = varint(number << 3 | wire)
        if wire == VARINT:
            head, body, length = head + varint(value), [], 0
        elif isinstance(value, list):
            length, body = serialize(value)
            head += varint(length)
        else:
            length, body = len(value), [value]
            if wire == BYTES:
                head += varint(length)
        pieces.append(head)
        pieces.extend(body)
        total += len(head) + length
    return total, pieces


def to_bytes(fields: Message) -> bytes:
    """One message as bytes."""
    return b"".join(bytes(piece) for piece in serialize(fields)[1])


def values(fields: Message, number: int) -> list[Value]:
    """Every value of field `number`."""
    return [value for found, _, value in fields if found == number]


def one(fields: Message, number: int, default: Value | None = None) -> Value | None:
    """The value of field `number` (the last one counts, as protocol buffers have it), or
    `default`.
    """
    found = values(fields, number)
    return found[-1] if found else default


def text(value: Value) -> str:
    """A string field as str. Raises Damaged."""
    try:
        return str(value, "utf-8")
    except (TypeError, UnicodeDecodeError):
        raise Damaged("a name is not text") from None


def signed(value: Value) -> int:
    """A varint read as int64."""
    if not isinstance(value, int):
        raise Damaged("bytes stand where a number should")
    value &= 0xFFFFFFFFFFFFFFFF
    return value - (1 << 64) if value >> 63 else value


def string_field(number: int, value: str) -> list:
    return [number, BYTES, value.encode("utf-8")]


def float_field(number: int, value: float) -> list:
    return [number, FIXED32, struct.pack("<f", value)]
