"""COCO annotations, read and checked in one place for all who use them.

Ids are whatever the file has, numbers or texts; inside, images and categories go by position.
Whatever is wrong with an entry is an error that names its list, position and id.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from typing import NamedTuple

import numpy as np

from src.annotation_file import FARTHEST, ById, Entry, in_order, is_number, read_lists, shown
from src.vendored.launch import printable

BOX = np.dtype(
    [
        ("bbox", np.float64, 4),  # x, y, width, height in pixels
        ("category", np.int32),  # position
        ("area", np.float64),  # of the segmentation where there is one, square pixels
        ("crowd", np.bool_),
    ]
)
LARGEST_AREA = 1e10  # square pixels; COCO's metrics ignore what is larger
OUTSIDE, NO_AREA, CUT = (
    "boxes outside their image",
    "boxes without area",
    "boxes cut at their image's edge",
)


class Image(NamedTuple):
    """An entry of `images`; `shape` is (height, width), None where the file does not say."""

    id: int | str
    file_name: str
    shape: tuple[int, int] | None


class Category(NamedTuple):
    """An entry of `categories`."""

    id: int | str
    name: str


class Annotations:
    """What the annotation file at `path` holds.

    `images` are in the order of the file, `categories` in the order of their ids.
    """

    def __init__(
        self, path: str, images: ById, categories: ById, boxes: np.ndarray, owners: np.ndarray
    ):
        self.path, self.images, self.categories = path, images.entries, categories.entries
        self.find_image = images.find  # the position of an image, by its id
        self.by_name = {
            normal_name(image.file_name): position for position, image in enumerate(self.images)
        }
        order = np.argsort(owners, kind="stable")
        self._boxes = boxes[order]
        self._first = np.searchsorted(owners[order], np.arange(len(self.images) + 1))

    def boxes(self, image: int) -> np.ndarray:
        """Rows of BOX of the image at this position, in the order of the file."""
        return self._boxes[self._first[image] : self._first[image + 1]]

    def has_crowd(self, image: int) -> bool:
        """Whether a box of the image is a crowd's."""
        return bool(self.boxes(image)["crowd"].any())

    def label(self, image: int) -> str:
        """The image as messages name it."""
        entry = self.images[image]
        return f"images[{image}] (id {shown(entry.id)}) {entry.file_name}"


def normal_name(file_name: str) -> str:
    """What file names are compared by: `./a//1.png` and `a\\1.png` are `a/1.png`."""
    return posixpath.normpath(file_name.replace("\\", "/"))


def corners_of(boxes: np.ndarray) -> np.ndarray:
    """Rows of BOX as (N, 4) [y1, x1, y2, x2], as it is everywhere but in COCO's files."""
    x, y, width, height = boxes["bbox"].T
    return np.column_stack((y, x, y + height, x + width))


def cut_boxes(
    corners: np.ndarray, shape: tuple[int, int], counts: Counter, no_area: str = NO_AREA
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (N, 4) [y1, x1, y2, x2] in pixels cut at the edges of an image of `shape`.

    Returns (the cut boxes that are left, which of the N they are): those outside the image or
    without area are left out, and `counts` is told how many, and how many were cut.
    """
    has_area = (corners[:, 2:] > corners[:, :2]).all(1)
    is_inside = ((corners[:, :2] < shape) & (corners[:, 2:] > 0)).all(1)
    kept = has_area & is_inside
    cut = np.clip(corners, 0, np.tile(shape, 2))
    counts[no_area] += int((~has_area).sum())
    counts[OUTSIDE] += int((has_area & ~is_inside).sum())
    # Files give hundredths of pixels, and are that far over the edge: nothing to report.
    counts[CUT] += int((kept & (np.abs(cut - corners) >= 0.5).any(1)).sum())
    return cut[kept].astype(corners.dtype), kept


def print_account(counts: Counter) -> None:
    """Print how many of what were left out, or cut: {reason: number}."""
    for reason, number in sorted(counts.items()):
        if number:
            print(f"{'' if reason == CUT else 'left out: '}{number} {reason}", flush=True)


def read_annotations(path: str, trust_image_size: bool = False) -> Annotations:
    """The COCO annotation file `path`.

    With `trust_image_size` its widths and heights are not looked at. Areas that do not fit their
    boxes are counted in a line. Raises UserError naming what is wrong, and in which entry.
    """
    content = read_lists(path)
    images = _images(path, content["images"], trust_image_size)
    categories = _categories(path, content["categories"])
    boxes = np.zeros(len(content["annotations"]), BOX)
    owners = np.zeros(len(boxes), np.int64)
    for position, values in enumerate(content["annotations"]):
        entry = Entry(path, "annotations", position, values)
        owners[position], boxes[position] = _box(entry, images, categories)
    _note_areas(path, boxes)
    return Annotations(path, images, categories, boxes, owners)


def _note_areas(path, boxes):
    """Print how many areas are of more than their box, with which no segmentation fits into it."""
    largest = (boxes["bbox"][:, 2] + 1) * (boxes["bbox"][:, 3] + 1)  # Masks are of whole pixels.
    count = int((boxes["area"] > largest).sum())
    if count:
        print(
            f"{printable(path)}: {count} boxes with an area larger than the box; AP small, medium"
            " and large go by the area",
            flush=True,
        )


def _images(path, entries, trust_image_size):
    """ById of Image."""
    images, names = ById(), {}
    for position, values in enumerate(entries):
        entry = Entry(path, "images", position, values)
        key, file_name = entry.key("id"), entry.text("file_name")
        shape = None if trust_image_size else entry.shape()
        same = normal_name(file_name)
        earlier = images.add(key, Image(key, file_name, shape))
        if earlier is not None and names.get(same) != earlier:
            raise entry.error(
                f"{file_name} has the id of images[{earlier}], {images.entries[earlier].file_name};"
                " number the images of merged files anew"
            )
        first = names.setdefault(same, position)
        if first != position:
            raise entry.error(f"{file_name} is listed twice, first as images[{first}]; remove one")
    return images


def _categories(path, entries):
    """ById of Category, in the order of the ids."""
    found, names = ById(), {}
    for position, values in enumerate(entries):
        entry = Entry(path, "categories", position, values)
        category = Category(entry.key("id"), entry.text("name"))
        earlier = found.add(category.id, category)
        if earlier is not None:
            raise entry.error(f"categories[{earlier}] has this id too; give one another")
        first = names.setdefault(category.name, position)
        if first != position:
            name = shown(category.name)
            raise entry.error(f"categories[{first}] has its name too, {name}; rename one")
    categories = ById()
    for category in sorted(found.entries, key=lambda category: in_order(category.id)):
        categories.add(category.id, category)
    return categories


def _box(entry, images, categories):
    """(image position, a row of BOX) of an annotation."""
    image = images.find(entry.key("image_id"))
    if image is None:
        raise entry.wrong("image_id", "an image's id")
    category = categories.find(entry.key("category_id"))
    if category is None:
        raise entry.wrong("category_id", "a category's id")
    bbox = entry.values.get("bbox")
    if not isinstance(bbox, list) or len(bbox) != 4:
        raise entry.wrong("bbox", "[x, y, width, height] in pixels")
    if not all(is_number(each, -FARTHEST, FARTHEST) for each in bbox):
        raise entry.wrong("bbox", f"four numbers up to {FARTHEST} pixels")
    if bbox[2] < 0 or bbox[3] < 0:
        raise entry.wrong("bbox", "with a width and height from 0 on")
    area = entry.values.get("area", min(bbox[2] * bbox[3], LARGEST_AREA))
    if not is_number(area, 0, LARGEST_AREA):
        raise entry.wrong("area", "a number of square pixels")
    crowd = entry.values.get("iscrowd", 0)
    if not isinstance(crowd, (bool, int, float)) or crowd not in (0, 1):
        raise entry.wrong("iscrowd", "0 or 1")
    return image, (bbox, category, area, bool(crowd))
