"""From the network's boxes and scores to detections and their COCO metrics, one image at a time."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from pycocotools.cocoeval import COCOeval

from src.annotation_file import in_order, shown
from src.annotations import Annotations, corners_of, cut_boxes
from src.box_utils import covered
from src.coco_matches import Matches
from src.images import require_shapes
from src.unfinished import put_in_place, unfinished_folder
from src.vendored.launch import UserError

METRICS = (
    *("mAP", "AP50", "AP75", "AP small", "AP medium", "AP large"),
    *("AR 1", "AR 10", "AR 100", "AR small", "AR medium", "AR large"),
)
WINDOW = 100  # boxes of a class that are compared with each other at a time
TOGETHER = 16  # classes at a time: more gain nothing when their tables no longer fit the cache


def apply_nms(
    boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, threshold: float, max_boxes: int
) -> np.ndarray:
    """Indices of the boxes that greedy non-maximum suppression keeps, best first within a label;
    labels do not mix.

    `boxes` (N, 4) are [y1, x1, y2, x2] in pixels, both ends included: a side is y2 - y1 + 1. Of
    each label at most `max_boxes` are kept, each overlapping none kept before by more than
    `threshold`.
    """
    # NumPy sorts 16 bits several times faster than 64
    order = np.lexsort((-scores, labels.astype(np.uint16)))
    boxes = boxes[order]
    waiting = np.split(np.arange(len(order)), np.flatnonzero(np.diff(labels[order])) + 1)
    kept = []
    for first in range(0, len(waiting), TOGETHER):
        kept += _suppress(boxes, waiting[first : first + TOGETHER], threshold, max_boxes)
    return order[np.concatenate(kept)]


def _suppress(boxes, waiting, threshold, max_boxes):
    """What is kept of each of the index arrays `waiting`, best first: the next WINDOW of all of
    them in one step.
    """
    kept = [indices[:0] for indices in waiting]
    while any(map(len, waiting)):
        windows = [
            np.concatenate((before, indices[:WINDOW])) for before, indices in zip(kept, waiting)
        ]
        kept = [indices[:max_boxes] for indices in _survivors(boxes, windows, threshold)]
        waiting = [
            indices[WINDOW if len(before) < max_boxes else len(indices) :]
            for before, indices in zip(kept, waiting)
        ]
    return kept


def _survivors(boxes, windows, threshold):
    table = np.full((len(windows), max(map(len, windows))), -1)
    for row, indices in zip(table, windows):
        row[: len(indices)] = indices
    alive = table >= 0
    y1, x1, y2, x2 = np.moveaxis(boxes[table], 2, 0).copy()
    areas = (y2 - y1 + 1) * (x2 - x1 + 1)
    heights = np.minimum(y2[:, :, None], y2[:, None]) - np.maximum(y1[:, :, None], y1[:, None]) + 1
    widths = np.minimum(x2[:, :, None], x2[:, None]) - np.maximum(x1[:, :, None], x1[:, None]) + 1
    intersection = np.maximum(heights, 0) * np.maximum(widths, 0)
    apart = intersection / (areas[:, :, None] + areas[:, None] - intersection) <= threshold
    for best in range(table.shape[1] - 1):
        alive[:, best + 1 :] &= apart[:, best, best + 1 :] | ~alive[:, best, None]
    return [indices[row] for indices, row in zip(table, alive)]


def detect(
    boxes: np.ndarray,
    scores: np.ndarray,
    image_shape: tuple[int, int] | np.ndarray,
    config: SimpleNamespace,
    name: str = "an image",
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Detections of one image: boxes (D, 4) [y1, x1, y2, x2] in pixels, scores (D,) and labels (D,)
    from 1 on.

    `boxes` (A, 4) are shares of what `covered` says, `scores` (A, num_classes); class 0 is
    background. `image_shape` is the original (height, width). Scores over `min_score` go through
    `apply_nms` by class. Raises UserError with the image's `name` where a box or score is NaN or
    infinite.
    """
    for values, what in ((boxes, "box"), (scores, "score")):
        if not np.isfinite(values).all():
            raise UserError(
                f"{name}: the network's outputs hold a {what} that is NaN or infinite, so its"
                " accuracy is none; check its weights, or export it again"
            )
    anchors, labels = np.divmod(np.flatnonzero(scores > config.min_score), scores.shape[1])
    anchors, labels = anchors[labels > 0], labels[labels > 0]
    boxes = boxes[anchors].clip(0, 1) * np.tile(covered(image_shape, config), 2)
    boxes = np.minimum(boxes, np.tile(np.float32(image_shape), 2))
    scores = scores[anchors, labels]
    kept = apply_nms(boxes, scores, labels, config.nms_thershold, config.max_boxes)
    return boxes[kept], scores[kept], labels[kept]


class CocoMetrics:
    """COCO's box metrics of detections added image by image: memory does not grow with them.

    `classes` are the positions of the categories with labels 1, 2, ... The detections go to the
    file `predictions`, with the annotation file's own ids: whole, when `summarize` has them all. A
    context manager: what is unfinished goes with it.
    """

    def __init__(
        self,
        annotations: Annotations,
        classes: list[int],
        predictions: str | Path = "predictions.json",
    ):
        self.annotations, self.predictions = annotations, Path(predictions)
        self.classes = [annotations.categories[place] for place in classes]
        self.labels = np.zeros(len(annotations.categories), int)
        self.labels[classes] = np.arange(1, len(classes) + 1)
        keys = [in_order(image.id) for image in annotations.images]
        self.places = np.argsort(sorted(range(len(keys)), key=keys.__getitem__))
        self.counts, self.number = Counter(), 0
        with contextlib.ExitStack() as stack:
            name = self.predictions.name
            folder = stack.enter_context(unfinished_folder(self.predictions.parent, name))
            self.file = stack.enter_context((folder / name).open("w"))
            self.matches = stack.enter_context(Matches(len(classes)))
            self.stack = stack.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stack.close()

    def truth(
        self, image: int, shape: tuple[int, int], counts: Counter | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(corners (N, 4) [y1, x1, y2, x2], labels, areas, crowds) of the annotated boxes that
        count; `counts`, a Counter, is told what is left out of them.
        """
        boxes = self.annotations.boxes(image)
        boxes = boxes[self.labels[boxes["category"]] > 0]
        corners, kept = cut_boxes(corners_of(boxes), shape, Counter() if counts is None else counts)
        boxes = boxes[kept]
        return corners, self.labels[boxes["category"]], boxes["area"], boxes["crowd"]

    def add(
        self,
        image: int,
        shape: tuple[int, int],
        boxes: np.ndarray,
        scores: np.ndarray,
        labels: np.ndarray,
    ) -> None:
        """The detections, as `detect` returns them, of the image at position `image`, whose height
        and width are `shape`.

        Raises UserError where the annotation file says another size.
        """
        require_shapes(self.annotations, {image: shape})
        corners, own, areas, crowds = self.truth(image, shape, self.counts)
        truth = [
            {"bbox": box, "category_id": label, "area": area, "iscrowd": crowd}
            for box, label, area, crowd in zip(
                _sides(corners).tolist(), own.tolist(), areas.tolist(), crowds.tolist()
            )
        ]
        found = [
            {
                "bbox": box,
                "category_id": label,
                "area": box[2] * box[3],
                "iscrowd": 0,
                "score": score,
            }
            for box, label, score in zip(
                _sides(boxes.astype(float)).tolist(), labels.tolist(), scores.tolist()
            )
        ]
        self.matches.add(int(self.places[image]), truth, found)
        for each in found:
            self.file.write(", " if self.number else "[")
            json.dump(
                {
                    "image_id": self.annotations.images[image].id,
                    "bbox": each["bbox"],
                    "score": each["score"],
                    "category_id": self.classes[each["category_id"] - 1].id,
                },
                self.file,
            )
            self.number += 1

    def summarize(self, per_class: bool = False) -> dict[str, float]:
        """Print COCO's twelve lines and return {metric: value} with mAP first; `per_class` adds a
        table of AP.

        Without any detection the metrics are 0. Raises UserError where no annotated box counts.
        """
        if not self.matches.wanted[:, 0].any():
            raise UserError(
                f"{self.annotations.path}: none of the images evaluated has a box of the classes to"
                f" detect ({shown([category.name for category in self.classes])})"
            )
        self.file.write("]" if self.number else "[]")
        self.file.close()
        put_in_place(self.file.name, self.predictions)
        total = COCOeval(iouType="bbox")
        total.eval = self.matches.accumulate()
        total.summarize()
        if per_class:
            self._print_table(total.eval["precision"])
        return dict(zip(METRICS, map(float, total.stats)))

    def _print_table(self, precision):
        # precision: (IoU thresholds, recalls, categories, areas, detection limits), -1 where there
        # is no truth
        width = max(len(category.name) for category in self.classes)
        print(f"{'class':{width}}     AP   AP50")
        for index, category in enumerate(self.classes):
            values = precision[:, :, index, 0, -1]
            numbers = [
                f"{value[value > -1].mean():6.3f}" if (value > -1).any() else "     -"
                for value in (values, values[0])
            ]
            print(f"{category.name:{width}} {' '.join(numbers)}")


def _sides(corners):
    """[y1, x1, y2, x2] to COCO's [x, y, width, height]."""
    return np.column_stack((corners[:, 1::-1], corners[:, :1:-1] - corners[:, 1::-1]))
