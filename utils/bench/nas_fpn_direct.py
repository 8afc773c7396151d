"""Anchor encoding and post-processing as one writes them first: the forms that nas_fpn/ is compared
with.

Encoding computes the overlap of every box with every anchor; suppression goes through one class and
one box at a time.
"""

from types import SimpleNamespace

import numpy as np


def encode(
    boxes: np.ndarray, anchors: np.ndarray, corners: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets (A, 4), labels (A,) and number of matched anchors, from rows [y1, x1, y2, x2, label]
    in 0..1.

    `anchors` are [cy, cx, h, w], `corners` the same as [y1, x1, y2, x2], both (A, 4) float32.
    """
    y1, x1, y2, x2 = corners.T
    areas = (y2 - y1) * (x2 - x1)
    overlap, owner = np.zeros(len(anchors), np.float32), np.full(len(anchors), -1)
    for index, (top, left, bottom, right) in enumerate(boxes[:, :4]):
        height = np.maximum(np.minimum(y2, bottom) - np.maximum(y1, top), 0)
        width = np.maximum(np.minimum(x2, right) - np.maximum(x1, left), 0)
        intersection = height * width
        found = intersection / (areas + (bottom - top) * (right - left) - intersection)
        found[found.argmax()] = 2
        claimed = (found > threshold) & (found > overlap)
        overlap = np.where(claimed, found, overlap)
        owner = np.where(claimed, index, owner)
    matched = owner >= 0
    owned = np.where(matched[:, None], boxes[owner], 0)
    yx, hw = (owned[:, :2] + owned[:, 2:4]) / 2, owned[:, 2:4] - owned[:, :2]
    targets = np.concatenate(
        [
            (yx - anchors[:, :2]) / (anchors[:, 2:] * np.float32(0.1)),
            np.log(np.maximum(hw / anchors[:, 2:], 1e-6)) / np.float32(0.2),
        ],
        axis=1,
    )
    return (
        np.where(matched[:, None], targets, 0),
        owned[:, 4].astype(np.int32),
        matched.sum(keepdims=True),
    )


def suppress(boxes: np.ndarray, scores: np.ndarray, threshold: float, max_boxes: int) -> list[int]:
    """Indices of what greedy suppression keeps of one class: sides of y2 - y1 + 1, the best of
    the rest each time.
    """
    y1, x1, y2, x2 = boxes.T
    areas = (y2 - y1 + 1) * (x2 - x1 + 1)
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order) and len(kept) < max_boxes:
        best, rest = order[0], order[1:]
        kept.append(best)
        height = np.maximum(np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest]) + 1, 0)
        width = np.maximum(np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest]) + 1, 0)
        intersection = height * width
        order = rest[intersection / (areas[best] + areas[rest] - intersection) <= threshold]
    return kept


def detect(
    boxes: np.ndarray, scores: np.ndarray, shape: np.ndarray, config: SimpleNamespace
) -> list[np.ndarray]:
    """Boxes, scores and labels of an image's detections, from `boxes` (A, 4) in 0..1 and
    `scores` (A, classes).
    """
    found = []
    for label in range(1, scores.shape[1]):
        chosen = scores[:, label] > config.min_score
        candidates, values = boxes[chosen] * np.tile(shape, 2), scores[chosen, label]
        kept = suppress(candidates, values, config.nms_thershold, config.max_boxes)
        found.append((candidates[kept], values[kept], np.full(len(kept), label)))
    return [np.concatenate(parts) for parts in zip(*found)]
