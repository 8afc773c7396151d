"""NAS-FPN's pictures: boxes on the image at its own size, seen and read on any ground."""

import cv2
import numpy as np
import pytest

from folders import import_from
from test_nas_fpn import user_error

NAMES = ["cat", "dog", "猫"]
NO_TRUTH = np.zeros((0, 4)), np.zeros(0, int)


def pictures():
    return import_from("nas_fpn", "src.pictures")


def ground(height=120, width=160, value=128):
    return np.full((height, width, 3), value, np.uint8)


def found(*rows):
    """Boxes, scores and labels from rows of y1, x1, y2, x2, score, label."""
    rows = np.array(rows, float).reshape(-1, 6)
    return np.float32(rows[:, :4]), np.float32(rows[:, 4]), rows[:, 5].astype(int)


def places(picture, ink):
    """(y, x) of the pixels of one colour."""
    return np.argwhere((picture == ink).all(2))


def test_a_box_lies_where_it_was_found():
    image = ground()
    image[:, :, 0] = 60  # red
    picture = pictures().draw(image, found([40, 30, 90, 110, 0.9, 1]), NO_TRUTH, NAMES, 0.3)
    assert picture.shape == image.shape and picture[5, 150].tolist() == [128, 128, 60]
    line = places(picture, pictures().colour(1))
    line = line[line[:, 0] > 41]  # the name stands above
    assert line.min(0).tolist() == [42, 30] and line.max(0).tolist() == [90, 110]
    # One pixel wide: nothing inside.
    assert not ((line > [42, 31]) & (line < [89, 109])).all(1).any()


@pytest.mark.parametrize("least, first", [(0.3, 5), (0.5, 20), (0.9, 25)])
def test_the_best_twenty_from_the_least_score_on(least, first):
    scores = 0.305 + np.arange(25) / 100
    boxes = [[4 * n + 2, 2, 4 * n + 4, 150, score, 1 + n % 2] for n, score in enumerate(scores)]
    picture = pictures().draw(ground(), found(*boxes), NO_TRUTH, NAMES, least)
    right = picture[3:103:4, 150].tolist()  # of each box, beyond its name
    drawn = [n for n, ink in enumerate(right) if tuple(ink) == pictures().colour(1 + n % 2)]
    assert drawn == list(range(first, 25))


@pytest.mark.parametrize("value", [0, 128, 255])
def test_names_are_read_on_any_ground(value):
    for label in range(1, 30):
        picture = pictures().draw(
            ground(value=value), found([60, 30, 90, 110, 0.87, label]), NO_TRUTH, ["dog"] * 30, 0.3
        )
        ink = pictures().colour(label)
        text = picture[40:59, 30:90].reshape(-1, 3).astype(int)
        on_ground = text[(text == ink).all(1)]
        assert len(on_ground) > 200
        luminance = text @ [0.114, 0.587, 0.299]
        contrast = np.abs(luminance - np.dot(ink, [0.114, 0.587, 0.299]))
        assert (contrast > 80).sum() > 40


def test_truth_is_dashed_and_seen_on_any_ground():
    truth = np.array([[20, 30, 90, 110]]), np.array([2])
    for value in (0, 255):
        picture = pictures().draw(ground(value=value), found(), truth, NAMES, 0.3)
        ink, white = (places(picture, each) for each in (pictures().colour(2), (255, 255, 255)))
        top = {tuple(place) for place in ink if place[0] == 20}
        assert 20 < len(top) < 75
        if value == 0:
            assert len({tuple(place) for place in white if place[0] == 20}) > 20
    # Over a detection of the same place both are seen.
    box = found([20, 30, 90, 110, 0.9, 1])
    picture = pictures().draw(ground(), box, truth, NAMES, 0.3)
    assert len(places(picture[90:91], (255, 255, 255))) > 20


def test_names_stay_in_the_picture_and_none_is_empty():
    for box in ([0, 0, 20, 30], [0, 90, 99, 99], [95, 95, 99, 99]):
        picture = pictures().draw(ground(100, 100), found([*box, 0.5, 3]), NO_TRUTH, NAMES, 0.3)
        assert len(places(picture, pictures().colour(3))) > 250  # the ground of the text


def test_colours_of_neighbours_differ():
    colours = [np.array(pictures().colour(label)) for label in range(1, 81)]
    assert min(np.abs(a - b).max() for a, b in zip(colours, colours[1:])) > 60


def test_each_image_has_a_picture_of_its_own(tmp_path):
    names = ["a/1.png", "b/1.png", "b/1.jpg", "../2.png", "/3.png", "c\\4.png"]
    folder = pictures().PictureFolder(str(tmp_path / "out"), names)
    for number, name in enumerate(names):
        folder.save(ground(value=40 * number), name)
    wanted = ["2.jpg", "3.jpg", "a/1.jpg", "b/1.jpg.jpg", "b/1.png.jpg", "c/4.jpg"]
    written = sorted(
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.jpg")
    )
    assert written == wanted and [path.name for path in tmp_path.iterdir()] == ["out"]
    for number, name in enumerate(names):
        assert abs(int(cv2.imread(folder.path(name))[0, 0, 0]) - 40 * number) < 3


def test_a_picture_too_large_for_jpeg(tmp_path):
    folder = pictures().PictureFolder(str(tmp_path), ["a.png"])
    with pytest.raises(user_error(), match=r"a\.jpg: this picture cannot be written as JPEG"):
        folder.save(np.zeros((1, 70000, 3), np.uint8), "a.png")
