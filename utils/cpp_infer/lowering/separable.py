"""Images resized by a matrix for their rows and one for their columns.

MindSpore Lite 2.0 resizes by centres of pixels wrongly on CPU, and adapts no average pool to a size
that does not divide the image's; two products are right.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .mindir import tensor_value
from .node import Node, Replacement


def between_centres(size: int, target: int) -> list[float]:
    """The (size, target) matrix, as one list, that interpolates a row linearly between centres of
    pixels.
    """
    matrix = [0.0] * (size * target)
    for column in range(target):
        at = min(max((column + 0.5) * size / target - 0.5, 0.0), size - 1.0)
        low = min(int(at), size - 1)
        high = min(low + 1, size - 1)
        matrix[low * target + column] += 1.0 - (at - low)
        matrix[high * target + column] += at - low
    return matrix


def means(size: int, target: int) -> list[float]:
    """The (size, target) matrix that averages `target` windows which cover a row."""
    matrix = [0.0] * (size * target)
    for column in range(target):
        begin, end = column * size // target, math.ceil((column + 1) * size / target)
        for row in range(begin, end):
            matrix[row * target + column] = 1 / (end - begin)
    return matrix


def by_products(node: Node, matrix: Callable[[int, int], list[float]]) -> Replacement:
    """Input 0 in the result's height and width."""
    *outer, height, width = node.shape(0)
    new_height, new_width = node.shape()[-2:]
    x, kind, count = node.inputs[0], node.data_type(), math.prod(outer)
    for size, target, other in ((width, new_width, height), (height, new_height, new_width)):
        flat, cube = (count * other, size), (count, other, target)
        x = node.make("Reshape", [x, flat], shape=flat)
        x = node.make(
            "MatMul",
            [x, tensor_value(kind, matrix(size, target), (size, target))],
            {"transpose_a": False, "transpose_b": False},
            shape=(flat[0], target),
        )
        x = node.make("Reshape", [x, cube], shape=cube)
        x = node.make("Transpose", [x, (0, 2, 1)], shape=(cube[0], target, other))
    return "Reshape", [x, node.shape()], {}
