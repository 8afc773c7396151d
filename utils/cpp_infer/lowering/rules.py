"""What the table of signatures cannot say: operators whose old form differs by more than where a value stands."""
from . import mindir
from .mindir import DATA_TYPES, DataType


class Refused(Exception):
    """A node that version 1 cannot express, and why."""


def text_of(*names):
    """A value that version 3 numbers and version 1 spells."""
    def convert(value):
        if isinstance(value, int) and 0 <= value < len(names):
            return names[value]
        raise Refused(f"{value!r} is none of {', '.join(names)}")
    return convert


def data_type(value):
    if value in DATA_TYPES:
        return DataType(DATA_TYPES[value])
    raise Refused(f"the data type number {value!r} is not known")


# How the value of an argument changes on its way to version 1.
KINDS = {
    "": lambda value: value,
    "ints": lambda value: (value,) if isinstance(value, int) else value,
    "type": data_type,
    "pad_mode": text_of("PAD", "SAME", "VALID"),
    "data_format": text_of("NCHW", "NHWC"),
    "reduction": text_of("sum", "mean", "none"),
}


def batch_norm(node):
    """BatchNorm carries its layout as a number that MindSpore's Python class converts by hand."""
    attributes = {name: node.constant(5 + index, name)
                  for index, name in enumerate(("is_training", "epsilon", "momentum"))}
    return "BatchNorm", node.inputs[:5], {**attributes, "format": KINDS["data_format"](node.constant(8, "data_format"))}


def average_pool(node):
    """The old AvgPool describes its windows over all four dimensions."""
    kernel, strides = (node.constant(index, name) for index, name in ((1, "kernel_size"), (2, "strides")))
    return "AvgPool", node.inputs[:1], {"kernel_size": (1, 1, *kernel), "strides": (1, 1, *strides),
                                        "pad_mode": KINDS["pad_mode"](node.constant(3, "pad_mode")),
                                        "format": KINDS["data_format"](node.constant(4, "data_format"))}


def resize_nearest(node):
    """half_pixel_centers came later; the old operator knows only its default."""
    if node.has(3) and node.constant(3, "half_pixel_centers"):
        raise Refused("half_pixel_centers=True came after MindSpore 2.0; use False")
    return "ResizeNearestNeighbor", node.inputs[:1], {"size": node.constant(1, "size"),
                                                      "align_corners": node.constant(2, "align_corners")}


def with_scalar(operator):
    """A tensor by a Python number was an operator with a constant tensor of the result's type."""
    def rule(node):
        number = node.constant(1, "other")
        if not isinstance(number, (int, float)):
            raise Refused("its second operand is not a number")
        data_type = node.data_type()
        if data_type not in mindir.PACKING:
            raise Refused("the data type of its result is not known")
        if data_type not in (mindir.FLOAT, mindir.FLOAT16, mindir.DOUBLE):
            number = int(number)
        return operator, [node.inputs[0], mindir.tensor_value(data_type, number)], {}
    return rule


def scaled(operator):
    """The third input scales the second operand; without it this is the plain operator."""
    def rule(node):
        if node.has(2) and node.constant(2, "alpha") != 1:
            raise Refused("alpha other than 1 came after MindSpore 2.0; multiply by it first")
        return operator, node.inputs[:2], {}
    return rule


RULES = {
    "BatchNorm": batch_norm,
    "AvgPool": average_pool,
    "ResizeNearestNeighbor": resize_nearest,
    "Muls": with_scalar("Mul"),
    "Divs": with_scalar("RealDiv"),
    "AddScalar": with_scalar("Add"),
    "SubScalar": with_scalar("Sub"),
    "AddExt": scaled("Add"),
    "SubExt": scaled("Sub"),
    "InplaceAddExt": scaled("Add"),
    "InplaceSubExt": scaled("Sub"),
}
