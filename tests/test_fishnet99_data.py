"""FishNet-99's data pipeline against OpenCV and Pillow, its order against itself."""

import io

import cv2
import mindspore.dataset as ds
import numpy as np
import pytest
from PIL import Image

from folders import import_from
from image_files import PHOTO

data = import_from("fishnet99", "src.dataset")
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]) * 255, np.array([0.229, 0.224, 0.225]) * 255


def training_operations(data):
    return data.training_operations(data.evaluation_preprocessing(64, 64))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """11 JPEG crops of a photograph, portrait and landscape, in three classes, beside files that
    are none.
    """
    root = tmp_path_factory.mktemp("imagenet")
    photo = Image.open(PHOTO)
    for index in range(11):
        path = root / f"n{index % 3:08d}" / f"ILSVRC2012_val_{index:08d}.JPEG"
        path.parent.mkdir(exist_ok=True)
        photo.crop((20 * index, 10 * index, 20 * index + 290, 10 * index + 380 - 30 * index)).save(
            path, quality=90
        )
    (root / "README.txt").write_text("not a class")
    (root / "n00000000" / "notes.txt").write_text("not an image")
    return root


@pytest.fixture(autouse=True)
def seed():
    before = ds.config.get_seed()
    ds.config.set_seed(1)
    yield
    ds.config.set_seed(before)


def batches(root, epochs=1, batch_size=4, image_size=64, **options):
    dataset = data.create_dataset_imagenet(
        str(root), batch_size=batch_size, image_size=image_size, **options
    )
    iterator = dataset.create_tuple_iterator(num_epochs=epochs, output_numpy=True)
    return [tuple(batch) for _ in range(epochs) for batch in iterator]


def labels_of(batches):
    return np.concatenate([labels for _, labels in batches]).tolist()


def assert_same(batches, expected):
    assert len(batches) == len(expected)
    for (image, label), (expected_image, expected_label) in zip(batches, expected):
        np.testing.assert_array_equal(image, expected_image)
        np.testing.assert_array_equal(label, expected_label)


@pytest.mark.parametrize("image_size, shorter_side", [(224, 256), (96, 109)])
def test_evaluation_against_opencv(photos, image_size, shorter_side):
    got = batches(photos, batch_size=1, image_size=image_size, training=False)
    paths = sorted(photos.glob("*/*.JPEG"))
    assert len(got) == len(paths) == 11
    for path, (image, label) in zip(paths, got):
        decoded = np.asarray(Image.open(path).convert("RGB"))
        height, width = (
            side * shorter_side // min(decoded.shape[:2]) for side in decoded.shape[:2]
        )
        resized = cv2.resize(decoded, (width, height), interpolation=cv2.INTER_LINEAR)
        top, left = (height - image_size) // 2, (width - image_size) // 2
        expected = resized[top : top + image_size, left : left + image_size]
        assert image.shape == (1, 3, image_size, image_size) and image.dtype == np.float32
        assert np.abs(image[0].transpose(1, 2, 0) * DEVIATION + MEAN - expected).max() <= 1.01, path
        assert label.dtype == np.int32 and label.tolist() == [int(path.parent.name[1:])]


def draws(operations, image, count=300):
    """`count` results of the data pipeline's random `operations` for one image."""
    dataset = ds.GeneratorDataset([(image,)] * count, ["image"], shuffle=False).map(operations)
    return [result for (result,) in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True)]


def test_training_crops():
    """On an image whose red is the column and green the row, a crop shows where it was cut, and
    its turn.
    """
    height, width = 200, 250
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    content = io.BytesIO()
    Image.fromarray(np.stack([columns, rows, 0 * rows], 2).astype(np.uint8)).save(content, "PNG")
    images = np.array(
        draws(
            training_operations(data)[:2],
            np.frombuffer(content.getvalue(), np.uint8),
        ),
        int,
    )
    assert images.shape == (300, 64, 64, 3)
    crop_width, crop_height = (np.ptp(images[..., channel], axis=(1, 2)) + 1 for channel in (0, 1))
    area, ratio = crop_width * crop_height / (height * width), crop_width / crop_height
    assert 0.06 < area.min() < 0.15 and area.max() > 0.85
    assert 0.7 < ratio.min() < 0.8 and 1.25 < ratio.max() < 1.4
    assert 110 < (images[:, 0, 0, 0] > images[:, 0, -1, 0]).sum() < 190


def test_training_colours():
    """Brightness 0.6 .. 1.4 of an even grey; of a red also hue, and saturation times contrast,
    0.36 .. 1.96.
    """
    adjust = training_operations(data)[2]
    grey = np.array(draws(adjust, np.full((8, 8, 3), 100, np.uint8)))
    assert (grey == grey[:, :1, :1, :1]).all() and 60 <= grey.min() < 65 and 135 < grey.max() <= 140
    red = np.full((8, 8, 3), (100, 60, 60), np.uint8)
    adjusted = [
        Image.fromarray(image).convert("HSV").getpixel((0, 0)) for image in draws(adjust, red)
    ]
    hues = np.array([(hue + 128) % 256 - 128 for hue, _, _ in adjusted]) / 256
    assert -0.12 < hues.min() < -0.08 and 0.08 < hues.max() < 0.12
    saturations = np.array([saturation for _, saturation, _ in adjusted]) / 255
    assert 0.16 < saturations.min() < 0.23 and 0.55 < saturations.max() < 0.64


def test_training_normalises_as_evaluation():
    normalise = training_operations(data)[3:]
    image = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    got = normalise[1](normalise[0](image))
    np.testing.assert_allclose(
        got, ((image - MEAN) / DEVIATION).transpose(2, 0, 1), rtol=1e-5, atol=1e-5
    )


def test_same_seed_same_batches_epoch_by_epoch(photos):
    first = batches(photos, epochs=3)
    assert [image.shape for image, _ in first] == [(4, 3, 64, 64)] * 6
    assert_same(batches(photos, epochs=3), first)
    assert not np.array_equal(first[0][0], first[2][0])
    ds.config.set_seed(2)
    assert not np.array_equal(batches(photos)[0][0], first[0][0])


def test_which_images_are_read(photos):
    in_order = [0] * 4 + [1] * 4 + [2] * 3
    assert labels_of(batches(photos, training=False)) == in_order
    assert len(labels_of(batches(photos))) == 8
    assert len(labels_of(batches(photos, drop_remainder=False))) == 11
    dropped = labels_of(batches(photos, training=False, drop_remainder=True))
    assert len(dropped) == 8 and dropped != in_order[:8]
    assert (
        labels_of(batches(photos, training=False, drop_remainder=True, shuffle=False))
        == in_order[:8]
    )
    assert labels_of(batches(photos, training=False, repeat_num=2)) == 2 * in_order
    # 11 images on two devices: each is evaluated on exactly one.
    shards = [
        labels_of(batches(photos, training=False, device_num=2, rank=rank)) for rank in (0, 1)
    ]
    assert [len(shard) for shard in shards] == [6, 5]
    assert sorted(sum(shards, [])) == in_order
    # In training one is repeated, so that both take as many steps.
    shards = [labels_of(batches(photos, batch_size=2, device_num=2, rank=rank)) for rank in (0, 1)]
    assert [len(shard) for shard in shards] == [6, 6] and set(sum(shards, [])) == {0, 1, 2}


def test_broken_image_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where MindSpore leaves a copy of the image
    for name in ("whole", "broken"):
        path = tmp_path / name / f"{name}.JPEG"
        path.parent.mkdir()
        path.write_bytes(PHOTO.read_bytes()[: 20000 if name == "broken" else None])
    # A data pipeline passes on what is raised in it as a RuntimeError.
    with pytest.raises((ValueError, RuntimeError), match=f"{path}: this image cannot be decoded"):
        batches(tmp_path, batch_size=1, training=False)
