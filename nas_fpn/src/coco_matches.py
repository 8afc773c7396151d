"""Which detections match which annotated boxes, by COCO's rules, image by image.

The matching is pycocotools'. What precision and recall need of it goes to a temporary file, 33
bytes a detection, and comes back by class: memory grows with the detections of one class only.
"""

import contextlib
import tempfile

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

PARAMS = COCOeval(iouType="bbox").params
AREAS, THRESHOLDS = len(PARAMS.areaRng), len(PARAMS.iouThrs)
MATCH = np.dtype(
    [
        ("image", np.uint32),  # what images are ordered by where scores are equal
        ("label", np.uint32),
        ("rank", np.uint8),  # among the image's detections of the class, best first
        ("score", np.float64),
        # by area range, a bit for each threshold
        ("matched", np.uint16, AREAS),
        ("ignored", np.uint16, AREAS),
    ]
)
TOGETHER = 1 << 17  # rows that are read at a time


class Matches:
    """The matches of all images, added one by one; labels are from 1 to `classes`.

    A context manager, for its temporary file.
    """

    def __init__(self, classes: int):
        self.file = tempfile.TemporaryFile()  # noqa: SIM115
        self.wanted = np.zeros((classes, AREAS), np.int64)  # annotated boxes that count
        self.found = np.zeros(classes, np.int64)  # rows in the file

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()

    def add(self, image: int, truth: list[dict], found: list[dict]) -> None:
        """Match detections with annotated boxes of one image.

        Both are lists of {bbox: [x, y, width, height], area, iscrowd, category_id: label}, those
        found with a score. `image` is a number that orders the images.
        """
        labels = sorted({box["category_id"] for box in truth + found})
        results = iter(_evaluate(truth, found, labels))
        for label in labels:
            by_area = [next(results) for _ in range(AREAS)]
            scores = by_area[0]["dtScores"]
            rows = np.zeros(len(scores), MATCH)
            rows["image"], rows["label"], rows["score"] = image, label, scores
            rows["rank"] = np.arange(len(scores))
            for area, result in enumerate(by_area):
                rows["matched"][:, area] = _pack(result["dtMatches"] > 0)
                rows["ignored"][:, area] = _pack(result["dtIgnore"])
                self.wanted[label - 1, area] += np.count_nonzero(result["gtIgnore"] == 0)
            rows.tofile(self.file)
            self.found[label - 1] += len(rows)

    def accumulate(self) -> dict[str, np.ndarray]:
        """{precision (T, R, K, A, M), recall (T, K, A, M)} over IoU thresholds, recall thresholds,
        classes, area ranges and most detections an image; -1 where no box of a class counts.
        """
        recalls, limits = np.array(PARAMS.recThrs), PARAMS.maxDets
        classes = len(self.found)
        precision = -np.ones((THRESHOLDS, len(recalls), classes, AREAS, len(limits)))
        recall = -np.ones((THRESHOLDS, classes, AREAS, len(limits)))
        for index, ranks, matched, ignored in self._by_class():
            for area in range(AREAS):
                wanted = self.wanted[index, area]
                for place, limit in enumerate(limits if wanted else ()):
                    few = ranks < limit
                    precision[:, :, index, area, place], recall[:, index, area, place] = _curves(
                        matched[few, area], ignored[few, area], wanted, recalls
                    )
        return {"precision": precision, "recall": recall}

    def _by_class(self):
        """(class, its rows' rank, matched and ignored), best first; some classes are read at a
        time.
        """
        first = 0
        while first < len(self.found):
            last = first + 1
            while last < len(self.found) and self.found[first : last + 1].sum() <= TOGETHER:
                last += 1
            rows = self._read(first + 1, last)
            # Where scores are equal, images in the order of pycocotools.
            order = np.lexsort((rows["image"], -rows["score"], rows["label"]))
            for index in range(first, last):
                own, order = np.split(order, [self.found[index]])
                yield index, *(rows[name][own] for name in ("rank", "matched", "ignored"))
            first = last

    def _read(self, low, high):
        """The rows of the labels from `low` to `high`."""
        self.file.seek(0)
        chosen, number = np.empty(self.found[low - 1 : high].sum(), MATCH), 0
        while len(rows := np.fromfile(self.file, MATCH, TOGETHER)):
            rows = rows[(rows["label"] >= low) & (rows["label"] <= high)]
            chosen[number : number + len(rows)] = rows
            number += len(rows)
        return chosen


def _evaluate(truth, found, labels):
    """pycocotools' results of one image, by class and area range."""
    both = []
    with contextlib.redirect_stdout(None):
        for boxes in (truth, found):
            entries = [{**box, "id": n, "image_id": 1} for n, box in enumerate(boxes, 1)]
            both.append(COCO())
            both[-1].dataset = {
                "images": [{"id": 1}],
                "annotations": entries,
                "categories": [{"id": label} for label in labels],
            }
            both[-1].createIndex()
        evaluation = COCOeval(*both, "bbox")
        evaluation.evaluate()
    return evaluation.evalImgs


def _pack(flags):
    """(thresholds, detections) to the bits of one number a detection."""
    return (flags.astype(np.uint16) << np.arange(THRESHOLDS, dtype=np.uint16)[:, None]).sum(
        0, dtype=np.uint16
    )


def _curves(matched, ignored, wanted, recalls):
    """Precision (T, R) at the recalls and the largest recall (T,), of detections best first."""
    precision, recall = np.zeros((THRESHOLDS, len(recalls))), np.zeros(THRESHOLDS)
    for bit in range(THRESHOLDS):
        counts = (ignored >> bit & 1) == 0
        right = np.cumsum(counts & (matched >> bit & 1).astype(bool))
        if not len(right):
            continue
        share = right / wanted
        exact = right / (np.cumsum(counts) + np.spacing(1))
        # The best precision at this recall or a larger one.
        exact = np.maximum.accumulate(exact[::-1])[::-1]
        places = np.searchsorted(share, recalls)
        reached = places < len(exact)
        precision[bit, reached], recall[bit] = exact[places[reached]], share[-1]
    return precision, recall
