# Copied from utils/vendored/finetuning.py by `make vendor`: change it there.
"""From a folder of photos in class folders to a trained and exported classifier, with settings that
some fifty photos a class learn with.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
from mindspore import nn
from mindspore.dataset import vision

from .accuracy import evaluate_while_training
from .additions import keep_parameters
from .checkpoints import load_pre_trained, load_weights
from .classes import names_for_training
from .device import parallel_workers, set_up_device
from .epochs import epochs_of
from .exporting import export_model
from .image_source import image_dataset
from .images import ImageTree, check_batch_size, evaluation_tree, read_image_tree
from .inputs import require_photos
from .launch import UserError, printable
from .options import defaults
from .preprocessing import Preprocessing
from .record import exported_record, make_record, read_record
from .splits import EVALUATION, TRAINING, find_split, split_below
from .training import fit, set_seeds
from .using import EXPORTING

PREFIX = "finetuned"
HELD_OUT = 5  # of so many photos of a class one is for evaluation
LR_BATCH = 16  # photos of a step with the rate lr
FEATURES_RATE = 0.1  # times the classifier's rate, where the features are trained already
WARM_UP = 0.1  # share of the steps over which the rate rises
MOMENTUM, WEIGHT_DECAY, SMOOTHING = 0.9, 1e-4, 0.1
SMALLEST_CROP = 0.35  # share of a photo; the documented 0.08 wants many epochs
KEPT = {"save_checkpoint": True, "save_checkpoint_epochs": 5, "save_checkpoint_steps": 0,
        "keep_checkpoint_max": 1, "resume": ""}  # fmt: skip


def finetune_classifier(
    config: SimpleNamespace,
    build_network: Callable[[SimpleNamespace], nn.Cell],
    prepare_for_export: Callable[[nn.Cell], nn.Cell],
    classifier: Collection[str],
    classes_key: str,
    preprocessing: Preprocessing,
    recorded: Collection[str],
    folder: str,
) -> None:
    """Train, evaluate and export what `config` describes under the keys of using.FINE_TUNING.

    `build_network` makes the network of config, whose key `classes_key` becomes the number of
    class folders, `classifier` names what of it depends on the classes. `recorded` are the keys
    that the model carries with it, and `folder` the name of the model folder. Raises UserError
    before anything is written where photos or checkpoint do not do.
    """
    set_up_device(config.device_target, config.device_id)
    set_seeds(config.seed)
    if config.freeze_features and not config.pre_trained:
        raise UserError("--freeze_features keeps random weights; give --pre_trained too")
    trained, held_out = _split(config.dataset_path)
    names = trained.class_names
    setattr(config, classes_key, len(names))
    check_batch_size(trained.folder, len(trained.paths), config.batch_size)
    config.known_classes = names
    network = build_network(config)
    if config.pre_trained:
        _start_from(network, config.pre_trained, classifier, names, config.ema_weights)
    if config.freeze_features:
        keep_parameters(network, network.parameters_dict().keys() - set(classifier))
    batches = partial(_training_batches, trained, config=config, preprocessing=preprocessing)
    dataset = epochs_of(batches, len(trained.paths), config.batch_size, config.seed, 0, 1)
    steps = dataset.get_dataset_size()
    rates = learning_rates(config.lr * config.batch_size / LR_BATCH, config.epochs * steps)
    optimizer = create_optimizer(network, rates, classifier, bool(config.pre_trained))
    loss = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    evaluation = _evaluation_batches(held_out, config, preprocessing), held_out
    print(f"{len(trained.paths)} photos to train on, {len(held_out.paths)} held out", flush=True)
    fit(
        ms.Model(network, loss, optimizer),
        network,
        optimizer,
        dataset,
        SimpleNamespace(**{**vars(defaults()), **vars(config), **KEPT}),
        make_record(config, recorded, names),
        learning_rates=rates,
        epochs=config.epochs,
        folder=config.output,
        prefix=PREFIX,
        callbacks=[],
        evaluate=evaluate_while_training(network, evaluation, config.batch_size, 1),
        exports=(f"{folder}.onnx",),
    )
    _export(config, build_network, prepare_for_export, preprocessing, recorded, folder)


def _split(path):
    """The ImageTrees to train and to evaluate on: the folder's own splits, else a fifth of each
    class is held out.
    """
    require_photos(path)
    folder = find_split(path, TRAINING)
    tree = read_image_tree(folder, lambda names: names_for_training(names, len(names)))
    if split_below(path, EVALUATION):
        return tree, evaluation_tree(path, len(tree.class_names), tree.class_names)
    counts = np.bincount(tree.labels, minlength=len(tree.class_names))
    if counts.min() < HELD_OUT:
        name = printable(tree.class_names[int(counts.argmin())])
        raise UserError(
            f"{folder}: class '{name}' has {counts.min()} photos, at least {HELD_OUT} are wanted:"
            " one of them is held out"
        )
    number = np.concatenate([np.arange(count) for count in counts])  # of a photo in its class
    is_held_out = number % HELD_OUT == HELD_OUT - 1
    return _part(tree, ~is_held_out), _part(tree, is_held_out)


def _part(tree, chosen) -> ImageTree:
    paths = [path for path, is_chosen in zip(tree.paths, chosen) if is_chosen]
    return tree._replace(paths=paths, labels=tree.labels[chosen])


def _start_from(network, path, classifier, names, ema):
    """Load the checkpoint `path`, but not a classifier of other classes than `names`."""
    head = [value for value in network.get_parameters() if value.name in classifier]
    fresh = [value.asnumpy().copy() for value in head]
    load_pre_trained(network, path, classifier, ema)
    if read_record(path)[0]["class_names"] != names:
        for value, first in zip(head, fresh):
            value.set_data(ms.Tensor(first))
        print(f"new for these classes: {', '.join(value.name for value in head)}", flush=True)


def learning_rates(highest: float, steps: int) -> np.ndarray:
    """Rates of all steps, float32 (steps,): up in a line, down in half a cosine."""
    warm_up = max(1, round(WARM_UP * steps))
    rising = np.arange(1, warm_up + 1) / warm_up
    falling = (1 + np.cos(math.pi * np.arange(1, steps - warm_up + 1) / (steps - warm_up + 1))) / 2
    return (highest * np.concatenate((rising, falling)))[:steps].astype(np.float32)


def create_optimizer(
    network: nn.Cell, rates: np.ndarray, classifier: Collection[str], is_pre_trained: bool
) -> nn.Optimizer:
    """Momentum, with smaller steps for features that are trained already."""
    parameters = network.trainable_params()
    features = [value for value in parameters if value.name not in classifier]
    head = [value for value in parameters if value.name in classifier]
    slower = rates * (FEATURES_RATE if is_pre_trained else 1)
    groups = [{"params": head, "lr": ms.Tensor(rates)}]
    if features:
        groups.append({"params": features, "lr": ms.Tensor(slower)})
    return nn.Momentum(groups, ms.Tensor(rates), MOMENTUM, WEIGHT_DECAY)


def _training_batches(tree, order, config, preprocessing) -> ds.Dataset:
    workers = parallel_workers(config.num_workers)
    crop = vision.RandomCropDecodeResize(
        preprocessing.size,
        scale=(SMALLEST_CROP, 1.0),
        ratio=(3 / 4, 4 / 3),
        interpolation=preprocessing.inter(),
    )
    operations = [crop, vision.RandomHorizontalFlip(prob=0.5), *preprocessing.normalise()]
    images = image_dataset(tree, True, workers, order=order)
    return images.map(operations, "image", num_parallel_workers=workers).batch(
        config.batch_size, drop_remainder=True
    )


def _evaluation_batches(tree, config, preprocessing) -> ds.Dataset:
    workers = parallel_workers(config.num_workers)
    operations = [vision.Decode(), *preprocessing.operations()]
    images = image_dataset(tree, False, workers)
    return images.map(operations, "image", num_parallel_workers=workers).batch(config.batch_size)


def _export(config, build_network, prepare_for_export, preprocessing, recorded, folder):
    """Write the best checkpoint as ONNX, for any number of photos."""
    config.checkpoint_path = str(Path(config.output, f"{PREFIX}-best.ckpt"))
    record = exported_record(config, recorded, folder, preprocessing)
    network = build_network(config)
    load_weights(network, config.checkpoint_path)
    options = {key: row[0] for key, row in EXPORTING.items()} | {"dynamic_batch": True}
    options |= {"file_name": str(Path(config.output, folder)), "file_format": "ONNX"}
    images = ms.Tensor(np.zeros((1, 3, *preprocessing.size), np.float32))
    export_model(prepare_for_export(network), images, SimpleNamespace(**options), record)
    print(
        f"top1 {record['accuracy']['top1']:.4f} on held-out photos; now: python predict.py --model"
        f" {printable(shlex.quote(options['file_name'] + '.onnx'))} --photos FILE ...",
        flush=True,
    )
