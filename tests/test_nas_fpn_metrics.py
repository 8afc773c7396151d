"""NAS-FPN's COCO metrics against pycocotools, and the memory that they take."""

import contextlib
import json
import tracemalloc

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from folders import import_from
from nas_fpn_detections import coco_eval, random_outputs, reference_detections
from test_nas_fpn import configuration

NAMES = ["background", "cat", "dog", "bird"]
NOTHING = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, int)
CATEGORIES = [{"id": 17, "name": "dog"}, {"id": 3, "name": "cat"}, {"id": 90, "name": "bird"}]


def metrics_of(folder, config):
    """The metrics for folder/truth.json, with the detections in folder/predictions.json."""
    annotations = import_from("nas_fpn", "src.annotations").read_annotations(
        str(folder / "truth.json")
    )
    classes = import_from("nas_fpn", "src.class_names").classes_to_detect(config, annotations)
    return coco_eval().CocoMetrics(annotations, classes, folder / "predictions.json")


def write_truth(path, random, images=12):
    """An annotation file with crowds, an image without boxes, and no bird at all."""
    annotations = []
    for image_id in range(1, images):
        for _ in range(random.randint(1, 6)):
            x, y = random.randint(0, 250), random.randint(0, 200)
            width, height = random.randint(5, 140), random.randint(5, 90)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "iscrowd": int(random.rand() < 0.1),
                    "category_id": int(random.choice([3, 17])),
                    "bbox": [x, y, width, height],
                    "area": width * height,
                }
            )
    content = {
        "images": [
            {"id": image_id, "file_name": f"{image_id}.jpg", "height": 300, "width": 400}
            for image_id in range(images)
        ],
        "annotations": annotations,
        "categories": CATEGORIES,
    }
    path.write_text(json.dumps(content))
    return content


def outputs_near(truth, image_id, random):
    """Network outputs that find most boxes of an image, some twice, with wrong ones among them."""
    boxes, scores = random_outputs(random, anchors=60)
    scores *= 0.5
    for annotation in truth["annotations"]:
        if annotation["image_id"] == image_id:
            x, y, width, height = np.float32(annotation["bbox"]) + 6 * random.randn(4)
            boxes = np.append(
                boxes,
                np.float32([[y / 300, x / 400, (y + height) / 300, (x + width) / 400]]),
                axis=0,
            )
            label = {3: 1, 17: 2}[annotation["category_id"]]
            scores = np.append(
                scores,
                np.float32(random.rand(1, 4) * np.where(np.arange(4) == label, 1, 0.2)),
                axis=0,
            )
    return boxes.clip(0, 1), scores


@pytest.mark.parametrize("digits", [9, 1])
def test_metrics_equal_pycocotools_on_its_own_path(tmp_path, capsys, digits):
    """Also with scores of which many are equal, and images that come in another order."""
    random = np.random.RandomState(3)
    truth = write_truth(tmp_path / "truth.json", random)
    config = configuration(coco_classes=NAMES, num_classes=4)
    metrics = metrics_of(tmp_path, config)
    evaluated, plain = range(10), []  # two images of the file are not evaluated
    for image_id in reversed(evaluated):
        boxes, scores = outputs_near(truth, image_id, random)
        scores = scores.round(digits)
        metrics.add(image_id, (300, 400), *coco_eval().detect(boxes, scores, (300, 400), config))
        plain += [
            {
                "image_id": image_id,
                "category_id": {1: 3, 2: 17, 3: 90}[label],
                "score": score,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
            }
            for label, score, x1, y1, x2, y2 in reference_detections(
                boxes, scores, (300, 400), config
            )
        ]
    capsys.readouterr()
    result = metrics.summarize(per_class=True)
    printed = capsys.readouterr().out.splitlines()
    with contextlib.redirect_stdout(None):
        reference = COCO(str(tmp_path / "truth.json"))
        evaluation = COCOeval(reference, reference.loadRes(plain), "bbox")
        evaluation.params.imgIds = list(evaluated)
        evaluation.evaluate()
        evaluation.accumulate()
    capsys.readouterr()
    evaluation.summarize()
    assert printed[:12] == capsys.readouterr().out.splitlines()
    assert list(result.values()) == pytest.approx(evaluation.stats.tolist(), abs=1e-12)
    assert 0.05 < result["mAP"] < 0.95

    written = json.loads((tmp_path / "predictions.json").read_text())
    assert len(written) == len(plain) and set(written[0]) == {
        "image_id",
        "bbox",
        "score",
        "category_id",
    }
    table = {line.split()[0]: line.split()[1:] for line in printed[13:]}
    # categories in the order of their ids: cat, dog, bird
    precision = evaluation.eval["precision"][:, :, :, 0, 2]
    assert table["cat"] == [f"{precision[:, :, 0].mean():.3f}", f"{precision[0, :, 0].mean():.3f}"]
    assert table["dog"] == [f"{precision[:, :, 1].mean():.3f}", f"{precision[0, :, 1].mean():.3f}"]
    assert table["bird"] == ["-", "-"]


def test_metrics_read_in_parts_are_the_same(tmp_path, monkeypatch):
    random = np.random.RandomState(3)
    truth = write_truth(tmp_path / "truth.json", random)
    config, results = configuration(coco_classes=NAMES, num_classes=4), []
    detected = [
        coco_eval().detect(*outputs_near(truth, image_id, random), (300, 400), config)
        for image_id in range(12)
    ]
    for together in (1 << 17, 7):
        monkeypatch.setattr(import_from("nas_fpn", "src.coco_matches"), "TOGETHER", together)
        with metrics_of(tmp_path, config) as metrics:
            for image_id, found in enumerate(detected):
                metrics.add(image_id, (300, 400), *found)
            results.append(metrics.summarize())
    assert results[0] == results[1] and 0.05 < results[0]["mAP"] < 0.95


def test_memory_does_not_grow_with_the_images(tmp_path):
    """An image with a hundred detections takes 7 KB at the end; kept as objects, they take 90."""
    boxes = 400 * np.sort(np.random.RandomState(0).rand(100, 2, 2), axis=1).reshape(100, 4)
    found, peaks = (np.float32(boxes), np.linspace(0.1, 1, 100), np.ones(100, int)), []
    for images in (10, 90):
        truth = write_truth(tmp_path / "truth.json", np.random.RandomState(3), images)
        config = configuration(coco_classes=NAMES, num_classes=4)
        with metrics_of(tmp_path, config) as metrics:
            tracemalloc.start()
            for image in range(len(truth["images"])):
                metrics.add(image, (300, 400), *found)
            metrics.summarize()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert (peaks[1] - peaks[0]) / 80 < 15_000


def test_no_detection_at_all_is_zero(tmp_path):
    write_truth(tmp_path / "truth.json", np.random.RandomState(3))
    config = configuration(coco_classes=[], num_classes=4)
    metrics = metrics_of(tmp_path, config)
    for image_id in range(3):
        metrics.add(image_id, (300, 400), *NOTHING)
    assert metrics.summarize()["mAP"] == 0
    assert json.loads((tmp_path / "predictions.json").read_text()) == []


def test_perfect_detections_score_one(tmp_path):
    truth = write_truth(tmp_path / "truth.json", np.random.RandomState(3))
    config = configuration(coco_classes=NAMES, num_classes=4)
    metrics = metrics_of(tmp_path, config)
    for image in truth["images"]:
        own = [
            annotation
            for annotation in truth["annotations"]
            if annotation["image_id"] == image["id"]
        ]
        boxes = np.array([annotation["bbox"] for annotation in own], float).reshape(-1, 4)[
            :, [1, 0, 3, 2]
        ]
        boxes[:, 2:] += boxes[:, :2]
        labels = np.array([{3: 1, 17: 2}[annotation["category_id"]] for annotation in own], int)
        metrics.add(image["id"], (300, 400), boxes, np.ones(len(own)), labels)
    assert metrics.summarize()["mAP"] == pytest.approx(1.0)
