"""NAS-FPN's detections, computed one after the other, from outputs drawn by chance."""

import numpy as np

from folders import import_from


def coco_eval():
    return import_from("nas_fpn", "src.coco_eval")


def reference_nms(boxes, scores, threshold, max_boxes):
    """Greedy, one box after the other, sides of y2 - y1 + 1."""
    kept = []
    for index in np.argsort(-scores, kind="stable"):
        y1, x1, y2, x2 = boxes[index]
        for other in kept:
            v1, u1, v2, u2 = boxes[other]
            shared = max(min(y2, v2) - max(y1, v1) + 1, 0) * max(min(x2, u2) - max(x1, u1) + 1, 0)
            union = (y2 - y1 + 1) * (x2 - x1 + 1) + (v2 - v1 + 1) * (u2 - u1 + 1) - shared
            if shared / union > threshold:
                break
        else:
            kept.append(index)
        if len(kept) == max_boxes:
            break
    return kept


def random_outputs(random, anchors=200, classes=4):
    """Boxes (A, 4) as shares of the image, many of them close to each other, and scores (A,
    classes).
    """
    centres = random.rand(6, 2)[random.randint(6, size=anchors)] + 0.03 * random.randn(anchors, 2)
    sides = 0.1 + 0.2 * random.rand(anchors, 2)
    boxes = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1).clip(0, 1)
    return np.float32(boxes), np.float32(random.rand(anchors, classes) ** 3)


def reference_detections(boxes, scores, shape, config):
    """[(label, score, x1, y1, x2, y2)], class after class."""
    found = []
    for label in range(1, scores.shape[1]):
        chosen = scores[:, label] > config.min_score
        scaled, values = boxes[chosen] * np.float32([*shape, *shape]), scores[chosen, label]
        for index in reference_nms(scaled, values, config.nms_thershold, config.max_boxes):
            y1, x1, y2, x2 = scaled[index].tolist()
            found.append((label, float(values[index]), x1, y1, x2, y2))
    return found
