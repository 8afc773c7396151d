"""A small COCO folder with special cases, NAS-FPN's settings for it, and the modules that make its
MindRecord files and read them.
"""

import json

import cv2
import numpy as np

from folders import import_from
from test_nas_fpn import configuration

CATEGORIES = [{"id": 5, "name": "cat"}, {"id": 2, "name": "dog"}, {"id": 9, "name": "bird"}]


def dataset():
    return import_from("nas_fpn", "src.dataset")


def mindrecord():
    return import_from("nas_fpn", "src.mindrecord")


def class_names():
    return import_from("nas_fpn", "src.class_names")


def documented_image():
    y, x, channel = np.meshgrid(np.arange(300), np.arange(400), np.arange(3), indexing="ij")
    return ((3 * y + 5 * x + 70 * channel + x * y // 50) % 256).astype(np.uint8)


def coco_folder(folder, split="train2017", images=11):
    """Images 1 to `images` of different sizes, each with a cat or a dog, and special cases at
    the first ones.
    """
    (folder / split).mkdir(parents=True)
    (folder / "annotations").mkdir(exist_ok=True)
    content = {"images": [], "annotations": [], "categories": CATEGORIES}

    def annotate(image_id, box, category=5, iscrowd=0):
        content["annotations"].append(
            {
                "id": len(content["annotations"]) + 1,
                "image_id": image_id,
                "bbox": box,
                "area": box[2] * box[3],
                "category_id": category,
                "iscrowd": iscrowd,
            }
        )

    for image_id in range(1, images + 1):
        picture = cv2.resize(documented_image(), (100 + 10 * image_id, 120))
        cv2.imwrite(str(folder / split / f"{image_id:012}.jpg"), picture)
        content["images"].append({"id": image_id, "file_name": f"{image_id:012}.jpg"})
        if image_id > 1:  # the first image has no box
            annotate(image_id, [10.4, 20.6, 30.2, 40], category=(5, 2)[image_id % 2])
    annotate(2, [0, 0, 50, 50], iscrowd=1)
    annotate(3, [60.1, 60.1, 0.2, 20])
    annotate(4, [60, 60, 20, 20], category=9)
    (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return folder


def small(tmp_path, **changes):
    return configuration(
        128,
        **{
            "coco_root": str(tmp_path),
            "mindrecord_dir": str(tmp_path / "records"),
            "workers": 2,
            "coco_classes": ["background", "dog", "cat"],
            "num_classes": 3,
            **changes,
        },
    )
