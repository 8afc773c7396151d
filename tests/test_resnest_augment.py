"""ResNeSt's augmentation against Pillow, NumPy and OpenCV."""

import random

import cv2
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from folders import import_from
from image_files import PHOTO

augment = import_from("resnest", "src.datasets.augment")
autoaug = import_from("resnest", "src.datasets.autoaug")


def operations_at_12(image):
    """{name: results} of the 15 operations at magnitude 12, those with a sign both ways."""
    array = np.asarray(image)
    added = np.minimum(array.astype(int) + 44, 255)
    shifted = {axis: [np.zeros_like(array), np.zeros_like(array)] for axis in "xy"}
    shifted["x"][0][:, :-40], shifted["x"][1][:, 40:] = array[:, 40:], array[:, :-40]
    shifted["y"][0][:-40], shifted["y"][1][40:] = array[40:], array[:-40]

    def affine(*coefficients):
        return image.transform(
            image.size, Image.AFFINE, coefficients, Image.BICUBIC, fillcolor=(0, 0, 0)
        )

    return {
        "AutoContrast": [ImageOps.autocontrast(image)],
        "Equalize": [ImageOps.equalize(image)],
        "Invert": [255 - array],
        "Rotate": [image.rotate(12, Image.NEAREST), image.rotate(-12, Image.NEAREST)],
        "Posterize": [array & 0x80],
        "Solarize": [np.where(array < 102.4, array, 255 - array)],
        "SolarizeAdd": [np.where(added < 128, added, 255 - added)],
        "Color": [ImageEnhance.Color(image).enhance(0.82)],
        "Contrast": [ImageEnhance.Contrast(image).enhance(0.82)],
        "Brightness": [ImageEnhance.Brightness(image).enhance(0.82)],
        "Sharpness": [ImageEnhance.Sharpness(image).enhance(0.82)],
        "ShearX": [affine(1, 0.12, 0, 0, 1, 0), affine(1, -0.12, 0, 0, 1, 0)],
        "ShearY": [affine(1, 0, 0, 0.12, 1, 0), affine(1, 0, 0, -0.12, 1, 0)],
        "TranslateXabs": shifted["x"],
        "TranslateYabs": shifted["y"],
    }


def test_rand_augment_operations():
    image = Image.open(PHOTO).resize((96, 112))
    known = {
        np.asarray(result, np.uint8).tobytes(): (name, sign)
        for name, results in operations_at_12(image).items()
        for sign, result in enumerate(results)
    }
    assert len(known) == 15 + 5
    known[image.tobytes()] = ("left out", 0)
    augment, generator = autoaug.RandAugment(1, 12), random.Random(0)
    drawn = [known[augment(np.asarray(image), generator).tobytes()] for _ in range(1500)]
    counts = {key: drawn.count(key) / len(drawn) for key in known.values()}
    assert counts[("left out", 0)] == pytest.approx(0.5, abs=0.05)
    for (name, sign), share in counts.items():
        both_signs = (name, 1) in counts
        if name != "left out":
            assert share == pytest.approx(0.5 / 15 / (1 + both_signs), abs=0.015), (name, sign)


def test_rand_augment_applies_n_operations_and_takes_and_gives_pil():
    image = Image.open(PHOTO).resize((96, 112))
    once, twice = autoaug.RandAugment(1, 12, True, True), autoaug.RandAugment(2, 12, from_pil=True)
    left_out = [0, 0]
    for seed in range(300):
        left_out[0] += once(image, random.Random(seed)) is image
        left_out[1] += np.array_equal(twice(image, random.Random(seed)), image)
    assert left_out[0] / 300 == pytest.approx(0.5, abs=0.1)
    assert left_out[1] / 300 == pytest.approx(0.25, abs=0.1)


def test_training_crop_against_opencv(monkeypatch):
    monkeypatch.setattr(augment, "color_jitter", lambda image, _: image)
    monkeypatch.setattr(augment.RandAugment, "__call__", lambda self, image, _: np.asarray(image))
    photo, transform = np.asarray(Image.open(PHOTO)), augment.TrainingTransform(64)
    mirrored = 0
    for number in range(20):
        seed = np.array([0, number])
        got = transform(photo, seed)
        generator = random.Random(seed.tobytes())
        left, top, right, bottom = augment.random_crop_box(*photo.shape[1::-1], generator)
        expected = cv2.resize(
            photo[top:bottom, left:right], (64, 64), interpolation=cv2.INTER_LINEAR
        )
        differences = [
            np.abs(got.astype(int) - expected).max(),
            np.abs(got.astype(int) - expected[:, ::-1]).max(),
        ]
        assert min(differences) <= 1, seed
        mirrored += differences[1] <= 1
    assert 4 < mirrored < 16


def test_training_transform_depends_on_the_seed_alone():
    photo = np.asarray(Image.open(PHOTO))
    transform = augment.TrainingTransform(48)
    images = [
        transform(photo, np.array([rank, index]))
        for rank, index in ((0, 0), (0, 1), (1, 0), (0, 0))
    ]
    assert images[0].shape == (48, 48, 3) and images[0].dtype == np.uint8
    np.testing.assert_array_equal(images[0], images[3])
    assert not np.array_equal(images[0], images[1]) and not np.array_equal(images[0], images[2])


@pytest.mark.parametrize("magnitude", [0, 30])
def test_rand_augment_at_the_ends_of_its_range(magnitude):
    image, augment = (
        Image.open(PHOTO).resize((96, 112)),
        autoaug.RandAugment(2, magnitude, from_pil=True),
    )
    assert {augment(image, random.Random(seed)).shape for seed in range(200)} == {(112, 96, 3)}


def test_random_crop_boxes():
    generator = random.Random(0)
    boxes = np.array([augment.random_crop_box(500, 375, generator) for _ in range(2000)])
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    assert (boxes >= 0).all() and (boxes[:, 2] <= 500).all() and (boxes[:, 3] <= 375).all()
    area = width * height / (500 * 375)
    assert 0.078 < area.min() < 0.1 and area.max() > 0.9
    assert 0.74 < (width / height).min() < 0.8 and 1.28 < (width / height).max() < 1.35
    assert augment.random_crop_box(1000, 10, generator) == (493, 0, 506, 10)
    assert augment.random_crop_box(1, 1, generator) == (0, 0, 1, 1)


def test_color_jitter_changes_each_property_by_at_most_two_fifths():
    grey = Image.new("RGB", (8, 8), (100, 100, 100))  # contrast and saturation leave it alone
    levels = [
        augment.color_jitter(grey, random.Random(seed)).getpixel((0, 0))[0] for seed in range(200)
    ]
    assert 60 <= min(levels) < 65 and 135 < max(levels) <= 140


@pytest.mark.parametrize("pixels", [40.0, -40.0, 0.0, 500.0, 12.5])
def test_translation_is_the_affine_transform(pixels):
    image = Image.open(PHOTO).convert("RGB").resize((130, 100))
    for function, coefficients in (
        (autoaug.translate_x_abs, (1, 0, pixels, 0, 1, 0)),
        (autoaug.translate_y_abs, (1, 0, 0, 0, 1, pixels)),
    ):
        wanted = image.transform(
            image.size, Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC
        )
        assert np.array_equal(np.asarray(function(image, pixels)), np.asarray(wanted))
