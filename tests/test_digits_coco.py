"""The maker of the COCO data set of digits: what it promises of digits, boxes and splits."""

import sys

import cv2
import numpy as np
import pytest

from folders import REPOSITORY

SIZE = 128


@pytest.fixture
def maker(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "utils/smoke"))
    before = set(sys.modules)
    import digits_coco

    yield digits_coco
    for name in set(sys.modules) - before:  # `folders` and others are called alike elsewhere.
        if str(REPOSITORY / "utils") in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def strokes(count):
    """Handwriting of a kind: bright ellipses, uint8 (N, 28, 28), and labels in turn."""
    images = np.zeros((count, 28, 28), np.uint8)
    for number, image in enumerate(images):
        cv2.ellipse(image, (14, 14), (3 + number % 6, 9), 20, 0, 250, 255, 2)
    return images, np.arange(count, dtype=np.uint8) % 10


def made(maker, seed, count=60, **options):
    generator = np.random.default_rng(seed)
    photos = [np.full((150, 200, 3), 60, np.uint8), np.full((130, 140, 3), 200, np.uint8)]
    return [
        maker.make_image(photos, *strokes(30), SIZE, generator, **options) for _ in range(count)
    ]


def test_digits_and_their_boxes(maker):
    drawn = made(maker, 0)
    assert {len(found) for _, found in drawn} == {1, 2, 3, 4, 5, 6}
    sides = []
    for image, found in drawn:
        assert image.shape == (SIZE, SIZE, 3)
        boxes = [box for _, box in found]
        for index, (left, top, width, height) in enumerate(boxes):
            assert 0 <= left <= SIZE - width and 0 <= top <= SIZE - height
            sides.append(max(width, height))
            for other in boxes[:index]:
                union = np.zeros((SIZE, SIZE), int)
                union[top : top + height, left : left + width] += 1
                union[other[1] : other[1] + other[3], other[0] : other[0] + other[2]] += 1
                smaller = min(width * height, other[2] * other[3])
                assert (union == 2).sum() <= 0.2 * smaller
    assert min(sides) >= 0.2 * SIZE - 1 and max(sides) <= 0.8 * SIZE + 1
    assert min(sides) < 0.25 * SIZE and max(sides) > 0.6 * SIZE


def test_the_smallest_digits(maker):
    boxes = [box for _, found in made(maker, 0, smallest=0.25) for _, box in found]
    sides = [max(box[2:]) for box in boxes]
    assert SIZE / 4 <= min(sides) < SIZE / 3 < SIZE / 2 < max(sides)


def test_on_dark_photos_digits_are_bright(maker):
    for image, found in made(maker, 0, light=0.3):
        assert (image == 18).all(2).any() or (image == 60).all(2).any()  # of 60 and 200
        for _, (left, top, width, height) in found:
            assert image[top : top + height, left : left + width].max(2).max() > 180


def test_a_box_is_that_of_the_strokes(maker):
    """A digit alone: what differs from the plain background fills the box to its edges."""
    image, generator = np.full((SIZE, SIZE, 3), 60, np.uint8), np.random.default_rng(1)
    left, top, width, height = maker.place_digit(image, strokes(1)[0][0], [], generator)
    rows, columns = (np.flatnonzero((image != 60).any(2).any(axis)) for axis in (1, 0))
    assert abs(rows[0] - top) <= 1 and abs(rows[-1] + 1 - top - height) <= 1
    assert abs(columns[0] - left) <= 1 and abs(columns[-1] + 1 - left - width) <= 1


def test_the_seed_decides(maker):
    one, again, other = (made(maker, seed, 5) for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) and c == d for (a, c), (b, d) in zip(one, again))
    assert not all(np.array_equal(a, b) for (a, _), (b, _) in zip(one, other))


def test_training_has_the_first_400_of_each_digit(maker):
    labels = np.repeat(np.arange(10, dtype=np.uint8), 500)
    trains = maker.split_digits(np.random.default_rng(0).permutation(labels))
    assert trains.sum() == 4000 and maker.split_digits(labels)[:400].all()
    assert not maker.split_digits(labels)[400:500].any()
