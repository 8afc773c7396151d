"""NAS-FPN's non-maximum suppression against the plain form."""

import numpy as np
import pytest

from nas_fpn_detections import coco_eval, random_outputs, reference_detections
from test_nas_fpn import configuration


@pytest.mark.parametrize(
    "boxes, scores, kept",
    [
        (
            [
                [10, 10, 50, 50],
                [12, 12, 52, 52],
                [10, 10, 50, 52],
                [100, 100, 160, 180],
                [100, 100, 130, 140],
            ],
            [0.9, 0.8, 0.85, 0.3, 0.95],
            [4, 0, 3],
        ),
        ([[0, 0, 9, 9], [0, 0, 9, 15]], [0.9, 0.8], [0]),
    ],
)
def test_documented_suppression(boxes, scores, kept):
    found = coco_eval().apply_nms(
        np.float32(boxes), np.float32(scores), np.ones(len(boxes), int), 0.6, 100
    )
    assert found.tolist() == kept


@pytest.mark.parametrize("threshold, kept", [(0.5, [0, 1]), (0.499, [0])])
def test_an_overlap_at_the_threshold_does_not_suppress(threshold, kept):
    boxes = np.float32([[0, 0, 9, 9], [0, 0, 9, 19]])  # 100 and 200 pixels, 100 of them in both
    assert (
        coco_eval()
        .apply_nms(boxes, np.float32([0.9, 0.8]), np.ones(2, int), threshold, 100)
        .tolist()
        == kept
    )


@pytest.mark.parametrize("threshold, max_boxes", [(0.6, 100), (0.3, 100), (0.6, 3), (1.0, 100)])
def test_suppression_by_class_equals_the_plain_form(threshold, max_boxes):
    config = configuration(nms_thershold=threshold, max_boxes=max_boxes, min_score=0.1)
    for seed in range(5):
        boxes, scores = random_outputs(np.random.RandomState(seed))
        found = [
            (int(label), float(score), x1, y1, x2, y2)
            for (y1, x1, y2, x2), score, label in zip(
                *(
                    values.tolist()
                    for values in coco_eval().detect(boxes, scores, (300, 400), config)
                )
            )
        ]
        assert found == reference_detections(boxes, scores, (300, 400), config)


@pytest.mark.parametrize("window, together", [(7, 3), (1, 100), (100, 1)])
def test_windows_give_the_same(monkeypatch, window, together):
    boxes, scores = random_outputs(np.random.RandomState(7), classes=30)
    at_once = coco_eval().detect(boxes, scores, (300, 400), configuration())
    monkeypatch.setattr(coco_eval(), "WINDOW", window)
    monkeypatch.setattr(coco_eval(), "TOGETHER", together)
    for got, want in zip(coco_eval().detect(boxes, scores, (300, 400), configuration()), at_once):
        assert np.array_equal(got, want)


def test_scores_at_or_below_the_least_give_nothing():
    boxes, scores = random_outputs(np.random.RandomState(0))
    scores[:, 1:] = 0.1
    assert [
        len(values) for values in coco_eval().detect(boxes, scores, (10, 10), configuration())
    ] == [0, 0, 0]
