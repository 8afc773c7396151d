"""COCO annotations and their images to MindRecord files, whole or not at all, with an account of
what is left out.
"""

import json
import os
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from mindspore.mindrecord import FileWriter
from PIL import Image
from tqdm import tqdm

from src.vendored.launch import UserError

SCHEMA = {
    "img_id": {"type": "int32", "shape": [1]},
    "image": {"type": "bytes"},
    "annotation": {"type": "int32", "shape": [-1, 5]},
}  # y_min, x_min, y_max, x_max, label
SHARDS = 8
CROWD, OTHER_CATEGORY, NO_AREA = (
    "crowd boxes",
    "boxes of other categories",
    "boxes without area after rounding",
)
NO_BOXES, IMAGE_WITH_CROWD = "images without boxes", "images with crowd boxes"


def read_annotations(config, is_training):
    """(path, content) of the COCO annotation file of the training or the validation images."""
    split = config.train_data_type if is_training else config.val_data_type
    path = os.path.join(config.coco_root, config.instances_set.replace("{}", split))
    if not os.path.isfile(path):
        raise UserError(f"{path}: no such annotation file; see --coco_root and --instances_set")
    try:
        content = json.loads(Path(path).read_text())
        return path, {key: content[key] for key in ("images", "annotations", "categories")}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a COCO annotation file of boxes ({error})") from None


def classes_to_detect(config, categories, path):
    """[(name, category id)] of the classes with labels 1, 2, ...: those of `coco_classes`, or if
    that is empty all.

    `categories` are those of the annotation file at `path`. Raises UserError where the
    configuration does not fit.
    """
    ids = {
        category["name"]: category["id"]
        for category in sorted(categories, key=lambda category: category["id"])
    }
    names = config.coco_classes[1:] or list(ids)
    unknown = [name for name in names if name not in ids]
    if unknown:
        raise UserError(
            f"{path}: no category '{unknown[0]}' in it, but {', '.join(list(ids)[:3])} ...; set "
            "coco_classes in a yaml file (--config_path): 'background' and the names to detect"
        )
    if len(names) + 1 != config.num_classes:
        raise UserError(
            f"num_classes is {config.num_classes}, but background and {len(names)} classes to"
            f" detect are {len(names) + 1}"
        )
    return [(name, ids[name]) for name in names]


def coco_samples(config, is_training):
    """[(image id, path, boxes (N, 5) int32)] in the order of the annotation file, and {reason:
    number left out}.

    Training leaves out crowd boxes and those that rounding robs of their area; validation whole
    images with a crowd.
    """
    path, content = read_annotations(config, is_training)
    classes = classes_to_detect(config, content["categories"], path)
    labels = {category: label for label, (_, category) in enumerate(classes, 1)}
    split = config.train_data_type if is_training else config.val_data_type
    annotations, left_out, samples = defaultdict(list), Counter(), []
    for annotation in content["annotations"]:
        annotations[annotation["image_id"]].append(annotation)
    for image in content["images"]:
        rows, crowd = [], False
        for annotation in annotations[image["id"]]:
            x, y, width, height = annotation["bbox"]
            row = [
                round(y),
                round(x),
                round(y + height),
                round(x + width),
                labels.get(annotation["category_id"], 0),
            ]
            crowd = crowd or bool(annotation.get("iscrowd"))
            if row[4] == 0:
                left_out[OTHER_CATEGORY] += 1
            elif is_training and annotation.get("iscrowd"):
                left_out[CROWD] += 1
            elif is_training and (row[0] >= row[2] or row[1] >= row[3]):
                left_out[NO_AREA] += 1
            else:
                rows.append(row)
        if crowd and not is_training:
            left_out[IMAGE_WITH_CROWD] += 1
        elif not rows:
            left_out[NO_BOXES] += 1
        else:
            samples.append(
                (
                    image["id"],
                    os.path.join(config.coco_root, split, image["file_name"]),
                    np.array(rows, np.int32),
                )
            )
    if not samples:
        raise UserError(f"{path}: no image in it has boxes to use")
    return samples, left_out


def text_samples(config):
    """The same from a text file: in each line of `anno_path` an image's name in `image_dir` and its
    boxes.

    A box is y_min,x_min,y_max,x_max,label; blanks between. The image id is the line's number, from
    0.
    """
    samples, left_out = [], Counter()
    for number, line in enumerate(Path(config.anno_path).read_text().splitlines()):
        name, *boxes = line.split() or [""]
        path = os.path.join(config.image_dir, name)
        if not boxes or not os.path.isfile(path):
            left_out["lines without boxes or image file"] += 1
            continue
        try:
            rows = np.array(
                [[int(value) for value in box.split(",")] for box in boxes], np.int32
            ).reshape(-1, 5)
        except ValueError:
            raise UserError(
                f"{config.anno_path}, line {number + 1}: a box is y_min,x_min,y_max,x_max,label"
            ) from None
        samples.append((number, path, rows))
    if not samples:
        raise UserError(
            f"{config.anno_path}: no line in it has boxes and an image in '{config.image_dir}'"
        )
    return samples, left_out


def read_image(path):
    """The bytes of the image file `path`, as they are. Raises UserError where they do not
    decode.
    """
    try:
        with Image.open(path) as image:
            # a JPEG file is read to its end, but decoded at an eighth of its size
            image.draft("RGB", (1, 1))
            image.load()
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such image file") from None
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: this image cannot be decoded ({error})") from None


def create_mindrecord(config, prefix, is_training):
    """The first of the eight MindRecord files `prefix`0 to `prefix`7 in `mindrecord_dir`; written
    if not there yet.

    Raises UserError for annotations or images that do not fit; then nothing is left behind.
    """
    folder = Path(config.mindrecord_dir)
    first = folder / f"{prefix}0"
    if first.exists():
        print(f"{first} is there: kept as it is; remove {folder / prefix}* to create it anew")
        return str(first)
    if config.create_dataset == "coco" and not os.path.isdir(config.coco_root):
        raise UserError(
            f"coco_root not exits. '{config.coco_root}': expected a folder with annotations/ and"
            " images"
        )
    print("Create Mindrecord.")
    samples, left_out = (
        coco_samples(config, is_training)
        if config.create_dataset == "coco"
        else text_samples(config)
    )
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{prefix}.", dir=folder) as unfinished:
        writer = FileWriter(os.path.join(unfinished, prefix), SHARDS)
        writer.add_schema(SCHEMA, "retinanet_json")
        for image_id, path, boxes in tqdm(samples, desc=prefix, unit="image"):
            writer.write_raw_data(
                [
                    {
                        "img_id": np.array([image_id], np.int32),
                        "image": read_image(path),
                        "annotation": boxes,
                    }
                ]
            )
        writer.commit()
        # The first file comes last: where it is, all are.
        for file in sorted(Path(unfinished).iterdir(), key=lambda file: file.name == first.name):
            os.replace(file, folder / file.name)
    print(f"kept {len(samples)} images with {sum(len(boxes) for _, _, boxes in samples)} boxes")
    for reason, number in sorted(left_out.items()):
        print(f"left out: {number} {reason}")
    print(f"Create Mindrecord Done, at {folder}")
    return str(first)
