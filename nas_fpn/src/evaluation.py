"""The evaluation loop that a checkpoint and an exported file share: images in, COCO's metrics
out.
"""

import os
import time
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from src.coco_eval import CocoMetrics, detect
from src.dataset import MEAN, STD, create_retinanet_dataset
from src.mindrecord import create_mindrecord
from src.vendored.launch import UserError

PREFIX = "retinanet_eval.mindrecord"
RULE = "=" * 40
DETECTED, TRUTH = (0, 0, 255), (255, 255, 255)  # blue, green, red
SMALLEST_PICTURE = 512  # pixels; on less a score cannot be read


def annotation_file(config):
    """Path of the validation images' annotation file. Raises UserError where there is none."""
    path = os.path.join(config.coco_root, config.instances_set.replace("{}", config.val_data_type))
    if not os.path.isfile(path):
        raise UserError(f"{path}: no such annotation file; see --instances_set and --coco_root")
    return path


def evaluation_dataset(config):
    """The validation images, one a batch, from `mindrecord_dir`; its MindRecord files are
    written if not there.
    """
    annotation_file(config)  # what is missing should not come to light after an epoch
    first = os.path.join(config.mindrecord_dir, f"{PREFIX}0")
    if not os.path.isfile(first):
        first = create_mindrecord(config, PREFIX, is_training=False)
    return create_retinanet_dataset(config, first, 1, is_training=False)


def evaluate(predict, data, config, predictions="predictions.json"):
    """Print and return COCO's metrics {name: value}, mAP first, of `predict` on `data`, an
    `evaluation_dataset`.

    `predict` maps an image float32 (1, 3, S, S) to boxes (1, A, 4) and scores (1, A, num_classes),
    both arrays. The detections go to the file `predictions`; with `visualize` each image, its boxes
    drawn on it, to that folder.
    """
    metrics = CocoMetrics(config, annotation_file(config), predictions)
    total, started = len(data), time.perf_counter()
    if config.visualize:
        os.makedirs(config.visualize, exist_ok=True)
    print(f"\n{RULE}\n\ntotal images num:  {total}\nProcessing, please wait a moment.", flush=True)
    for row in tqdm(
        data.create_dict_iterator(num_epochs=1, output_numpy=True), total=total, disable=None
    ):
        boxes, scores = predict(row["image"])
        found = detect(boxes[0], scores[0], row["image_shape"][0], config)
        image_id = int(row["img_id"][0, 0])
        metrics.add(image_id, *found)
        if config.visualize:
            name = f"{Path(metrics.truth.imgs[image_id]['file_name']).stem}.jpg"
            cv2.imwrite(
                os.path.join(config.visualize, name),
                draw(
                    row["image"][0],
                    row["image_shape"][0],
                    metrics,
                    image_id,
                    found,
                    config.visualize_score,
                ),
            )
    print(
        f"    100% [{total}/{total}] cost {int((time.perf_counter() - started) * 1000)} ms",
        flush=True,
    )
    result = metrics.summarize(config.per_class)
    print(f"\n{RULE}\n\nmAP: {result['mAP']}", flush=True)
    return result


def draw(image, shape, metrics, image_id, found, min_score):
    """A picture, BGR uint8: the network's `image` at its original `shape` or larger, its detections
    and the truth.

    Detections from `min_score` on are thick, with name and score; annotated boxes are thin and
    white.
    """
    picture = image.transpose(1, 2, 0) * np.float32(STD) + np.float32(MEAN)
    scale = max(1.0, SMALLEST_PICTURE / min(shape))
    height, width = (round(float(side) * scale) for side in shape)
    picture = cv2.resize(picture[:, :, ::-1].clip(0, 255).astype(np.uint8), (width, height))
    for annotation in metrics.truth.imgToAnns[image_id]:
        x, y, w, h = (round(value * scale) for value in annotation["bbox"])
        cv2.rectangle(picture, (x, y), (x + w, y + h), TRUTH, 1)
    for box, score, label in zip(*found):
        if score < min_score:
            continue
        y1, x1, y2, x2 = (round(float(value) * scale) for value in box)
        cv2.rectangle(picture, (x1, y1), (x2, y2), DETECTED, 2)
        cv2.putText(
            picture,
            f"{metrics.classes[label - 1][0]} {score:.2f}",
            (x1, max(y1 - 4, 10)),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.45,
            DETECTED,
            1,
            cv2.LINE_AA,
        )
    return picture
