"""COCO's metrics from the result files of the C++ program.

    python postprocess.py --result_path ./result_Files --dataset_path /data/COCO2017/val2017 \\
        --anno_path /data/COCO2017/annotations/instances_val2017.json

With --mindir_path FILE, classes are those of the record beside the exported network.
An image counts if the annotation file has its name, or else its name as an id, and it has no crowd
annotation. The detections go to predictions.json in the current folder.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
import os

import numpy as np

from src.annotations import print_account, read_annotations
from src.class_names import classes_to_detect
from src.coco_eval import CocoMetrics, detect
from src.images import image_shape, require_shapes
from src.model_utils.config import load_config
from src.result_files import list_images, match_images, read_outputs
from src.vendored.result_names import result_names


def main() -> None:
    """Print COCO's twelve lines and mAP."""
    config = load_config(
        "classes",
        "aspect ratio",
        "results",
        "annotation file",
        "image sizes",
        "detections",
        "table by class",
        "exported network",
        description=__doc__,
        record_of="mindir_path",
    )
    if not os.path.isdir(config.result_path):
        raise UserError(f"{config.result_path or '--result_path'}: no such folder of result files")
    annotations = read_annotations(config.anno_path, getattr(config, "trust_image_size", False))
    classes = classes_to_detect(config, annotations)
    print(f"first dataset is {len(annotations.images)}")
    names = list_images(config.dataset_path)
    images, left_out = match_images(config.dataset_path, names, annotations)
    paths = {image: os.path.join(config.dataset_path, name) for image, name in images}
    shapes = {image: image_shape(path, annotations.label(image)) for image, path in paths.items()}
    require_shapes(annotations, shapes)
    results = dict(zip(names, result_names(names)))
    with CocoMetrics(annotations, classes) as metrics:
        for image, name in images:
            outputs = read_outputs(config.result_path, results[name], config.num_classes)
            found = detect(*outputs, np.float32(shapes[image]), config, paths[image])
            metrics.add(image, shapes[image], *found)
        print_account(left_out + metrics.counts)
        print(f"mAP: {metrics.summarize(config.per_class)['mAP']}", flush=True)


if __name__ == "__main__":
    run(main)
