# Copied from utils/vendored/checkpoint_entry.py by `make vendor`: change it there.
"""One entry of a checkpoint file, without MindSpore and without reading the weights.

The file is a protobuf (mindspore/ccsrc/utils/checkpoint.proto): values, field 1, each with a name,
field 1, and a tensor, field 2, whose content is field 3. Behind them a checksum may stand.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

VALUE, NAME, TENSOR, CONTENT = 1, 1, 2, 3  # fields
NUMBER, BYTES = 0, 2  # wire types
LONGEST_NUMBER = 10  # bytes


def read_entry(path: str | Path, name: str) -> bytes:
    """The content of the tensor `name` in the checkpoint file `path`.

    Empty where there is none, or where the file is damaged before it, or is none: who loads its
    weights says what is wrong.
    """
    try:
        with open(path, "rb") as file:
            return _find(file, os.path.getsize(path), name.encode())
    except (OSError, ValueError):
        return b""


def _find(file, end, name):
    while file.tell() < end:
        field, size = _head(file, end)
        if field != (VALUE, BYTES):
            break
        start = file.tell()
        field, length = _head(file, start + size)
        if field == (NAME, BYTES) and file.read(length) == name:
            tensor = _field(file.read(start + size - file.tell()), TENSOR)
            return _field(tensor, CONTENT)
        file.seek(start + size)
    return b""


def _field(message, wanted):
    """The bytes of the field number `wanted` of a protobuf."""
    file = io.BytesIO(message)
    while file.tell() < len(message):
        (number, kind), size = _head(file, len(message))
        if (number, kind) == (wanted, BYTES):
            return file.read(size)
        if kind == BYTES:
            file.seek(size, os.SEEK_CUR)
    return b""


def _head(file: BinaryIO, end: int) -> tuple[tuple[int, int], int]:
    """((field, wire type), length of what follows, or the number that it is)."""
    key, size = _number(file), _number(file)
    kind = key & 7
    if kind not in (NUMBER, BYTES) or kind == BYTES and file.tell() + size > end:
        raise ValueError("not a checkpoint")
    return (key >> 3, kind), size


def _number(file):
    value = 0
    for place in range(LONGEST_NUMBER):
        (byte,) = file.read(1)
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value
    raise ValueError("not a checkpoint")
