"""COCO's metrics from the result files of the C++ program.

    python postprocess.py --result_path ./result_Files --dataset_path /data/COCO2017/val2017 \\
        --anno_path /data/COCO2017/annotations/instances_val2017.json

An image counts if its name is an image id of the annotation file and it has no crowd annotation.
The detections go to predictions.json in the current folder.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
import os
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from src.coco_eval import CocoMetrics, detect
from src.model_utils.config import config
from src.vendored.records import IMAGE_SUFFIXES


def image_files(folder, truth):
    """[(image id, path)] of the images that count, in the order of their ids.

    Raises UserError if there are none.
    """
    if not os.path.isdir(folder):
        raise UserError(f"{folder or '--dataset_path'}: no such folder of images")
    paths = sorted(path for path in Path(folder).iterdir() if path.suffix in IMAGE_SUFFIXES)
    files = [
        (int(path.stem), path)
        for path in paths
        if path.stem.isdecimal() and int(path.stem) in truth.imgs
    ]
    files = [
        (image_id, path)
        for image_id, path in files
        if not any(annotation.get("iscrowd") for annotation in truth.imgToAnns[image_id])
    ]
    if not files:
        raise UserError(
            f"{folder}: no image whose name is an id in the annotation file, among {len(paths)}"
            " images"
        )
    return sorted(files)


def read_outputs(folder, stem, num_classes):
    """Boxes (A, 4) and scores (A, num_classes) of an image.

    Raises UserError if missing or of the wrong size.
    """
    outputs = []
    for number, columns in enumerate((4, num_classes)):
        path = Path(folder, f"{stem}_{number}.bin")
        if not path.is_file():
            raise UserError(
                f"{path}: no such result file; run the C++ program over all images first"
            )
        size = path.stat().st_size
        rows, rest = divmod(size, 4 * columns)
        if not rows or rest or (outputs and rows != len(outputs[0])):
            wanted = f"{len(outputs[0])} rows" if outputs else "rows"
            raise UserError(
                f"{path}: {size} bytes are not {wanted} of {columns} float32; run the C++ program "
                f"again, or set --num_classes, which is {num_classes}"
            )
        outputs.append(np.fromfile(path, np.float32).reshape(rows, columns))
    return outputs


def image_shape(path):
    """(height, width) of the image file. Raises UserError if it is none."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except UnidentifiedImageError:
        raise UserError(
            f"{path}: this image cannot be decoded; repair it or remove it from the data set"
        ) from None


def main():
    """Print COCO's twelve lines and mAP."""
    if not os.path.isdir(config.result_path):
        raise UserError(f"{config.result_path or '--result_path'}: no such folder of result files")
    metrics = CocoMetrics(config, config.anno_path)
    print(f"first dataset is {len(metrics.truth.imgs)}")
    for image_id, path in image_files(config.dataset_path, metrics.truth):
        boxes, scores = read_outputs(
            config.result_path, path.name.split(".")[0], config.num_classes
        )
        metrics.add(image_id, *detect(boxes, scores, image_shape(path), config))
    print(f"mAP: {metrics.summarize(config.per_class)['mAP']}", flush=True)


if __name__ == "__main__":
    run(main)
