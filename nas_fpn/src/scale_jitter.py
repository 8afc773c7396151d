"""Training at random scales (arXiv:1904.07392, section 4.1: images 0.8 to 1.2 times as large)."""

import numpy as np


def take_window(
    image: np.ndarray,
    boxes: np.ndarray,
    size: int,
    rest: tuple[float, float, float],
    generator: np.random.RandomState,
) -> tuple[np.ndarray, np.ndarray]:
    """A random square of `size` of the square `image` (S, S, 3), or, where `size` is larger, one in
    which the image lies anywhere, on the colour `rest`.

    `boxes` (N, 5) are [y1, x1, y2, x2, label] as shares of the image, returned as shares of the
    square: those whose centre is in it, cut at its edges.
    """
    room = len(image) - size
    top, left = generator.randint(abs(room) + 1, size=2) * (1 if room > 0 else -1)
    boxes = boxes.copy()
    boxes[:, :4] = (boxes[:, :4] * len(image) - (top, left, top, left)) / size
    centres = (boxes[:, :2] + boxes[:, 2:4]) / 2
    boxes = boxes[((centres > 0) & (centres < 1)).all(1)]
    boxes[:, :4] = boxes[:, :4].clip(0, 1)
    if room >= 0:
        return image[top : top + size, left : left + size], boxes
    filled = np.full((size, size, 3), np.round(rest), np.uint8)
    filled[-top : len(image) - top, -left : len(image) - left] = image
    return filled, boxes
