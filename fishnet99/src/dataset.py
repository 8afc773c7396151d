"""ImageNet-style folders to batches: decode, augment, normalise.

python src/dataset.py --check /data/imagenet/val --against /data/imagenet/train
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the flags of --check come first.

from __future__ import annotations

if __name__ == "__main__":  # As a file it has the folder src, not the model's, to import from.
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from src.vendored import doctor

if __name__ == "__main__":
    FLAGS = run(doctor.read_flags, __doc__)

from collections.abc import Sequence
from types import SimpleNamespace

import mindspore.dataset as ds
import mindspore.dataset.vision as vision
import numpy as np

from src.vendored.device import parallel_workers
from src.vendored.epochs import epochs_of
from src.vendored.image_options import chosen
from src.vendored.image_source import image_dataset
from src.vendored.images import ImageTree, check_batch_size, evaluation_tree, training_tree
from src.vendored.preprocessing import Preprocessing
from src.vendored.rand_augment import rand_augment

# RGB on the scale 0..255.
MEAN = [0.485 * 255, 0.456 * 255, 0.406 * 255]
STANDARD_DEVIATION = [0.229 * 255, 0.224 * 255, 0.225 * 255]


def training_operations(preprocessing: Preprocessing, augment: Sequence = ()) -> list:
    """Encoded image (uint8 bytes) to augmented float32 (3, height, width), normalised.

    `augment`: operations in place of the documented changes of colour.
    """
    colours = vision.RandomColorAdjust(brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)
    return [
        vision.RandomCropDecodeResize(
            preprocessing.size,
            scale=(0.08, 1.0),
            ratio=(0.75, 1.333),
            interpolation=preprocessing.inter(),
            max_attempts=10,
        ),
        vision.RandomHorizontalFlip(prob=0.5),
        *(augment or [colours]),
        *preprocessing.normalise(),
    ]


def evaluation_preprocessing(height: int, width: int) -> Preprocessing:
    """Normalised RGB, cut out after the shorter side has become 256/224 of the larger side
    wanted.
    """
    side = max(height, width)
    crop_fraction = side / (side * 256 // 224)
    return Preprocessing((height, width), MEAN, STANDARD_DEVIATION, crop_fraction, True)


def evaluation_operations(preprocessing: Preprocessing) -> list:
    """Encoded image (uint8 bytes) to the float32 centre crop (3, height, width), normalised."""
    return [vision.Decode(to_pil=False), *preprocessing.operations()]


def create_dataset_imagenet(
    dataset_path: str,
    repeat_num: int = 1,
    training: bool = True,
    num_parallel_workers: int = 16,
    shuffle: bool | None = None,
    batch_size: int = 128,
    image_size: int = 224,
    num_classes: int = 1000,
    device_num: int = 1,
    rank: int = 0,
    drop_remainder: bool | None = None,
    tree: ImageTree | None = None,
    order: np.ndarray | None = None,
    preprocessing: Preprocessing | None = None,
    augment: Sequence = (),
) -> ds.Dataset:
    """Batches of `image`, float32 (N, 3, image_size, image_size), normalised RGB, and `label`,
    int32 (N,).

    `dataset_path` holds one folder of images a class, at most `num_classes`; labels are positions
    in the sorted names. `tree`, an ImageTree read already, takes its place, and `preprocessing`
    that of `evaluation_preprocessing`. Each of `device_num` devices reads its own part, that of
    `rank`. A last batch that is not full is dropped in training and kept in evaluation, unless
    `drop_remainder` says otherwise. Images are shuffled where `shuffle` says so; if it is None, in
    training and where a remainder is dropped. With `order`, the images of these numbers are read in
    that order, instead of shuffled and shared. The same seed (mindspore.dataset.config.set_seed)
    and number of workers give the same batches, epoch by epoch. Raises UserError for another tree
    of folders, too many classes, and too few images for a batch.
    """
    if drop_remainder is None:
        drop_remainder = training
    if shuffle is None:
        # Images come in order of class: unshuffled, a dropped remainder would be all of the last.
        shuffle = training or drop_remainder
    tree = tree or training_tree(dataset_path, num_classes)
    wanted = batch_size * device_num if drop_remainder else 1
    check_batch_size(tree.folder, len(tree.paths), wanted)
    workers = parallel_workers(num_parallel_workers)
    dataset = image_dataset(tree, shuffle, workers, rank, device_num, training, order)
    preprocessing = preprocessing or evaluation_preprocessing(image_size, image_size)
    operations = (
        training_operations(preprocessing, augment)
        if training
        else evaluation_operations(preprocessing)
    )
    dataset = dataset.map(operations, input_columns="image", num_parallel_workers=workers)
    dataset = dataset.batch(batch_size, drop_remainder=drop_remainder, num_parallel_workers=workers)
    return dataset if repeat_num == 1 else dataset.repeat(repeat_num)


def training_dataset(config: SimpleNamespace, rank: int = 0, ranks: int = 1) -> tuple:
    """The training images that `config` names: (this rank's batches, the class names in order)."""
    tree = training_tree(config.data_path, config.num_classes)
    check_batch_size(tree.folder, len(tree.paths), config.batch_size * ranks)
    preprocessing = chosen_preprocessing(config)

    def create(order):
        return create_dataset_imagenet(
            tree.folder,
            num_parallel_workers=config.num_workers,
            batch_size=config.batch_size,
            image_size=config.image_height,
            tree=tree,
            order=order,
            preprocessing=preprocessing,
            augment=rand_augment(config),
        )

    dataset = epochs_of(create, len(tree.paths), config.batch_size, config.seed, rank, ranks)
    return dataset, tree.class_names


def evaluation_dataset(
    config: SimpleNamespace,
    class_names: list[str] | None = None,
    rank: int = 0,
    ranks: int = 1,
    preprocessing: Preprocessing | None = None,
) -> tuple:
    """The evaluation images that `config` names: (this rank's batches, its ImageTree in order).

    Every image counts, on exactly one rank, unless drop_remainder. `class_names` are the network's,
    None where they are not known, and so is `preprocessing`.
    """
    tree = evaluation_tree(
        config.val_data_path, config.num_classes, class_names, config.class_names
    )
    dataset = create_dataset_imagenet(
        tree.folder,
        training=False,
        num_parallel_workers=config.num_workers,
        batch_size=config.batch_size,
        image_size=config.image_height,
        device_num=ranks,
        rank=rank,
        drop_remainder=config.drop_remainder,
        tree=tree,
        preprocessing=preprocessing or chosen_preprocessing(config),
    )
    if config.drop_remainder:  # Then they are shuffled: no image can be named.
        return dataset, tree._replace(paths=[])
    return dataset, tree.share(rank, ranks)


def chosen_preprocessing(config: SimpleNamespace) -> Preprocessing:
    """What becomes of images, as `config` says."""
    return chosen(config, evaluation_preprocessing(config.image_height, config.image_height))


if __name__ == "__main__":
    run(
        doctor.main,
        FLAGS,
        lambda tree: create_dataset_imagenet(tree.folder, training=False, batch_size=1, tree=tree),
    )
