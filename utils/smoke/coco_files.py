"""What the makers of COCO data sets share: a split written as JPEG files and an annotation file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np


def write_split(
    folder: Path,
    split: str,
    categories: list[str],
    images: Iterable[tuple[np.ndarray, list]],
    first_id: int = 1,
) -> tuple[int, int]:
    """Write `folder`/`split`/ID.jpg and `folder`/annotations/instances_`split`.json.

    `images` are (uint8 (H, W, 3), blue first; [(position in `categories`, [left, top, width,
    height] in pixels), ...]). Ids of categories and boxes count from 1. Returns how many images and
    boxes there are. Exits with one line where a file cannot be written.
    """
    content = {"images": [], "annotations": []}
    content["categories"] = [{"id": n, "name": name} for n, name in enumerate(categories, 1)]
    (folder / split).mkdir(parents=True)
    for image_id, (image, boxes) in enumerate(images, first_id):
        path = folder / split / f"{image_id:012}.jpg"
        if not cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 95]):
            sys.exit(f"error: cannot write {path}; is there room on the disk?")
        height, width = image.shape[:2]
        content["images"].append(
            {"id": image_id, "file_name": path.name, "height": height, "width": width}
        )
        for category, box in boxes:
            content["annotations"].append(
                {
                    "id": len(content["annotations"]) + 1,
                    "image_id": image_id,
                    "category_id": category + 1,
                    "iscrowd": 0,
                    "bbox": box,
                    "area": box[2] * box[3],
                }
            )
    (folder / "annotations").mkdir(exist_ok=True)
    (folder / "annotations" / f"instances_{split}.json").write_text(json.dumps(content))
    return len(content["images"]), len(content["annotations"])
