"""What of a data set is used: its images with their boxes in whole pixels, and an account of what
is left out.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from src.annotations import corners_of, cut_boxes, read_annotations
from src.class_names import classes_to_detect, configured_names
from src.data_paths import annotation_path, training_records
from src.images import image_shape, require_shapes
from src.vendored.launch import UserError

CROWD, OTHER_CATEGORY = "crowd boxes", "boxes of other categories"
ROUNDED_AWAY = "boxes without area after rounding"
NO_BOXES, IMAGE_WITH_CROWD = "images without boxes", "images with crowd boxes"
INT32 = np.iinfo(np.int32)


class Sample(NamedTuple):
    """A row to be: `boxes` are int32 (N, 5), `source` says where the image is listed."""

    image_id: int
    path: str
    file_name: str
    boxes: np.ndarray
    source: str


def coco_samples(
    config: SimpleNamespace, is_training: bool
) -> tuple[list[Sample], Counter, list[str]]:
    """Samples in the order of the annotation file, {reason: number left out}, names of the classes.

    Training leaves out crowd boxes and those that rounding robs of their area; validation whole
    images with a crowd.
    """
    trust = getattr(config, "trust_image_size", False)
    annotations = read_annotations(annotation_path(config, is_training), trust)
    classes = classes_to_detect(
        config, annotations, "" if is_training else training_records(config)
    )
    labels = np.zeros(len(annotations.categories), np.int32)
    labels[classes] = np.arange(1, len(classes) + 1)
    split = config.train_data_type if is_training else config.val_data_type
    ids = _record_ids(annotations.images)
    shapes, left_out, samples = {}, Counter(), []
    for image, (_, file_name, _) in enumerate(tqdm(annotations.images, "sizes", disable=None)):
        boxes = annotations.boxes(image)
        boxes = boxes[_is_used(boxes, labels, is_training, left_out)]
        if not is_training and annotations.has_crowd(image):
            left_out[IMAGE_WITH_CROWD] += 1
            continue
        if len(boxes):
            path = _find(config.coco_root, split, file_name)
            shapes[image] = image_shape(path, annotations.label(image))
            rows = _rows(boxes, labels, shapes[image], is_training, left_out)
        if not len(boxes) or not len(rows):
            left_out[NO_BOXES] += 1
        else:
            samples.append(Sample(ids[image], path, file_name, rows, annotations.label(image)))
    require_shapes(annotations, shapes)
    if not samples:
        raise UserError(f"{annotations.path}: no image in it has boxes to use{_account(left_out)}")
    return samples, left_out, [annotations.categories[place].name for place in classes]


def _record_ids(images):
    """What stands for the images in the documented column of 32 bits."""
    ids = [image.id for image in images]
    fit = all(isinstance(key, int) and INT32.min <= key <= INT32.max for key in ids)
    return ids if fit else list(range(len(ids)))


def _is_used(boxes, labels, is_training, left_out):
    is_known = labels[boxes["category"]] > 0
    left_out[OTHER_CATEGORY] += int((~is_known).sum())
    if not is_training:
        return is_known
    left_out[CROWD] += int((is_known & boxes["crowd"]).sum())
    return is_known & ~boxes["crowd"]


def _find(root, split, file_name):
    """Path of the image: in the folder of its split or, if there, in the one above."""
    plain = file_name.replace("\\", "/")
    paths = [
        os.path.join(root, *place, name) for name in (file_name, plain) for place in ([split], [])
    ]
    return next((path for path in paths if os.path.isfile(path)), paths[0])


def _rows(boxes, labels, shape, is_training, left_out):
    """int32 (N, 5): y_min, x_min, y_max, x_max, label."""
    corners = corners_of(boxes)
    if is_training:
        corners, kept = cut_boxes(np.rint(corners), shape, left_out, ROUNDED_AWAY)
    else:
        corners, kept = cut_boxes(corners, shape, left_out)
    return np.column_stack((np.rint(corners), labels[boxes["category"]][kept])).astype(np.int32)


def text_samples(config: SimpleNamespace) -> tuple[list[Sample], Counter, list[str]]:
    """The same from a text file: in each line of `anno_path` an image's name in `image_dir` and its
    boxes.

    A box is y_min,x_min,y_max,x_max,label; blanks between. The image id is the line's number, from
    0. The names of the classes are those of `coco_classes`, where they are `num_classes`.
    """
    try:
        text = Path(config.anno_path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise UserError(
            f"{config.anno_path or '--anno_path'}: no text file of boxes: {reason}"
        ) from None
    samples, left_out = [], Counter()
    for number, line in enumerate(text.splitlines()):
        name, *boxes = line.split() or [""]
        path = os.path.join(config.image_dir, name)
        if not boxes or not os.path.isfile(path):
            left_out["lines without boxes or image file"] += 1
            continue
        place = f"{config.anno_path}, line {number + 1}"
        rows = np.array([_text_box(place, box, config.num_classes) for box in boxes], np.int32)
        corners, kept = cut_boxes(rows[:, :4], image_shape(path, place), left_out)
        if len(corners):
            rows = np.column_stack((corners, rows[kept, 4])).astype(np.int32)
            samples.append(Sample(number, path, name, rows, place))
        else:
            left_out[NO_BOXES] += 1
    if not samples:
        raise UserError(
            f"{config.anno_path}: no line in it has boxes and an image in '{config.image_dir}'"
            f"{_account(left_out)}"
        )
    names = configured_names(config)
    return samples, left_out, names if len(names) + 1 == config.num_classes else []


def _text_box(place, box, num_classes):
    numbers = box.split(",")
    if len(numbers) != 5 or not all(re.fullmatch(r"-?[0-9]{1,9}", number) for number in numbers):
        raise UserError(f"{place}: a box is y_min,x_min,y_max,x_max,label in whole numbers: {box}")
    y_min, x_min, y_max, x_max, label = map(int, numbers)
    if y_min > y_max or x_min > x_max:
        raise UserError(f"{place}: a box is y_min,x_min,y_max,x_max,label: {box} is reversed")
    if not 0 < label < num_classes:
        raise UserError(
            f"{place}: {box} has label {label}: labels are from 1 to {num_classes - 1}, num_classes"
            " less one; 0 is the background"
        )
    return y_min, x_min, y_max, x_max, label


def _account(left_out):
    reasons = [f"{number} {reason}" for reason, number in sorted(left_out.items()) if number]
    return f" ({', '.join(reasons)})" if reasons else ""
