"""What training reads: batches of MindRecord files, and the names of the classes in them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import mindspore.dataset as ds

from src.dataset import create_retinanet_dataset

FIRST_FILE = "retinanet.mindrecord0"


def training_dataset(config, rank: int = 0, ranks: int = 1) -> tuple[ds.Dataset, list | None]:
    """The training images in `mindrecord_dir`: (this rank's batches, the class names in order).

    The background is the first name. They are None where nothing says them.
    """
    first = os.path.join(config.mindrecord_dir, FIRST_FILE)
    dataset = create_retinanet_dataset(config, first, config.batch_size, ranks, rank)
    return dataset, class_names(config)


def class_names(config) -> list | None:
    """The names of `coco_classes`; if it is empty, of all categories of the training images'
    annotation file, if that is there.
    """
    if config.coco_classes:
        return list(config.coco_classes)
    split = config.instances_set.replace("{}", config.train_data_type)
    path = Path(config.coco_root, split)
    if not path.is_file():
        return None
    categories = json.loads(path.read_text(encoding="utf-8"))["categories"]
    categories.sort(key=lambda category: category["id"])
    return ["background", *(category["name"] for category in categories)]
