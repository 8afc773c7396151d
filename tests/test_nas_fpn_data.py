"""NAS-FPN's data: resizing, augmentation, targets and batches."""

import cv2
import mindspore as ms
import numpy as np
import pytest

from folders import import_from
from nas_fpn_records import coco_folder, dataset, documented_image, mindrecord, small
from test_nas_fpn import configuration

CROP_BOXES = np.float32([[30, 40, 150, 200, 3], [100, 220, 280, 390, 18], [10, 300, 60, 360, 1]])
UNCHANGED = (300, 400, CROP_BOXES.tolist())


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
