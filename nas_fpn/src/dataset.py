"""MindRecord files to batches: augmented and matched with the anchors for training, as they are
for evaluation.
"""

import os

import cv2
import mindspore.dataset as ds
import numpy as np
from mindspore.dataset import vision

from src.box_utils import AnchorEncoder
from src.vendored.launch import UserError

MEAN = tuple(255 * value for value in (0.485, 0.456, 0.406))
STD = tuple(255 * value for value in (0.229, 0.224, 0.225))
MIN_OVERLAPS = (None, 0.1, 0.3, 0.5, 0.7, 0.9)
CROP_TRIALS = 50


def decode(data):
    """RGB uint8 (H, W, 3) from the bytes of an image file, as MindRecord gives them (an array of
    kind S).
    """
    image = cv2.imdecode(
        np.frombuffer(data.tobytes(), np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )
    if image is None:
        raise UserError("an image cannot be decoded: create the MindRecord files anew")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def resize(image, config):
    """`image` at the network's size, bilinear; the aspect ratio is not kept."""
    height, width = config.img_shape
    return cv2.resize(image, (width, height))


def random_crop(image, boxes):
    """A random part of the image (H, W, 3) and the boxes [y1, x1, y2, x2, label] whose centre is in
    it, in pixels.

    SSD's sampling (arXiv:1512.02325, section 2.2): sides of 0.3 to 1.0, an aspect ratio of 0.5 to
    2, and a least overlap with the boxes drawn from `MIN_OVERLAPS`. After `CROP_TRIALS` failures,
    all of it.
    """
    height, width = image.shape[:2]
    min_overlap = np.random.choice(MIN_OVERLAPS)
    if min_overlap is None:
        return image, boxes
    for _ in range(CROP_TRIALS):
        crop_width, crop_height = (
            (0.3 + 0.7 * np.random.rand()) * width,
            (0.3 + 0.7 * np.random.rand()) * height,
        )
        if not 0.5 <= crop_height / crop_width <= 2:
            continue
        left, top = (
            np.random.rand() * (width - crop_width),
            np.random.rand() * (height - crop_height),
        )
        crop = np.array([int(top), int(left), int(top + crop_height), int(left + crop_width)])
        overlaps = _overlaps(boxes[:, :4], crop)
        some = overlaps > 0
        if not some.any() or (
            overlaps[some].min() < min_overlap and overlaps[some].max() > min_overlap + 0.2
        ):
            continue
        centres = (boxes[:, :2] + boxes[:, 2:4]) / 2
        inside = some & (centres > crop[:2]).all(1) & (centres < crop[2:]).all(1)
        if inside.any():
            boxes = boxes[inside]
            boxes[:, :2] = np.maximum(boxes[:, :2], crop[:2]) - crop[:2]
            boxes[:, 2:4] = np.minimum(boxes[:, 2:4], crop[2:]) - crop[:2]
            return image[crop[0] : crop[2], crop[1] : crop[3]], boxes
    return image, boxes


def _overlaps(boxes, crop):
    """Intersection over union of `boxes` (N, 4) with one other."""
    sides = np.maximum(np.minimum(boxes[:, 2:], crop[2:]) - np.maximum(boxes[:, :2], crop[:2]), 0)
    intersection = sides[:, 0] * sides[:, 1]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return intersection / (areas + (crop[2] - crop[0]) * (crop[3] - crop[1]) - intersection)


class TrainSample:
    """An image's bytes and annotation (N, 5) to its image, cropped and flipped by chance, and all
    anchors' targets.

    Draws from NumPy's global generator; without `augment` the whole image is kept as it is.
    """

    def __init__(self, config):
        self.config = config
        self.encode = AnchorEncoder(config)

    def __call__(self, data, annotation):
        """image uint8 (S, S, 3), box (A, 4) float32, label (A,) int32, num_match (1,) int32."""
        image, boxes = decode(data), annotation.astype(np.float32)
        if self.config.augment:
            image, boxes = random_crop(image, boxes)
        height, width = image.shape[:2]
        image = resize(image, self.config)
        boxes[:, :4] /= (height, width, height, width)
        if self.config.augment and np.random.rand() < 0.5:
            image = cv2.flip(image, 1)
            boxes[:, [1, 3]] = 1 - boxes[:, [3, 1]]
        return (image, *self.encode(boxes))


def create_retinanet_dataset(
    config, mindrecord_file, batch_size, device_num=1, rank=0, is_training=True
):
    """Batches from `mindrecord_file` (the first of the eight) with image float32 (N, 3, S, S),
    normalised.

    Training: image, box (N, A, 4) float32, label (N, A) int32, num_match (N, 1) int32; shuffled,
    whole batches only, this rank's share. Evaluation: img_id (N, 1) int32, image, image_shape (N,
    2) float32: original height, width. Raises UserError where there is no such file, it has labels
    over `num_classes` or does not fill a batch.
    """
    if not os.path.isfile(mindrecord_file):
        raise UserError(f"{mindrecord_file}: no such MindRecord file; create_data.py writes it")
    ds.config.set_seed(1)
    np.random.seed(1)
    # MindSpore refuses more than there are cores
    workers = max(1, min(config.workers, os.cpu_count() or 1))
    columns = ["image", "annotation"] if is_training else ["img_id", "image"]
    shard = {"num_shards": device_num, "shard_id": rank} if device_num > 1 else {}
    try:
        if is_training:
            _check_labels(mindrecord_file, config.num_classes, workers, shard)
        data = ds.MindDataset(
            mindrecord_file, columns, num_parallel_workers=workers, shuffle=is_training, **shard
        )
        images = data.get_dataset_size()
    except RuntimeError:
        raise UserError(
            f"{mindrecord_file}: not a whole set of MindRecord files of boxes; remove all eight,"
            " and create_data.py writes them anew"
        ) from None
    if images < (batch_size if is_training else 1):
        raise UserError(
            f"{mindrecord_file}: {images} images do not fill a batch of {batch_size}; lower"
            " --batch_size"
        )
    to_tensor = [vision.Normalize(MEAN, STD), vision.HWC2CHW()]
    if is_training:
        data = data.map(
            TrainSample(config),
            ["image", "annotation"],
            ["image", "box", "label", "num_match"],
            num_parallel_workers=workers,
            python_multiprocessing=workers > 1,
        )
        if config.augment:
            to_tensor.insert(
                0, vision.RandomColorAdjust(brightness=0.4, contrast=0.4, saturation=0.4)
            )
    else:

        def evaluation_sample(img_id, data):
            image = decode(data)
            return img_id, resize(image, config), np.array(image.shape[:2], np.float32)

        data = data.map(
            evaluation_sample,
            ["img_id", "image"],
            ["img_id", "image", "image_shape"],
            num_parallel_workers=workers,
        )
    data = data.map(to_tensor, "image", num_parallel_workers=workers)
    return data.batch(batch_size, drop_remainder=is_training)


def _check_labels(mindrecord_file, num_classes, workers, shard):
    rows = ds.MindDataset(
        mindrecord_file, ["annotation"], num_parallel_workers=workers, shuffle=False, **shard
    )
    largest = max(
        (
            int(boxes[:, 4].max())
            for (boxes,) in rows.create_tuple_iterator(num_epochs=1, output_numpy=True)
        ),
        default=0,
    )
    if largest >= num_classes:
        raise UserError(
            f"{mindrecord_file}: a box has label {largest}, but num_classes is {num_classes}: from"
            f" 0 to {num_classes - 1}"
        )
