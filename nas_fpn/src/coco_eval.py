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

GROUP = 50_000  # candidates handled together: more classes at once gain nothing when they no longer fit the cache


def apply_nms(boxes, scores, labels, threshold, max_boxes):
    """Indices of the boxes that greedy non-maximum suppression keeps, best first within a label; labels do not mix.

    `boxes` (N, 4) are [y1, x1, y2, x2] in pixels, both ends included: a side is y2 - y1 + 1. Of each label at most
    `max_boxes` are kept, each overlapping none kept before by more than `threshold`.
    """
    order = np.lexsort((-scores, labels))
    boxes, labels = boxes[order], labels[order]
    areas = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    remaining, kept = np.arange(len(order)), []
    while len(remaining) and len(kept) < max_boxes:
        # The best of every label is kept, and what it overlaps goes: all labels in one step.
        starts = np.flatnonzero(np.diff(labels[remaining], prepend=-1))
        best = remaining[starts]
        kept.append(best)
        best = np.repeat(best, np.diff(starts, append=len(remaining)))
        a, b = boxes[best], boxes[remaining]
        sides = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]) + 1, 0)
        intersection = sides[:, 0] * sides[:, 1]
        overlaps = intersection / (areas[best] + areas[remaining] - intersection)
        remaining = remaining[(overlaps <= threshold) & (remaining != best)]
    kept = np.concatenate(kept) if kept else remaining
    return order[np.sort(kept)]


def detect(boxes, scores, image_shape, config):
    """Detections of one image: boxes (D, 4) [y1, x1, y2, x2] in pixels, scores (D,) and labels (D,) from 1 on.

    `boxes` (A, 4) are shares of the image, `scores` (A, num_classes); class 0 is background. `image_shape` is the
    original (height, width). Scores over `min_score` go through `apply_nms` by class.
    """
    labels, anchors = np.nonzero((scores[:, 1:] > config.min_score).T)  # by class, so a group is a slice
    labels += 1
    boxes = boxes[anchors] * np.tile(np.float32(image_shape), 2)
    scores = scores[anchors, labels]
    ends = np.flatnonzero(np.diff(labels, append=-1)) + 1  # of each class that has candidates
    kept, start = [np.zeros(0, np.int64)], 0
    for end in ends:
        if end == len(labels) or end - start >= GROUP:
            part = slice(start, end)
            kept.append(start + apply_nms(boxes[part], scores[part], labels[part], config.nms_thershold,
                                          config.max_boxes))
            start = end
    kept = np.concatenate(kept)
    return boxes[kept], scores[kept], labels[kept]


class CocoMetrics:
    """COCO's box metrics of detections added image by image.

    They go to `predictions` (written whole at the end) and to a temporary file, and come back one category at a time:
    memory does not grow with the number of images.
    """

    def __init__(self, config, annotation_file, predictions="predictions.json"):
        with contextlib.redirect_stdout(None):
            self.truth = COCO(annotation_file)
        self.classes = classes_to_detect(config, self.truth.dataset["categories"], annotation_file)
        self.predictions = Path(predictions)
        self.beside = self.predictions.with_name(f".{self.predictions.name}").open("w")
        # Rows of image id, x, y, width, height, score, category id, all float64.
        self.rows = tempfile.TemporaryFile()  # noqa: SIM115
        self.image_ids, self.number = [], 0

    def add(self, image_id, boxes, scores, labels):
        """The detections of one image, as `detect` returns them. Raises UserError for an image without annotation."""
        if image_id not in self.truth.imgs:
            raise UserError(f"image {image_id} is not in the annotation file; evaluate on the data it belongs to")
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
        """Print COCO's twelve lines and return {metric: value} with mAP first; `per_class` adds a table of AP.

        Without any detection the metrics are 0.
        """
        self.beside.write("]" if self.number else "[]")
        self.beside.close()
        os.replace(self.beside.name, self.predictions)
        self.rows.flush()
        rows = np.memmap(self.rows, np.float64, "r").reshape(-1, 7) if self.number else np.empty((0, 7))
        results = [self._evaluate(category, rows) for _, category in self.classes]
        total = COCOeval(iouType="bbox")
        total.eval = {"precision": np.concatenate([result["precision"] for result in results], axis=2),
                      "recall": np.concatenate([result["recall"] for result in results], axis=1)}
        total.summarize()
        if per_class:
            self._print_table(total.eval["precision"])
        return dict(zip(("mAP", "AP50", "AP75", "AP small", "AP medium", "AP large", "AR 1", "AR 10", "AR 100",
                         "AR small", "AR medium", "AR large"), map(float, total.stats)))

    def _evaluate(self, category, rows):
        found = [{**_as_prediction(row), "id": number + 1, "area": row[3] * row[4], "iscrowd": 0}
                 for number, row in enumerate(rows[rows[:, 6] == category])]
        with contextlib.redirect_stdout(None):
            detections = COCO()
            detections.dataset = {"images": self.truth.dataset["images"], "annotations": found,
                                  "categories": self.truth.dataset["categories"]}
            detections.createIndex()
            evaluation = COCOeval(self.truth, detections, "bbox")
            evaluation.params.imgIds = self.image_ids
            evaluation.params.catIds = [category]
            evaluation.evaluate()
            evaluation.accumulate()
        return evaluation.eval

    def _print_table(self, precision):
        # precision: (IoU thresholds, recalls, categories, areas, detection limits), -1 where there is no truth
        width = max(len(name) for name, _ in self.classes)
        print(f"{'class':{width}}     AP   AP50")
        for index, (name, _) in enumerate(self.classes):
            values = precision[:, :, index, 0, -1]
            numbers = [f"{value[value > -1].mean():6.3f}" if (value > -1).any() else "     -"
                       for value in (values, values[0])]
            print(f"{name:{width}} {' '.join(numbers)}")


def _as_prediction(row):
    return {"image_id": int(row[0]), "bbox": row[1:5].tolist(), "score": float(row[5]), "category_id": int(row[6])}
