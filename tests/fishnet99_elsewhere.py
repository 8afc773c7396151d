"""FishNet-99 in a copy of its folder, with small images of two classes."""

import cv2
import numpy as np
import pytest

import elsewhere

SIZE = 32
SMALL = ["--num_classes", "2", "--image_size", str(SIZE)]


class FishNet99(elsewhere.Elsewhere):
    """16 images to train on and 7 to evaluate."""

    device = "--device_type"

    def __init__(self, root):
        super().__init__(root, "fishnet99")
        generator = np.random.default_rng(0)
        for split, count in (("train", 16), ("val", 7)):
            for number in range(count):
                # An image of the size to which images are resized has the same input in Python and
                # C++, bit by bit.
                side = SIZE * 256 // 224 if number % 3 else 70
                path = root / "images" / split / "ab"[number % 2] / f"{number}"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = generator.integers(0, 256, (side, side, 3), np.uint8)
                cv2.imwrite(f"{path}.{'png' if number % 3 else 'JPEG'}", pixels)


@pytest.fixture(name="elsewhere", scope="module")
def fishnet99(tmp_path_factory):
    return FishNet99(tmp_path_factory.mktemp("else where"))
