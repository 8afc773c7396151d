"""Rules for the operators that change the size of images: resizing and padding."""

from .mindir import Refused, tensor_value
from .node import Node, Replacement
from .pooling import bordered


def resize_nearest(node: Node) -> Replacement:
    """half_pixel_centers came later; the old operator knows only its default."""
    if node.has(3) and node.constant(3, "half_pixel_centers"):
        raise Refused("half_pixel_centers=True came after MindSpore 2.0; use False")
    return (
        "ResizeNearestNeighbor",
        node.inputs[:1],
        {"size": node.constant(1, "size"), "align_corners": node.constant(2, "align_corners")},
    )


def _weights(size, target):
    """The (size, target) matrix, as one list, that interpolates a row linearly between centres
    of pixels.
    """
    matrix = [0.0] * (size * target)
    for column in range(target):
        at = min(max((column + 0.5) * size / target - 0.5, 0.0), size - 1.0)
        low = min(int(at), size - 1)
        high = min(low + 1, size - 1)
        matrix[low * target + column] += 1.0 - (at - low)
        matrix[high * target + column] += at - low
    return matrix


def _half_pixel(node):
    """Two products: MindSpore Lite 2.0 cannot resize by centres of pixels on CPU, and does not
    say so.
    """
    (batch, channels, height, width), (new_height, new_width) = node.shape(0), node.shape()[2:]
    x, kind = node.inputs[0], node.data_type()
    for size, target, other in ((width, new_width, height), (height, new_height, new_width)):
        flat, cube = (batch * channels * other, size), (batch * channels, other, target)
        x = node.make("Reshape", [x, flat], shape=flat)
        x = node.make(
            "MatMul",
            [x, tensor_value(kind, _weights(size, target), (size, target))],
            {"transpose_a": False, "transpose_b": False},
            shape=(flat[0], target),
        )
        x = node.make("Reshape", [x, cube], shape=cube)
        x = node.make("Transpose", [x, (0, 2, 1)], shape=(cube[0], target, other))
    return "Reshape", [x, node.shape()], {}


def resize_bilinear(node: Node) -> Replacement:
    """MindSpore Lite knows only the form with a fixed size."""
    align_corners, half_pixel = (
        node.constant(2, "align_corners"),
        node.constant(3, "half_pixel_centers"),
    )
    if half_pixel:
        return _half_pixel(node)
    return (
        "ResizeBilinear",
        node.inputs[:1],
        {"size": node.shape()[2:], "align_corners": align_corners, "half_pixel_centers": False},
    )


def upsample_bilinear(node: Node) -> Replacement:
    """Without align_corners, pixels are compared by their centres."""
    if not node.constant(3, "align_corners"):
        return _half_pixel(node)
    return (
        "ResizeBilinear",
        node.inputs[:1],
        {"size": node.shape()[2:], "align_corners": True, "half_pixel_centers": False},
    )


def upsample_nearest(node: Node) -> Replacement:
    """By factor or size: the result's shape says which."""
    return (
        "ResizeNearestNeighbor",
        node.inputs[:1],
        {"size": node.shape()[2:], "align_corners": False},
    )


def pad_constant(node: Node) -> Replacement:
    """Pads are counted from the last axis."""
    pads, fill = node.constant(1, "pads"), node.constant(2, "value") if len(node.inputs) > 2 else 0
    if node.operator == "PadV3" and (
        node.attributes().get("mode") != "constant"
        or not node.attributes().get("paddings_contiguous")
    ):
        return node.operator, node.inputs, {}
    fill = fill if isinstance(fill, (int, float)) else fill.number()
    if min(pads) < 0:
        raise Refused("a negative padding came after MindSpore 2.0; slice the tensor")
    pairs = [tuple(pads[at : at + 2]) for at in range(0, len(pads), 2)][::-1]
    pairs = (*[(0, 0)] * (len(node.shape(0)) - len(pairs)), *pairs)
    if fill == 0:
        return "Pad", node.inputs[:1], {"paddings": pairs}
    return (
        "Reshape",
        [bordered(node, node.inputs[0], node.shape(0), pairs, fill)[0], node.shape()],
        {},
    )


RULES = {
    **dict.fromkeys(("ResizeNearestNeighbor", "ResizeNearestNeighborV2"), resize_nearest),
    "ResizeBilinearV2": resize_bilinear,
    "UpsampleBilinear2D": upsample_bilinear,
    "UpsampleNearest2D": upsample_nearest,
    "PadV3": pad_constant,
    "ConstantPadND": pad_constant,
}
