"""Random crops of images with boxes (arXiv:1512.02325, section 2.2)."""

import numpy as np

MIN_OVERLAPS = (None, 0.1, 0.3, 0.5, 0.7, 0.9)
CROP_TRIALS = 50


def random_crop(
    image: np.ndarray, boxes: np.ndarray, generator: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """A random part of the image (H, W, 3) and the boxes [y1, x1, y2, x2, label] whose centre is in
    it, in pixels.

    SSD's sampling (arXiv:1512.02325, section 2.2): sides of 0.3 to 1.0, an aspect ratio of 0.5 to
    2, and a least overlap with the boxes drawn from `MIN_OVERLAPS`. After `CROP_TRIALS` failures,
    all of it.
    """
    height, width = image.shape[:2]
    min_overlap = generator.choice(MIN_OVERLAPS)
    if min_overlap is None:
        return image, boxes
    for _ in range(CROP_TRIALS):
        crop_width, crop_height = (
            (0.3 + 0.7 * generator.rand()) * width,
            (0.3 + 0.7 * generator.rand()) * height,
        )
        if not 0.5 <= crop_height / crop_width <= 2:
            continue
        left, top = (
            generator.rand() * (width - crop_width),
            generator.rand() * (height - crop_height),
        )
        crop = np.array([int(top), int(left), int(top + crop_height), int(left + crop_width)])
        overlaps = _overlaps(boxes[:, :4], crop)
        some = overlaps > 0
        if not some.any() or (
            overlaps[some].min() < min_overlap and overlaps[some].max() > min_overlap + 0.2
        ):
            continue
        centres = (boxes[:, :2] + boxes[:, 2:4]) / 2
        inside = some & (centres > crop[:2]).all(1) & (centres < crop[2:]).all(1)
        if inside.any():
            boxes = boxes[inside]
            boxes[:, :2] = np.maximum(boxes[:, :2], crop[:2]) - crop[:2]
            boxes[:, 2:4] = np.minimum(boxes[:, 2:4], crop[2:]) - crop[:2]
            return image[crop[0] : crop[2], crop[1] : crop[3]], boxes
    return image, boxes


def _overlaps(boxes, crop):
    """Intersection over union of `boxes` (N, 4) with one other."""
    sides = np.maximum(np.minimum(boxes[:, 2:], crop[2:]) - np.maximum(boxes[:, :2], crop[:2]), 0)
    intersection = sides[:, 0] * sides[:, 1]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return intersection / (areas + (crop[2] - crop[0]) * (crop[3] - crop[1]) - intersection)
