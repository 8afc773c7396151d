"""The evaluation loop that a checkpoint and an exported file share: images in, COCO's metrics
out.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from types import SimpleNamespace

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
from tqdm import tqdm

from src.annotation_file import shown
from src.annotations import Annotations, normal_name, print_account, read_annotations
from src.class_names import classes_to_detect, record_classes
from src.coco_eval import CocoMetrics, detect
from src.data_paths import annotation_path, training_records
from src.dataset import create_retinanet_dataset
from src.mindrecord import create_mindrecord
from src.pictures import PictureFolder, draw
from src.retinanet_nasfpn import build_network
from src.vendored.cpu_operators import use_cpu_kernels
from src.vendored.launch import UserError
from src.vendored.preprocessing import Preprocessing

PREFIX = "retinanet_eval.mindrecord"
RULE = "=" * 40


def evaluation_annotations(config: SimpleNamespace) -> tuple[Annotations, list[int]]:
    """The validation images' annotations, and which categories have labels 1, 2, ...

    Raises UserError where they are missing, wrong, or have not the classes to detect.
    """
    trust = getattr(config, "trust_image_size", False)
    annotations = read_annotations(annotation_path(config, is_training=False), trust)
    return annotations, classes_to_detect(config, annotations, training_records(config))


def evaluation_dataset(
    config: SimpleNamespace, preprocessing: Preprocessing | None = None
) -> ds.Dataset:
    """The validation images, one a batch, from `mindrecord_dir`; its MindRecord files are
    written if not there. `preprocessing` is the network's, None where it is not known.
    """
    evaluation_annotations(config)  # what is wrong should not come to light after an epoch
    first = os.path.join(config.mindrecord_dir, f"{PREFIX}0")
    if not os.path.isfile(first):
        first = create_mindrecord(config, PREFIX, is_training=False)
    return create_retinanet_dataset(
        config, first, 1, is_training=False, preprocessing=preprocessing
    )


def evaluate(
    predict: Callable[[np.ndarray], list[np.ndarray]],
    data: ds.Dataset,
    config: SimpleNamespace,
    predictions: str = "predictions.json",
) -> dict[str, float]:
    """Print and return COCO's metrics {name: value}, mAP first, of `predict` on `data`, an
    `evaluation_dataset`.

    `predict` maps an image float32 (1, 3, S, S) to boxes (1, A, 4) and scores (1, A, num_classes),
    both arrays. The detections go to the file `predictions`; with `visualize` each image, its boxes
    drawn on it, to that folder. Raises UserError where an output is NaN or infinite, or an image is
    not in the annotation file.
    """
    annotations, classes = evaluation_annotations(config)
    total, started = len(data), time.perf_counter()
    names = [annotations.categories[place].name for place in classes]
    if not config.coco_classes:
        print(f"classes: {shown(names)}, as in {_source(config, annotations)}")
    pictures = PictureFolder(config.visualize, [image.file_name for image in annotations.images])
    print(f"\n{RULE}\n\ntotal images num:  {total}\nProcessing, please wait a moment.", flush=True)
    with CocoMetrics(annotations, classes, predictions) as metrics:
        rows = data.create_dict_iterator(num_epochs=1, output_numpy=True)
        for row in tqdm(rows, total=total, disable=None):
            image = _position(annotations, row)
            file_name = annotations.images[image].file_name
            shape = tuple(row["image_shape"][0].astype(int).tolist())
            boxes, scores = predict(row["image"])
            found = detect(boxes[0], scores[0], np.float32(shape), config, file_name)
            metrics.add(image, shape, *found)
            if config.visualize:
                truth = metrics.truth(image, shape)[:2]
                picture = draw(row["original"][0], found, truth, names, config.visualize_score)
                pictures.save(picture, file_name)
        milliseconds = int((time.perf_counter() - started) * 1000)
        print(f"    100% [{total}/{total}] cost {milliseconds} ms", flush=True)
        print_account(metrics.counts)
        result = metrics.summarize(config.per_class)
    print(f"\n{RULE}\n\nmAP: {result['mAP']}", flush=True)
    return result


def evaluate_while_training(
    network: ms.nn.Cell, config: SimpleNamespace, folder: str
) -> Callable[[], dict[str, float]]:
    """A function that evaluates what `network`, a training network, has learned, and prints
    nothing; predictions.json goes into `folder`, if one is named.
    """
    dataset, detector = (
        evaluation_dataset(config),
        use_cpu_kernels(build_network(config), only_predicts=True),
    )

    def evaluate_now():
        trained = network.parameters_dict()
        for name, parameter in detector.parameters_dict().items():
            parameter.set_data(trained[name])
        with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(None):
            return evaluate(
                lambda image: [output.asnumpy() for output in detector(ms.Tensor(image))],
                dataset,
                config,
                os.path.join(folder or scratch, "predictions.json"),
            )

    return evaluate_now


def _source(config, annotations):
    records = training_records(config)
    return records if record_classes(records) else annotations.path


def _position(annotations, row):
    """The position in the annotation file of a row's image: by its name where the row has it."""
    image_id = int(row["img_id"][0, 0])
    if "file_name" not in row:
        name, image = f"image {image_id}", annotations.find_image(image_id)
    else:
        name = row["file_name"][0].tobytes().decode()
        image = annotations.by_name.get(normal_name(name))
    if image is None:
        raise UserError(
            f"{name} of the MindRecord files is not in the annotation file {annotations.path};"
            " evaluate on the data it belongs to, or create the files anew"
        )
    return image
