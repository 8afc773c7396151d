"""Rules for the operators that resize images."""

from .mindir import Refused
from .node import Node, Replacement
from .separable import between_centres, by_products


def resize_nearest(node: Node) -> Replacement:
    """half_pixel_centers came later; the old operator knows only its default."""
    if node.has(3) and node.constant(3, "half_pixel_centers"):
        raise Refused("half_pixel_centers=True came after MindSpore 2.0; use False")
    return (
        "ResizeNearestNeighbor",
        node.inputs[:1],
        {"size": node.constant(1, "size"), "align_corners": node.constant(2, "align_corners")},
    )


def resize_bilinear(node: Node) -> Replacement:
    """MindSpore Lite knows only the form with a fixed size."""
    align_corners, half_pixel = (
        node.constant(2, "align_corners"),
        node.constant(3, "half_pixel_centers"),
    )
    if half_pixel:
        return by_products(node, between_centres)
    return (
        "ResizeBilinear",
        node.inputs[:1],
        {"size": node.shape()[2:], "align_corners": align_corners, "half_pixel_centers": False},
    )


def upsample_bilinear(node: Node) -> Replacement:
    """Without align_corners, pixels are compared by their centres."""
    if not node.constant(3, "align_corners"):
        return by_products(node, between_centres)
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


RULES = {
    **dict.fromkeys(("ResizeNearestNeighbor", "ResizeNearestNeighborV2"), resize_nearest),
    "ResizeBilinearV2": resize_bilinear,
    "UpsampleBilinear2D": upsample_bilinear,
    "UpsampleNearest2D": upsample_nearest,
}
