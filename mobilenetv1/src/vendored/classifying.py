# Copied from utils/vendored/classifying.py by `make vendor`: change it there.
"""Photos to classes, by a checkpoint or an exported classifier."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .answers import Answer, Outputs, answer_all
from .checkpoints import load_weights
from .classes import names_for_prediction, readable
from .device import set_up_device
from .drawing import drawable, with_caption, with_heat
from .exported import classifier_outputs, first_output, open_model
from .grad_cam import NetworkWithMaps
from .inputs import EXPORTED
from .launch import UserError
from .photos import find_photos, read_photo, seen_part
from .preprocessing import Preprocessing, recorded_preprocessing
from .record import read_record

if TYPE_CHECKING:
    from mindspore import nn

COLUMNS = ("class", "label", "name", "probability")


class Classifier(NamedTuple):
    """`predict` maps images float32 (N, 3, H, W) to logits (N, classes) and, with Grad-CAM, heat
    (N, h, w) of the likeliest class, else None; N is `batch_size`.
    """

    predict: Callable
    preprocessing: Preprocessing
    batch_size: int


def classify_photos(
    config: SimpleNamespace,
    build_network: Callable[[SimpleNamespace], nn.Cell],
    classifier: str,
    size: tuple[int, int],
    preprocess: Callable[[int, int], Preprocessing],
) -> None:
    """Answer what is on config.photos by the model config.model.

    A checkpoint's network is that of `build_network`, `classifier` the name of its last weight and
    its input of `size` (height, width); `preprocess` maps that to what becomes of images where the
    record does not say. Raises UserError where the model cannot be used, and at the end where a
    photo could not.
    """
    import mindspore.dataset.vision as vision

    if config.grad_cam and not config.pictures:
        raise UserError("--grad_cam colours the pictures: give --pictures FOLDER")
    paths = find_photos(config.photos)
    if config.model.endswith(EXPORTED):
        model = _open_exported(config, len(paths), preprocess)
    else:
        model = _open_checkpoint(config, len(paths), build_network, classifier, preprocess(*size))
    zeros = np.zeros((model.batch_size, 3, *model.preprocessing.size), np.float32)
    count = model.predict(zeros)[0].shape[1]
    recorded = read_record(config.model)[0]["class_names"]
    labels = names_for_prediction(count, recorded, config.class_names)
    names = readable(labels)
    decode, operations = vision.Decode(), model.preprocessing.operations()

    def judge(photos):
        images = zeros.copy()
        images[: len(photos)] = [photo.image for photo in photos]
        logits, heat = model.predict(images)
        return [_answer(config, labels, names, model, *row) for row in _rows(photos, logits, heat)]

    answer_all(
        paths,
        lambda path: read_photo(path, decode, operations, bool(config.pictures)),
        judge,
        model.batch_size,
        COLUMNS,
        Outputs(config.model, config.csv, config.json, config.pictures),
    )


def _open_exported(config, photos, preprocess):
    if config.grad_cam:
        raise UserError(f"{config.model}: Grad-CAM wants a checkpoint, not an exported model")
    if config.model.endswith(".mindir"):
        set_up_device(config.device_target, config.device_id)
    model = open_model(config.model, config.device_target, config.device_id)
    classifier_outputs(config.model, model)
    size = model.shape[2:]
    preprocessing = recorded_preprocessing(config.model, size)
    logits = first_output(model)
    return Classifier(
        lambda images: (logits(images), None),
        preprocessing or preprocess(*size),
        model.shape[0] or min(config.batch_size, photos),
    )


def _open_checkpoint(config, photos, build_network, classifier, preprocessing):
    import mindspore as ms

    from .cpu_operators import use_cpu_kernels

    set_up_device(config.device_target, config.device_id)
    network = use_cpu_kernels(build_network(config).set_train(False), only_predicts=True)
    load_weights(network, config.model, ema=config.ema_weights)
    if config.grad_cam:
        predict = NetworkWithMaps(network, classifier).predict
    else:

        def predict(images):
            return network(ms.Tensor(images)).astype(ms.float32).asnumpy(), None

    return Classifier(predict, preprocessing, min(config.batch_size, photos))


def _rows(photos, logits, heat):
    for number, photo in enumerate(photos):
        if not np.isfinite(logits[number]).all():
            raise UserError(
                f"{photo.path}: the outputs for it are not finite numbers; check the model's"
                " weights"
            )
        yield photo, logits[number], None if heat is None else heat[number]


def _answer(config, labels, names, model, photo, logits, heat):
    exponentials = np.exp(logits.astype(np.float64) - logits.max())
    probabilities = exponentials / exponentials.sum()
    best = np.argsort(-probabilities, kind="stable")[: config.top]
    rows = [
        {
            "class": int(place),
            "label": labels[place],
            "name": names[place],
            "probability": round(float(probabilities[place]), 6),
        }
        for place in best
    ]
    words = [f"{row['name']} {100 * row['probability']:.1f} %" for row in rows]
    picture = None
    if config.pictures:
        picture = photo.shown
        if heat is not None:
            picture = with_heat(picture, heat, seen_part(model.preprocessing, photo.size))
        lines = [drawable(text, f"class {row['class']}") for text, row in zip(words, rows)]
        picture = with_caption(picture, lines)
    return Answer("  ".join(words), rows, picture)
