"""From the network's boxes and scores to detections and their COCO metrics, one image at a time."""

import contextlib
import json
import os
import tempfile
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from src.mindrecord import classes_to_detect
from src.vendored.launch import UserError

WINDOW = 100  # boxes of a class that are compared with each other at a time
TOGETHER = 16  # classes at a time: more gain nothing when their tables no longer fit the cache


def apply_nms(boxes, scores, labels, threshold, max_boxes):
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


def detect(boxes, scores, image_shape, config):
    """Detections of one image: boxes (D, 4) [y1, x1, y2, x2] in pixels, scores (D,) and labels (D,)
    from 1 on.

    `boxes` (A, 4) are shares of the image, `scores` (A, num_classes); class 0 is background.
    `image_shape` is the original (height, width). Scores over `min_score` go through `apply_nms` by
    class.
    """
    anchors, labels = np.divmod(np.flatnonzero(scores > config.min_score), scores.shape[1])
    anchors, labels = anchors[labels > 0], labels[labels > 0]
    boxes = boxes[anchors] * np.tile(np.float32(image_shape), 2)
    scores = scores[anchors, labels]
    kept = apply_nms(boxes, scores, labels, config.nms_thershold, config.max_boxes)
    return boxes[kept], scores[kept], labels[kept]


class CocoMetrics:
    """COCO's box metrics of detections added image by image.

    They go to `predictions` (written whole at the end) and to a temporary file, and come back one
    category at a time: memory does not grow with the number of images.
    """

    def __init__(self, config, annotation_file, predictions="predictions.json"):
        if not os.path.isfile(annotation_file):
            raise UserError(
                f"{annotation_file}: no such annotation file; see --instances_set and --anno_path"
            )
        try:
            with contextlib.redirect_stdout(None):
                self.truth = COCO(annotation_file)
            categories = self.truth.dataset["categories"]
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            raise UserError(
                f"{annotation_file}: not a COCO annotation file of boxes ({error})"
            ) from None
        self.classes = classes_to_detect(config, categories, annotation_file)
        self.predictions = Path(predictions)
        self.beside = self.predictions.with_name(f".{self.predictions.name}").open("w")
        # Rows of image id, x, y, width, height, score, category id, all float64.
        self.rows = tempfile.TemporaryFile()  # noqa: SIM115
        self.image_ids, self.number = [], 0

    def add(self, image_id, boxes, scores, labels):
        """The detections of one image, as `detect` returns them.

        Raises UserError for an image without annotation.
        """
        if image_id not in self.truth.imgs:
            raise UserError(
                f"image {image_id} is not in the annotation file; evaluate on the data it"
                " belongs to"
            )
        self.image_ids.append(image_id)
        rows = np.empty((len(labels), 7))
        rows[:, 0] = image_id
        rows[:, 1:3] = boxes[:, 1::-1]
        rows[:, 3:5] = boxes[:, :1:-1] - boxes[:, 1::-1]
        rows[:, 5] = scores
        rows[:, 6] = [self.classes[label - 1][1] for label in labels]
        rows.tofile(self.rows)
        for row in rows:
            self.beside.write("[" if self.number == 0 else ", ")
            json.dump(_as_prediction(row), self.beside)
            self.number += 1

    def summarize(self, per_class=False):
        """Print COCO's twelve lines and return {metric: value} with mAP first; `per_class` adds a
        table of AP.

        Without any detection the metrics are 0.
        """
        self.beside.write("]" if self.number else "[]")
        self.beside.close()
        os.replace(self.beside.name, self.predictions)
        self.rows.flush()
        rows = (
            np.memmap(self.rows, np.float64, "r").reshape(-1, 7)
            if self.number
            else np.empty((0, 7))
        )
        results = [self._evaluate(category, rows) for _, category in self.classes]
        total = COCOeval(iouType="bbox")
        total.eval = {
            "precision": np.concatenate([result["precision"] for result in results], axis=2),
            "recall": np.concatenate([result["recall"] for result in results], axis=1),
        }
        total.summarize()
        if per_class:
            self._print_table(total.eval["precision"])
        return dict(
            zip(
                (
                    "mAP",
                    "AP50",
                    "AP75",
                    "AP small",
                    "AP medium",
                    "AP large",
                    "AR 1",
                    "AR 10",
                    "AR 100",
                    "AR small",
                    "AR medium",
                    "AR large",
                ),
                map(float, total.stats),
            )
        )

    def _evaluate(self, category, rows):
        found = [
            {**_as_prediction(row), "id": number + 1, "area": row[3] * row[4], "iscrowd": 0}
            for number, row in enumerate(rows[rows[:, 6] == category])
        ]
        with contextlib.redirect_stdout(None):
            detections = COCO()
            detections.dataset = {
                "images": self.truth.dataset["images"],
                "annotations": found,
                "categories": self.truth.dataset["categories"],
            }
            detections.createIndex()
            evaluation = COCOeval(self.truth, detections, "bbox")
            evaluation.params.imgIds = self.image_ids
            evaluation.params.catIds = [category]
            evaluation.evaluate()
            evaluation.accumulate()
        return evaluation.eval

    def _print_table(self, precision):
        # precision: (IoU thresholds, recalls, categories, areas, detection limits), -1 where there
        # is no truth
        width = max(len(name) for name, _ in self.classes)
        print(f"{'class':{width}}     AP   AP50")
        for index, (name, _) in enumerate(self.classes):
            values = precision[:, :, index, 0, -1]
            numbers = [
                f"{value[value > -1].mean():6.3f}" if (value > -1).any() else "     -"
                for value in (values, values[0])
            ]
            print(f"{name:{width}} {' '.join(numbers)}")


def _as_prediction(row):
    return {
        "image_id": int(row[0]),
        "bbox": row[1:5].tolist(),
        "score": float(row[5]),
        "category_id": int(row[6]),
    }
