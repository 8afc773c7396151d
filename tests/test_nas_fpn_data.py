"""NAS-FPN's data: COCO to MindRecord and back, augmentation, batches; wrong annotations and
images.
"""

import io
import json
import subprocess
import sys

import cv2
import mindspore as ms
import numpy as np
import pytest
from PIL import Image

from folders import REPOSITORY, import_from
from test_nas_fpn import configuration, user_error

CATEGORIES = [{"id": 5, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 9, "name": "bird"}]
CROP_BOXES = np.float32([[30, 40, 150, 200, 3], [100, 220, 280, 390, 18], [10, 300, 60, 360, 1]])
UNCHANGED = (300, 400, CROP_BOXES.tolist())


def dataset():
    return import_from("nas_fpn", "src.dataset")


def mindrecord():
    return import_from("nas_fpn", "src.mindrecord")


def class_names():
    return import_from("nas_fpn", "src.class_names")


def documented_image():
    y, x, channel = np.meshgrid(np.arange(300), np.arange(400), np.arange(3), indexing="ij")
    return ((3 * y + 5 * x + 70 * channel + x * y // 50) % 256).astype(np.uint8)


def coco_folder(folder, split="train2017", images=11):
    """Images 1 to `images` of different sizes, each with a cat or a dog, and special cases at
    the first ones.
    """
    (folder / split).mkdir(parents=True)
    (folder / "annotations").mkdir(exist_ok=True)
    content = {"images": [], "annotations": [], "categories": CATEGORIES}

    def annotate(image_id, box, category=5, iscrowd=0):
        content["annotations"].append(
            {
                "id": len(content["annotations"]) + 1,
                "image_id": image_id,
                "bbox": box,
                "area": box[2] * box[3],
                "category_id": category,
                "iscrowd": iscrowd,
            }
        )

    for image_id in range(1, images + 1):
        picture = cv2.resize(documented_image(), (100 + 10 * image_id, 120))
        cv2.imwrite(str(folder / split / f"{image_id:012}.jpg"), picture)
        content["images"].append({"id": image_id, "file_name": f"{image_id:012}.jpg"})
        if image_id > 1:  # the first image has no box
            annotate(image_id, [10.4, 20.6, 30.2, 40], category=(5, 2)[image_id % 2])
    annotate(2, [0, 0, 50, 50], iscrowd=1)
    annotate(3, [60.1, 60.1, 0.2, 20])
    annotate(4, [60, 60, 20, 20], category=9)
    (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return folder


def small(tmp_path, **changes):
    return configuration(
        128,
        **{
            "coco_root": str(tmp_path),
            "mindrecord_dir": str(tmp_path / "records"),
            "workers": 2,
            "coco_classes": ["background", "dog", "cat"],
            "num_classes": 3,
            **changes,
        },
    )


def test_documented_resize_and_normalisation():
    resized = dataset().resize(documented_image(), configuration())
    assert documented_image().sum(dtype=np.int64) == 45_912_544
    # OpenCV versions round differently
    assert resized.sum(dtype=np.int64) == pytest.approx(156_561_535, abs=2000)
    assert [resized[place].tolist() for place in ((0, 0), (100, 200), (639, 639))] == [
        [0, 70, 140],
        [112, 182, 252],
        [158, 228, 42],
    ]
    normalised = ms.dataset.vision.Normalize(dataset().MEAN, dataset().STD)(resized).astype(
        np.float64
    )
    assert normalised.sum() == pytest.approx(276_493.4, abs=100)
    assert (normalised**2).sum() == pytest.approx(1_912_784.2, abs=100)


@pytest.mark.parametrize(
    "seed, height, width, boxes",
    [
        (2, *UNCHANGED),
        (3, 266, 140, [[11, 9, 131, 140, 3]]),
        (5, 265, 135, [[0, 0, 116, 104, 3]]),
        (6, 167, 138, [[0, 42, 47, 102, 1]]),
        (7, 182, 338, [[0, 176, 165, 338, 18]]),
    ],
)
def test_documented_crops(seed, height, width, boxes):
    generator = np.random.RandomState(seed)
    cropped, left = dataset().random_crop(documented_image(), CROP_BOXES.copy(), generator)
    assert cropped.shape == (height, width, 3) and left.tolist() == boxes


def test_crops_are_at_most_twice_as_long_as_wide():
    image, ratios = np.zeros((1000, 1000, 3), np.uint8), []
    generator = np.random.RandomState(0)
    for _ in range(300):
        boxes = np.float32([[400, 400, 600, 600, 1]])
        height, width = dataset().random_crop(image, boxes, generator)[0].shape[:2]
        assert min(height, width) >= 299  # sides of 0.3 to 1.0, cut to whole pixels
        ratios.append(height / width)
    assert 0.495 < min(ratios) < 0.6 and 1.7 < max(ratios) < 2.02


@pytest.mark.parametrize(
    "seed, matched, label_sum, target_sum",
    [(0, 101, 741, 53.616), (1, 111, 710, 43.588), (3, 33, 99, 20.295)],
)
def test_documented_training_sample(seed, matched, label_sum, target_sum):
    lossless = np.frombuffer(
        cv2.imencode(".png", documented_image()[:, :, ::-1])[1].tobytes(), "S1"
    )
    image, box, label, number = dataset().TrainSample(configuration())(
        lossless, np.int32(CROP_BOXES), np.uint32([seed])
    )
    assert image.shape == (640, 640, 3) and image.dtype == np.uint8
    assert (number.tolist(), label.sum()) == ([matched], label_sum)
    assert box.sum(dtype=np.float64) == pytest.approx(target_sum, abs=1e-3)


@pytest.mark.parametrize(
    "width, keep_ratio, jitter",
    [(100, False, 0), (60, False, 0), (60, True, 0), (60, True, 0.3), (100, False, 0.1)],
)
def test_flipped_boxes_lie_on_the_flipped_image(width, keep_ratio, jitter):
    picture = np.zeros((100, width, 3), np.uint8)
    picture[20:60, 10:30] = 255
    data = np.frombuffer(cv2.imencode(".png", picture)[1].tobytes(), "S1")
    sample, sides = (
        dataset().TrainSample(configuration(128, keep_ratio=keep_ratio, scale_jitter=jitter)),
        set(),
    )
    for seed in range(20):
        image, box, label, _ = sample(data, np.int32([[20, 10, 60, 30, 1]]), np.uint32([seed]))
        anchors = sample.encode.anchors[label > 0]
        yx = box[label > 0][:, :2] * 0.1 * anchors[:, 2:] + anchors[:, :2]
        bright = np.argwhere(image[:, :, 0] > 128)
        assert np.abs(yx * 128 - (bright.min(0) + bright.max(0) + 1) / 2).max() < 1.5
        sides.add(bool(yx[0, 1] > 0.5))
    assert sides == {True, False}


def test_scales_of_training():
    """Images of 0.5 to 1.5 times the size."""
    picture = np.full((128, 128, 3), 255, np.uint8)
    data = np.frombuffer(cv2.imencode(".png", picture)[1].tobytes(), "S1")
    changes = {"augment": False, "scale_jitter": 0.5}
    sample, sides = dataset().TrainSample(configuration(128, **changes)), []
    for seed in range(60):
        image = sample(data, np.int32([[0, 0, 8, 8, 1]]), np.uint32([seed]))[0]
        assert image.shape == (128, 128, 3)
        sides.append((image[:, :, 2] == 255).any(0).sum())
    assert 64 <= min(sides) < 75 and max(sides) == 128 and 15 < sides.count(128) < 45


def test_boxes_of_a_window_are_those_whose_centre_is_in_it():
    image = np.zeros((100, 100, 3), np.uint8)
    image[..., 0], image[..., 1] = np.mgrid[:100, :100]
    boxes = np.float32([[0.0, 0.0, 0.4, 0.2, 1], [0.3, 0.5, 0.9, 1.0, 2]])
    take_window = import_from("nas_fpn", "src.scale_jitter").take_window
    numbers = set()
    for seed in range(20):
        window, kept = take_window(image, boxes, 50, (0, 0, 0), np.random.RandomState(seed))
        top, left = window[0, 0, :2].astype(int)
        corners = boxes[:, :4] * 100 - (top, left, top, left)
        centres = (corners[:, :2] + corners[:, 2:]) / 2
        inside = ((centres > 0) & (centres < 50)).all(1)
        assert kept[:, 4].tolist() == boxes[inside, 4].tolist()
        assert np.allclose(kept[:, :4] * 50, corners[inside].clip(0, 50), atol=1e-4)
        numbers.add(len(kept))
    assert len(numbers) > 1


@pytest.mark.parametrize("shape", [(50, 200), (200, 50), (120, 121), (1, 300), (77, 77)])
def test_image_that_keeps_its_ratio(shape):
    """It lies at the top left, as long as the square, and the rest is the mean."""
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    config = configuration(128, keep_ratio=True)
    padded = dataset().resize(image, config)
    rows, columns = (max(int(128 * side / max(shape) + 0.5), 1) for side in shape)
    assert padded.shape == (128, 128, 3) and max(rows, columns) == 128
    assert np.array_equal(padded[:rows, :columns], cv2.resize(image, (columns, rows)))
    padded[:rows, :columns] = (124, 116, 104)
    assert (padded == (124, 116, 104)).all()


def test_detections_of_an_image_that_keeps_its_ratio():
    """Shares are of the square; what reaches beyond the image ends at its edge."""
    boxes, scores = np.float32([[0.1, 0.2, 0.3, 0.4], [0, 0.5, 1, 1]]), np.float32([[0, 0.9]] * 2)
    config = configuration(128, keep_ratio=True, nms_thershold=1.0)
    detect = import_from("nas_fpn", "src.coco_eval").detect
    found = detect(boxes, scores, (100, 200), config)[0]
    assert sorted(found.round().tolist()) == [[0, 100, 100, 200], [20, 40, 60, 80]]


def test_round_trip(tmp_path, capsys):
    config = small(coco_folder(tmp_path))
    first = mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    printed = capsys.readouterr().out
    for line in (
        "kept 10 images with 10 boxes",
        "left out: 1 boxes of other categories",
        "left out: 1 crowd boxes",
        "left out: 1 boxes without area after rounding",
        "left out: 1 images without boxes",
    ):
        assert line in printed
    assert sorted(path.name for path in (tmp_path / "records").iterdir()) == sorted(
        f"retinanet.mindrecord{shard}{suffix}" for shard in range(8) for suffix in ("", ".db")
    )
    rows = list(
        ms.dataset.MindDataset(first, shuffle=False).create_dict_iterator(
            num_epochs=1, output_numpy=True
        )
    )
    assert sorted(int(row["img_id"][0]) for row in rows) == list(range(2, 12))
    assert class_names().record_classes(first) == ["background", "dog", "cat"]
    for row in rows:
        image_id = int(row["img_id"][0])
        assert row["file_name"].tobytes() == b"%012d.jpg" % image_id
        assert row["img_id"].shape == (1,) and row["annotation"].dtype == np.int32
        assert row["image"].tobytes() == (tmp_path / f"train2017/{image_id:012}.jpg").read_bytes()
        # y_min, x_min, y_max, x_max, label: 20.6 to 60.6 and 10.4 to 40.6, rounded; dog is 1, cat
        # 2.
        assert row["annotation"].tolist() == [[21, 10, 61, 41, 1 if image_id % 2 else 2]]


def test_training_batches(tmp_path):
    config = small(coco_folder(tmp_path))
    first = mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    epochs = []
    for _ in range(2):
        data = dataset().create_retinanet_dataset(config, first, 4)
        epochs.append(list(data.create_tuple_iterator(num_epochs=1, output_numpy=True)))
    assert data.get_col_names() == ["image", "box", "label", "num_match"]
    assert len(epochs[0]) == 2  # ten images
    for image, box, label, number in epochs[0]:
        assert (image.shape, box.shape, label.shape) == ((4, 3, 128, 128), (4, 3069, 4), (4, 3069))
        assert [str(column.dtype) for column in (image, box, label, number)] == [
            "float32",
            "float32",
            "int32",
            "int32",
        ]
        assert np.array_equal((label > 0).sum(1, keepdims=True), number) and (number > 0).all()
    for again, once in zip(epochs[1], epochs[0]):  # the same seed each time
        assert all(np.array_equal(column, first_time) for column, first_time in zip(again, once))
    shares = [
        dataset().create_retinanet_dataset(config, first, 1, device_num=2, rank=rank)
        for rank in range(2)
    ]
    assert [share.get_dataset_size() for share in shares] == [5, 5]


def test_evaluation_batches(tmp_path):
    config = small(coco_folder(tmp_path, "val2017"))
    first = mindrecord().create_mindrecord(config, "retinanet_eval.mindrecord", False)
    data = dataset().create_retinanet_dataset(config, first, 1, is_training=False)
    rows = list(data.create_dict_iterator(num_epochs=1, output_numpy=True))
    # the one with a crowd is out as well
    assert sorted(int(row["img_id"][0, 0]) for row in rows) == list(range(3, 12))
    for row in rows:
        image_id = int(row["img_id"][0, 0])
        picture = cv2.imread(str(tmp_path / f"val2017/{image_id:012}.jpg"))[:, :, ::-1]
        assert row["image_shape"].tolist() == [[120, 100 + 10 * image_id]]
        expected = (
            cv2.resize(picture, (128, 128)) - np.float32([123.675, 116.28, 103.53])
        ) / np.float32([58.395, 57.12, 57.375])
        assert np.abs(row["image"][0] - expected.transpose(2, 0, 1)).max() < 1e-5


def test_all_categories_of_the_annotation_file(tmp_path):
    config = small(coco_folder(tmp_path), coco_classes=[], num_classes=4)
    samples, left_out, names = mindrecord().coco_samples(config, True)
    assert names == ["dog", "cat", "bird"]
    assert {label for sample in samples for label in sample.boxes[:, 4].tolist()} == {1, 2, 3}
    assert left_out["boxes of other categories"] == 0


def text_config(folder, *lines):
    (folder / "boxes.txt").write_text("\n".join(lines))
    return small(
        folder,
        create_dataset="other",
        image_dir=str(folder / "train2017"),
        anno_path=str(folder / "boxes.txt"),
    )


def test_text_file_of_boxes(tmp_path, capsys):
    config = text_config(
        coco_folder(tmp_path),
        "000000000003.jpg 1,2,30,40,1 5,6,70,80,2",
        "absent.jpg 1,2,3,4,1",
        "000000000004.jpg 9,8,70,60,2 5,300,9,400,1 5,5,5,9,1 100,100,200,200,1",
        "",
    )
    first = mindrecord().create_mindrecord(config, "text.mindrecord", True)
    rows = ms.dataset.MindDataset(first, shuffle=False).create_dict_iterator(
        num_epochs=1, output_numpy=True
    )
    assert {int(row["img_id"][0]): row["annotation"].tolist() for row in rows} == {
        0: [[1, 2, 30, 40, 1], [5, 6, 70, 80, 2]],
        2: [[9, 8, 70, 60, 2], [100, 100, 120, 140, 1]],  # the image has 120 x 140 pixels
    }
    printed = capsys.readouterr().out
    for line in (
        "left out: 1 boxes outside their image",
        "left out: 1 boxes without area",
        "left out: 1 lines without boxes or image file",
        "\n1 boxes cut at their image's edge",
    ):
        assert line in printed
    assert class_names().record_classes(first) == ["background", "dog", "cat"]


@pytest.mark.parametrize(
    "box, words",
    [
        ("1,2,3,4,0", "has label 0: labels are from 1 to 2"),
        ("1,2,3,4,3", "has label 3"),
        ("1,2,3,4,-1", "has label -1"),
        ("30,2,3,4,1", "30,2,3,4,1 is reversed"),
        ("1,20,3,4,1", "1,20,3,4,1 is reversed"),
        ("1,2,3,4", "a box is y_min,x_min,y_max,x_max,label in whole numbers"),
        ("1,2,3,4.5,1", "in whole numbers"),
        ("1,2,3,nan,1", "in whole numbers"),
        ("1,2,3,5000000000,1", "in whole numbers"),
    ],
)
def test_text_file_with_a_wrong_box(tmp_path, box, words):
    good = "000000000003.jpg 1,2,30,40,1"
    config = text_config(coco_folder(tmp_path), good, f"000000000004.jpg 1,2,30,40,1 {box}")
    with pytest.raises(user_error(), match=f"boxes.txt, line 2: .*{words}"):
        mindrecord().create_mindrecord(config, "text.mindrecord", True)
    assert not any((tmp_path / "records").glob("*"))


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"", b"absent.jpg 1,2,3,4,1"])
def test_no_text_file_of_boxes(tmp_path, content):
    config = text_config(coco_folder(tmp_path))
    (tmp_path / "boxes.txt").unlink()
    if content is not None:
        (tmp_path / "boxes.txt").write_bytes(content)
    with pytest.raises(user_error(), match="boxes.txt: no "):
        mindrecord().create_mindrecord(config, "text.mindrecord", True)


def test_records_that_are_there_stay_as_they_are(tmp_path, capsys):
    config = small(coco_folder(tmp_path))
    first = mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "records").iterdir()}
    assert mindrecord().create_mindrecord(config, "retinanet.mindrecord", True) == first
    assert {
        path.name: path.stat().st_mtime_ns for path in (tmp_path / "records").iterdir()
    } == before
    assert "kept as it is" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["truncated", "text", "missing"])
def test_an_image_that_does_not_decode_is_named_and_nothing_is_left_behind(tmp_path, damage):
    config = small(coco_folder(tmp_path))
    path = tmp_path / "train2017/000000000009.jpg"
    data = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(data[: len(data) // 2] if damage == "truncated" else b"not an image")
    with pytest.raises(user_error(), match="000000000009.jpg: "):
        mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    assert not any((tmp_path / "records").glob("*"))
    path.write_bytes(data)
    mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"coco_root": "/nowhere"}, "coco_root"),
        ({"instances_set": "annotations/{}.json"}, "no such annotation file"),
        ({"instances_set": "train2017/000000000003.jpg"}, "not a COCO annotation file"),
        ({"coco_classes": ["background", "cat", "unicorn"]}, "no category 'unicorn'"),
        ({"num_classes": 81}, "num_classes is 81"),
        ({"coco_classes": []}, "num_classes is 3"),
    ],
)
def test_annotations_that_do_not_fit(tmp_path, changes, message):
    config = small(coco_folder(tmp_path), **changes)
    with pytest.raises(user_error(), match=message):
        mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    assert not (tmp_path / "records").exists()


def test_data_that_do_not_fill_a_batch(tmp_path):
    config = small(coco_folder(tmp_path))
    with pytest.raises(user_error(), match="no such MindRecord file"):
        dataset().create_retinanet_dataset(
            config, str(tmp_path / "records/retinanet.mindrecord0"), 4
        )
    first = mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    with pytest.raises(user_error(), match="10 images do not fill a batch of 16"):
        dataset().create_retinanet_dataset(config, first, 16)


@pytest.mark.parametrize("names", [["dog", "cat"], ["background", "dog", "cat"]])
def test_background_may_stand_at_the_head_of_the_classes(tmp_path, names):
    samples, _, found = mindrecord().coco_samples(
        small(coco_folder(tmp_path), coco_classes=names), True
    )
    assert found == ["dog", "cat"]
    assert {label for sample in samples for label in sample.boxes[:, 4].tolist()} == {1, 2}


@pytest.mark.parametrize(
    "names, words",
    [
        (["dog", "background"], '"background" comes first or not at all'),
        (["background", "background", "dog"], '"background" comes first or not at all'),
        (["background", "dog", "dog"], '"dog" is in it twice'),
    ],
)
def test_wrong_lists_of_classes(tmp_path, names, words):
    with pytest.raises(user_error(), match=f"coco_classes: {words}"):
        mindrecord().coco_samples(small(coco_folder(tmp_path), coco_classes=names), True)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"coco_classes": ["cat", "dog"]}, "they differ at label 1"),
        ({"coco_classes": ["dog", "cat", "bird"]}, "they differ at label 3"),
        ({"coco_classes": [], "num_classes": 4}, "background and 2 classes, but num_classes is 4"),
    ],
)
def test_training_files_of_other_classes(tmp_path, changes, words):
    first = mindrecord().create_mindrecord(
        small(coco_folder(tmp_path)), "retinanet.mindrecord", True
    )
    with pytest.raises(user_error(), match=words):
        dataset().create_retinanet_dataset(small(tmp_path, **changes), first, 2)


def write_records(path, rows, schema):
    writer = ms.mindrecord.FileWriter(str(path), 8)
    writer.add_schema(schema, "retinanet_json")
    writer.write_raw_data(rows)
    writer.commit()


def test_files_of_the_original(tmp_path):
    """Without class names and file names, with boxes beyond their image, which train all the
    same.
    """
    schema = {key: mindrecord().SCHEMA[key] for key in ("img_id", "image", "annotation")}
    data = cv2.imencode(".png", documented_image())[1].tobytes()
    boxes = [[30, 40, 150, 200, 1], [-20, 500, 100, 700, 2], [250, 350, 400, 500, 2]]
    rows = [
        {"img_id": np.int32([n]), "image": data, "annotation": np.int32(boxes)} for n in range(4)
    ]
    write_records(tmp_path / "x.mindrecord", rows, schema)
    first, config = str(tmp_path / "x.mindrecord0"), small(tmp_path, augment=False)
    assert class_names().record_classes(first) == []
    (batch,) = (
        dataset()
        .create_retinanet_dataset(config, first, 4)
        .create_dict_iterator(num_epochs=1, output_numpy=True)
    )
    assert (batch["num_match"] > 0).all()
    expected = dataset().AnchorEncoder(config)(
        np.float32([[30, 40, 150, 200, 1], [250, 350, 300, 400, 2]])
        / np.float32([300, 400, 300, 400, 1])
    )
    assert np.array_equal(batch["label"][0], expected[1])
    data = dataset().create_retinanet_dataset(config, first, 1, is_training=False)
    assert data.get_col_names() == ["img_id", "image", "image_shape"]


@pytest.mark.parametrize("label", [0, -1, 3])
def test_files_with_a_label_that_is_none(tmp_path, label):
    schema = {key: mindrecord().SCHEMA[key] for key in ("img_id", "image", "annotation")}
    boxes = np.int32([[30, 40, 150, 200, label]])
    row = {"img_id": np.int32([1]), "image": b"unread", "annotation": boxes}
    write_records(tmp_path / "x.mindrecord", [row], schema)
    with pytest.raises(user_error(), match=f"label {label}, but num_classes is 3"):
        dataset().create_retinanet_dataset(small(tmp_path), str(tmp_path / "x.mindrecord0"), 1)


def test_a_box_outside_its_image_is_left_out_of_training(tmp_path, capsys):
    config = small(coco_folder(tmp_path), augment=True)
    path = tmp_path / "annotations/instances_train2017.json"
    content = json.loads(path.read_text())
    for entry in content["annotations"][4:7]:
        entry["bbox"] = [900, 900, 20, 20]
    path.write_text(json.dumps(content))
    first = mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    printed = capsys.readouterr().out
    assert "left out: 3 boxes outside their image" in printed and "kept 7 images" in printed
    data = dataset().create_retinanet_dataset(config, first, 7)
    (batch,) = data.create_dict_iterator(num_epochs=1, output_numpy=True)
    assert (batch["num_match"] > 0).all()


def encoded(suffix, picture, **options):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, suffix, **options)
    return file.getvalue()


PICTURE = documented_image()[:90, :120]
FORMATS = {
    **{name: encoded(name, PICTURE) for name in ("JPEG", "PNG", "BMP")},
    "progressive": encoded("JPEG", PICTURE, progressive=True),
    "grey": encoded("JPEG", PICTURE[:, :, 0]),
    "palette": encoded("PNG", PICTURE[:, :, 0] // 64 * 64),
}
OTHERS = {name: encoded(name, PICTURE) for name in ("TGA", "PCX", "ICO", "GIF", "TIFF", "WEBP")}


@pytest.mark.parametrize("name", FORMATS)
def test_formats_by_content_and_cut_short(tmp_path, name):
    """Creating the files takes what evaluation decodes, and refuses what it refuses."""
    images, data = import_from("nas_fpn", "src.images"), FORMATS[name]
    path = tmp_path / "picture.gif"
    path.write_bytes(data)
    assert images.read_image(str(path)) == data and images.image_shape(str(path)) == (90, 120)
    assert images.decode(data).shape == (90, 120, 3)
    for length in (0, 1, 20, len(data) // 4, len(data) // 2, len(data) - 20, len(data) - 2):
        path.write_bytes(data[:length])
        for read in (
            lambda: images.read_image(str(path)),
            lambda length=length: images.decode(data[:length], str(path)),
        ):
            with pytest.raises(user_error(), match="picture.gif: this image cannot be decoded"):
                read()


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_refused_on_both_sides(tmp_path, name):
    images, path = import_from("nas_fpn", "src.images"), tmp_path / "picture.jpg"
    path.write_bytes(OTHERS[name])
    for read in (
        lambda: images.read_image(str(path)),
        lambda: images.image_shape(str(path)),
        lambda: images.decode(OTHERS[name], str(path)),
    ):
        with pytest.raises(user_error(), match=r"picture.jpg: .*decoded \(it is "):
            read()


def test_a_jpeg_whose_thumbnail_is_whole_and_which_is_not(tmp_path):
    thumbnail = encoded("JPEG", PICTURE[:8, :8])
    length = (len(thumbnail) + 2).to_bytes(2, "big")
    data = FORMATS["JPEG"][:2] + b"\xff\xe1" + length + thumbnail + FORMATS["JPEG"][2:]
    images = import_from("nas_fpn", "src.images")
    assert images.decode(data).shape == (90, 120, 3)
    with pytest.raises(user_error(), match="cut short"):
        images.decode(data[:-200])


def test_mutated_images_never_kill_and_are_judged_alike(tmp_path, capfd):
    """What creating the files takes, evaluation decodes; libraries say nothing of the others."""
    images, random, taken = import_from("nas_fpn", "src.images"), np.random.RandomState(0), 0
    for number in range(150):
        data = bytearray(list(FORMATS.values())[number % len(FORMATS)])
        for _ in range(random.randint(1, 4)):
            data[random.randint(len(data))] = random.randint(256)
        path = tmp_path / "mutated"
        path.write_bytes(data)
        capfd.readouterr()
        try:
            content = images.read_image(str(path))
        except user_error():
            assert capfd.readouterr().err == ""
            continue
        taken += 1
        assert images.decode(content).shape == (*images.image_shape(str(path)), 3)
    assert taken > 30


def test_cmyk_as_the_cpp_program_decodes_it():
    picture = Image.fromarray(PICTURE).convert("CMYK")
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95)
    decoded = import_from("nas_fpn", "src.images").decode(file.getvalue()).astype(int)
    plain = cv2.imdecode(np.frombuffer(file.getvalue(), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    assert np.array_equal(decoded, np.maximum(plain.astype(int) - 1, 0))


LEFT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from src.unfinished import unfinished_folder
with unfinished_folder(sys.argv[2], "retinanet.mindrecord") as folder:
    (folder / "retinanet.mindrecord0").write_text("half")
    print(folder.name, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_program_left_goes_with_the_next(tmp_path):
    config, folder = small(coco_folder(tmp_path)), tmp_path / "records"
    command = [sys.executable, "-c", LEFT, REPOSITORY / "nas_fpn", folder]
    killed, living = (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)
    )
    try:
        left, alive = (process.stdout.readline().strip() for process in (killed, living))
        killed.kill()
        killed.wait()
        # What has such a name, but not such files, is not its own.
        foreign = folder / ".retinanet.mindrecord.unfinished.abcdefgh"
        foreign.mkdir()
        (foreign / "thesis.txt").write_text("mine")
        mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
        names = {path.name for path in folder.iterdir()}
        assert left not in names and {alive, foreign.name} < names
        assert (foreign / "thesis.txt").exists()
    finally:
        living.kill()
        living.wait()
        killed.stdout.close()
        living.stdout.close()
    (folder / "retinanet.mindrecord0").unlink()
    mindrecord().create_mindrecord(config, "retinanet.mindrecord", True)
    assert alive not in {path.name for path in folder.iterdir()}
