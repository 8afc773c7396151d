"""NAS-FPN's non-maximum suppression and COCO metrics against plain computations."""

import contextlib
import json
import tracemalloc

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import nas_fpn_coco as coco
from entry_points import assert_one_line, call
from folders import import_from
from test_nas_fpn import configuration, user_error

NAMES = ["background", "cat", "dog", "bird"]
GREY_OF_THE_SECOND = np.full((1, 3, 1, 1), (coco.GREYS[1] - 123.675) / 58.395)
NOTHING = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, int)
CATEGORIES = [{"id": 17, "name": "dog"}, {"id": 3, "name": "cat"}, {"id": 90, "name": "bird"}]


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


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("output", [0, 1])
def test_outputs_that_are_no_numbers_are_refused(tmp_path, value, output):
    coco.write_data(tmp_path, coco.BASE)
    coco.write_results(tmp_path, coco.BASE)
    values = np.fromfile(tmp_path / f"results/000000000002_{output}.bin", np.float32)
    values[-1] = value
    values.tofile(tmp_path / f"results/000000000002_{output}.bin")
    config = configuration(coco.SIZE, **json.loads((tmp_path / "settings.yaml").read_text()))
    module, knows = import_from("nas_fpn", "src.evaluation"), coco.detector(coco.BASE)

    def predict(image):
        found = knows(image)
        if found[1].argmax(2)[0].tolist() == knows(GREY_OF_THE_SECOND)[1].argmax(2)[0].tolist():
            found[output] = values.reshape(found[output].shape)
        return found

    data = module.evaluation_dataset(config)
    with pytest.raises(user_error(), match="000000000002.png: .* NaN or infinite"):
        module.evaluate(predict, data, config, tmp_path / "predictions.json")
    code, _, err = coco.postprocess(tmp_path)
    assert_one_line(code, err, "000000000002.png", "NaN or infinite")
    assert not [path for path in tmp_path.iterdir() if "predictions" in path.name]


def test_by_an_onnx_file(tmp_path):
    """eval_onnx.py as it is used, on the detector that knows the boxes, and on one that fails."""
    coco.write_data(tmp_path, coco.BASE)
    coco.write_onnx(tmp_path / "knows.onnx", coco.BASE)
    flags = ["--config_path", "settings.yaml", "--onnx_path", "knows.onnx", "--visualize", "out"]
    code, out, err = call("nas_fpn", "eval_onnx.py", *flags, cwd=tmp_path)
    assert code == 0 and out.endswith("mAP: 1.0\n"), err
    before = (tmp_path / "predictions.json").read_text()
    assert len(json.loads(before)) == 6 and len(list((tmp_path / "out").iterdir())) == 3
    broken = coco.base()
    broken["annotations"][4]["bbox"][0] = float("nan")
    coco.write_onnx(tmp_path / "knows.onnx", broken)
    code, _, err = call("nas_fpn", "eval_onnx.py", *flags, cwd=tmp_path)
    assert_one_line(code, err, "knows.onnx: the weight 'boxes'", "NaN or infinite")
    assert (tmp_path / "predictions.json").read_text() == before


def test_classes_are_told_by_name(tmp_path):
    """Where the validation file numbers the classes otherwise than the training file."""
    coco.write_data(tmp_path, coco.BASE, settings={"coco_classes": []})
    config = configuration(coco.SIZE, **json.loads((tmp_path / "settings.yaml").read_text()))
    import_from("nas_fpn", "src.mindrecord").create_mindrecord(config, "retinanet.mindrecord", True)
    content = coco.base()
    content["categories"] = [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}]
    for entry in content["annotations"]:
        entry["category_id"] = 3 - entry["category_id"]
    coco.write_annotations(tmp_path, content)
    module = import_from("nas_fpn", "src.evaluation")
    data = module.evaluation_dataset(config)
    result = module.evaluate(coco.detector(content), data, config, tmp_path / "predictions.json")
    assert result["mAP"] == 1
    names = {1: "dog", 2: "cat"}
    written = json.loads((tmp_path / "predictions.json").read_text())
    assert [names[entry["category_id"]] for entry in written if entry["image_id"] == 3] == [
        "cat",
        "dog",
    ]


def test_records_of_other_images_than_annotated(tmp_path):
    coco.write_data(tmp_path, coco.BASE)
    config = configuration(coco.SIZE, **json.loads((tmp_path / "settings.yaml").read_text()))
    module = import_from("nas_fpn", "src.evaluation")
    data = module.evaluation_dataset(config)
    for change, words in (
        ({"file_name": "other.png"}, "000000000002.png of the MindRecord files is not in"),
        ({"height": 81}, r"images\[1\] \(id 2\) 000000000002.png is 100 x 80, not 100 x 81"),
    ):
        content = coco.base()
        content["images"][1].update(change)
        coco.write_annotations(tmp_path, content)
        with pytest.raises(user_error(), match=words):
            module.evaluate(coco.detector(coco.BASE), data, config, tmp_path / "predictions.json")
    assert not [path for path in tmp_path.iterdir() if "predictions" in path.name]


def test_images_without_a_box_to_find_have_no_map(tmp_path):
    content = {**coco.base(), "annotations": []}
    coco.write_data(tmp_path, content)
    coco.write_results(tmp_path, coco.BASE)
    code, out, err = coco.postprocess(tmp_path)
    assert_one_line(code, err, "none of the images evaluated has a box", '["cat", "dog"]')
    assert "mAP" not in out and not (tmp_path / "predictions.json").exists()
