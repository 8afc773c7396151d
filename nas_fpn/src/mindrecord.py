"""Samples to MindRecord files, whole or not at all.

A row is img_id, image and annotation, as documented, and file_name. The image's id is the file's
own where those of all images are numbers of 32 bits, else its position. The names of the classes
are in the description of the schema.
"""

import os
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from tqdm import tqdm

from src.annotations import print_account
from src.class_names import description
from src.images import read_image
from src.samples import coco_samples, text_samples
from src.unfinished import put_in_place, unfinished_folder
from src.vendored.launch import UserError

SCHEMA = {
    "img_id": {"type": "int32", "shape": [1]},
    "image": {"type": "bytes"},
    "annotation": {"type": "int32", "shape": [-1, 5]},  # y_min, x_min, y_max, x_max, label
    "file_name": {"type": "bytes"},  # as in the annotation file, UTF-8
}
SHARDS = 8
NOT_IN_A_NAME = set("\\/:*?\"<>|`&;'")  # by MindRecord's rule


def create_mindrecord(config: SimpleNamespace, prefix: str, is_training: bool) -> str:
    """The first of the eight MindRecord files `prefix`0 to `prefix`7 in `mindrecord_dir`; written
    if not there yet.

    Raises UserError for annotations or images that do not fit; then nothing is left behind.
    """
    folder = Path(config.mindrecord_dir)
    if not prefix or set(prefix) & NOT_IN_A_NAME:
        raise UserError(
            f"--prefix '{prefix}': a file name without {' '.join(sorted(NOT_IN_A_NAME))}"
        )
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
    samples, left_out, names = (
        coco_samples(config, is_training)
        if config.create_dataset == "coco"
        else text_samples(config)
    )
    with unfinished_folder(folder, prefix) as unfinished:
        _write(unfinished / prefix, folder, samples, names)
        # The first file comes last: where it is, all are.
        files = [path for path in unfinished.iterdir() if path.name.startswith(prefix)]
        for path in sorted(files, key=lambda path: path.name == first.name):
            put_in_place(path, folder / path.name)
    print(f"kept {len(samples)} images with {sum(len(each.boxes) for each in samples)} boxes")
    print_account(left_out)
    print(f"Create Mindrecord Done, at {folder}")
    return str(first)


def _write(path, folder, samples, names):
    # Its import takes seconds: what is wrong with the data is said before.
    from mindspore.mindrecord import FileWriter
    from mindspore.mindrecord.common.exceptions import MindRecordException

    try:
        writer = FileWriter(str(path), SHARDS)
        writer.add_schema(SCHEMA, description(names))
        for sample in tqdm(samples, path.name, unit="image", disable=None):
            row = {
                "img_id": np.array([sample.image_id], np.int32),
                "image": read_image(sample.path, sample.source),
                "annotation": sample.boxes,
                "file_name": sample.file_name.encode(),
            }
            writer.write_raw_data([row])
        writer.commit()
    except (RuntimeError, MindRecordException) as error:
        reason = re.search(r"\[ERROR\] (.+)", str(error))
        raise UserError(
            f"{folder}: the MindRecord files cannot be written ({reason[1] if reason else error})"
        ) from None
