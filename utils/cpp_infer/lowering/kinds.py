"""How the value of an argument changes on its way to version 1: numbers become words, type
numbers become types.
"""

from __future__ import annotations

from collections.abc import Callable

from . import mindir
from .mindir import Constant, DataType, Refused


def text_of(*names: str) -> Callable[[Constant], str]:
    """A value that version 3 numbers and version 1 spells."""

    def convert(value):
        if isinstance(value, int) and 0 <= value < len(names):
            return names[value]
        raise Refused(f"{value!r} is none of {', '.join(names)}")

    return convert


def data_type(value: Constant) -> DataType:
    """MindSpore's TypeId as a type."""
    if value in mindir.DATA_TYPES:
        return DataType(mindir.DATA_TYPES[value])
    raise Refused(f"the data type number {value!r} is not known")


# How the value of an argument changes on its way to version 1; the table names the kind after the
# argument.
KINDS = {
    "": lambda value: value,
    "ints": lambda value: (value,) if isinstance(value, int) else tuple(value),
    "type": data_type,
    "pad_mode": text_of("PAD", "SAME", "VALID"),
    "data_format": text_of("NCHW", "NHWC"),
    "reduction": text_of("sum", "mean", "none"),
    "indexing": text_of("ij", "xy"),
    "interpolation_mode": text_of("bilinear", "nearest", "bicubic"),
    "padding_mode": text_of("zeros", "border", "reflection"),
    "norm": text_of("backward", "forward", "ortho"),
    "coordinate_transformation_mode": text_of(
        "asymmetric", "align_corners", "half_pixel", "crop_and_resize"
    ),
}
