"""Photos to boxes, by a checkpoint or an exported detector."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import cv2
import mindspore as ms
import numpy as np

from src.class_names import configured_names
from src.coco_eval import detect
from src.dataset import chosen_preprocessing, evaluation_preprocessing, resize
from src.images import decode
from src.pictures import draw
from src.retinanet_nasfpn import build_network
from src.vendored.answers import Answer, Outputs, answer_all
from src.vendored.checkpoints import load_weights
from src.vendored.cpu_operators import use_cpu_kernels
from src.vendored.device import set_up_device
from src.vendored.exported import ExportedModel, open_model
from src.vendored.inputs import EXPORTED
from src.vendored.launch import UserError
from src.vendored.photos import Photo, find_photos, read_photo
from src.vendored.preprocessing import Preprocessing, recorded_preprocessing

SIDES = ("top", "left", "bottom", "right")  # pixels, as detect gives them
COLUMNS = ("class", "label", "score", *SIDES)
SAID = 5  # detections of a photo on the terminal
NO_TRUTH = np.zeros((0, 4)), np.zeros(0, int)


def check_outputs(path: str, model: ExportedModel, num_classes: int) -> None:
    """Raise UserError unless the ExportedModel `model`, in the file `path`, is a detector of an
    image and `num_classes` classes.
    """
    if model.shape[0] not in (1, None):
        raise UserError(
            f"{path}: takes {model.shape[0]} images at a time; export it with --export_batch_size 1"
        )
    try:
        outputs = model.predict(np.zeros((1, *model.shape[1:]), np.float32))
    except Exception as error:  # onnxruntime's exceptions have no common class but this.
        reason = " ".join(str(error).split())[:300]
        raise UserError(f"{path}: cannot be run ({reason})") from None
    shapes = [output.shape for output in outputs]
    anchors = shapes[0][:2]
    if shapes != [(*anchors, 4), (*anchors, num_classes)]:
        raise UserError(
            f"{path}: its outputs are {shapes}, not boxes (1, anchors, 4) and scores (1, anchors,"
            f" {num_classes}); set --num_classes, or export it with export.py"
        )


def detect_on_photos(config: SimpleNamespace) -> None:
    """Answer where on config.photos there is what, by the model config.model.

    Raises UserError where the model cannot be used, and at the end where a photo could not.
    """
    paths = find_photos(config.photos)
    predict, preprocessing = _open_detector(config)
    names = _names(config)
    config.img_shape = list(preprocessing.size)
    operations = [lambda image: resize(image, config), *preprocessing.normalise()]

    def judge(photos: list[Photo]) -> list[Answer]:
        (photo,) = photos
        boxes, scores = predict(photo.image[None])
        shape = np.float32(photo.size[::-1])
        found = detect(boxes[0], scores[0], shape, config, photo.path)
        return [_answer(config, names, photo, found)]

    answer_all(
        paths,
        lambda path: read_photo(
            path, lambda data: decode(data.tobytes(), path), operations, bool(config.pictures)
        ),
        judge,
        1,
        COLUMNS,
        Outputs(config.model, config.csv, config.json, config.pictures),
    )


def _open_detector(config) -> tuple[Callable, Preprocessing]:
    """`predict`, as in evaluation.evaluate, and what becomes of a photo before."""
    if not config.model.endswith(EXPORTED):
        set_up_device(config.device_target, config.device_id)
        network = use_cpu_kernels(build_network(config), only_predicts=True)
        load_weights(network, config.model, ema=config.ema_weights)

        def predict(image):
            return [output.asnumpy() for output in network(ms.Tensor(image))]

        return predict, chosen_preprocessing(config)
    if config.model.endswith(".mindir"):
        set_up_device(config.device_target, config.device_id)
    model = open_model(config.model, config.device_target, config.device_id)
    check_outputs(config.model, model, config.num_classes)
    size = model.shape[2:]
    preprocessing = recorded_preprocessing(config.model, size)
    config.img_shape = list(size)
    return model.predict, preprocessing or evaluation_preprocessing(config)


def _names(config):
    names = configured_names(config)
    if len(names) + 1 == config.num_classes:
        return names
    print(f"class names: coco_classes has {len(names)}, num_classes is not one more: none known")
    return [f"class {label}" for label in range(1, config.num_classes)]


def _answer(config, names, photo, found):
    boxes, scores, labels = found
    order = np.argsort(-scores, kind="stable")
    boxes, scores, labels = boxes[order], scores[order], labels[order]
    rows = [
        {
            "class": int(label),
            "label": names[label - 1],
            "score": round(float(score), 6),
            **dict(zip(SIDES, [round(side, 1) for side in box.tolist()])),
        }
        for box, score, label in zip(boxes, scores, labels)
    ]
    words = [f"{row['label']} {row['score']:.2f}" for row in rows[:SAID]]
    more = [f"and {len(rows) - SAID} more"] if len(rows) > SAID else []
    picture = None
    if config.pictures:
        scale = np.tile(np.divide(photo.shown.shape[:2], photo.size[::-1]), 2)
        picture = draw(photo.shown, (boxes * scale, scores, labels), NO_TRUTH, names, 0)
        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    return Answer("  ".join([*words, *more]) or "nothing found", rows, picture)
