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
from src.vendored.launch import UserError, run

# isort: split
from src.vendored import doctor

if __name__ == "__main__":
    FLAGS = run(doctor.read_flags, __doc__)

from collections.abc import Sequence
from types import SimpleNamespace

import mindspore.dataset as ds
import mindspore.dataset.vision as vision
import numpy as np

from src.auto_augment import OPERATIONS, POLICY
from src.vendored.device import parallel_workers
from src.vendored.epochs import epochs_of
from src.vendored.image_options import chosen
from src.vendored.image_source import image_dataset
from src.vendored.images import ImageTree, check_batch_size, evaluation_tree, training_tree
from src.vendored.preprocessing import Preprocessing
from src.vendored.rand_augment import rand_augment

MEAN = STANDARD_DEVIATION = [127.5, 127.5, 127.5]  # RGB 0..255 to -1..1


def training_operations(
    preprocessing: Preprocessing, crop_scale: float = 0.08, augment: Sequence = ()
) -> list:
    """Encoded image (uint8 bytes) to augmented float32 (3, height, width), normalised.

    A crop takes a share from `crop_scale` to 1 of the image. `augment`: operations in place of the
    documented policy.
    """
    policy = [
        [(OPERATIONS[name](level), probability) for name, level, probability in pair]
        for pair in POLICY
    ]
    return [
        vision.RandomCropDecodeResize(
            preprocessing.size,
            scale=(crop_scale, 1.0),
            ratio=(3 / 4, 4 / 3),
            interpolation=preprocessing.inter(),
            max_attempts=10,
        ),
        vision.RandomHorizontalFlip(prob=0.5),
        *(augment or [vision.RandomSelectSubpolicy(policy)]),
        *preprocessing.normalise(),
    ]


def evaluation_preprocessing(height: int, width: int) -> Preprocessing:
    """RGB in -1..1, cut out after the shorter side has become 255/224 of the larger side wanted."""
    side = max(height, width)
    crop_fraction = side / (side * 255 // 224)
    return Preprocessing((height, width), MEAN, STANDARD_DEVIATION, crop_fraction, True)


def evaluation_operations(preprocessing: Preprocessing) -> list:
    """Encoded image (uint8 bytes) to the float32 centre crop (3, height, width), normalised."""
    return [vision.Decode(to_pil=False), *preprocessing.operations()]


def create_dataset(
    dataset_path: str,
    do_train: bool,
    batch_size: int = 16,
    device_num: int = 1,
    rank: int = 0,
    image_size: int = 224,
    class_num: int = 1000,
    crop_scale: float = 0.08,
    drop_remainder: bool | None = None,
    num_parallel_workers: int = 8,
    tree: ImageTree | None = None,
    order: np.ndarray | None = None,
    preprocessing: Preprocessing | None = None,
    augment: Sequence = (),
) -> ds.Dataset:
    """Batches of `image`, float32 (N, 3, image_size, image_size), RGB in -1..1, and `label`, int32
    (N,).

    `dataset_path` holds one folder of images a class, at most `class_num`; labels are positions in
    the sorted names. `tree`, an ImageTree read already, takes its place, and `preprocessing` that
    of `evaluation_preprocessing`. Each of `device_num` devices reads its own part, that of `rank`.
    A last batch that is not full is dropped in training and kept in evaluation, unless
    `drop_remainder` says otherwise. With `order`, the images of these numbers are read in that
    order, instead of shuffled and shared. The same seed (mindspore.dataset.config.set_seed) and
    number of workers give the same batches, epoch by epoch. Raises UserError for another tree of
    folders, too many classes, and too few images for a batch.
    """
    if drop_remainder is None:
        drop_remainder = do_train
    # Images come in order of class: unshuffled, a dropped remainder would be all of the last.
    shuffle = do_train or drop_remainder
    tree = tree or training_tree(dataset_path, class_num)
    wanted = batch_size * device_num if drop_remainder else 1
    check_batch_size(tree.folder, len(tree.paths), wanted)
    workers = parallel_workers(num_parallel_workers)
    dataset = image_dataset(tree, shuffle, workers, rank, device_num, do_train, order)
    preprocessing = preprocessing or evaluation_preprocessing(image_size, image_size)
    operations = (
        training_operations(preprocessing, crop_scale, augment)
        if do_train
        else evaluation_operations(preprocessing)
    )
    dataset = dataset.map(operations, input_columns="image", num_parallel_workers=workers)
    return dataset.batch(batch_size, drop_remainder=drop_remainder, num_parallel_workers=workers)


def training_dataset(config: SimpleNamespace, rank: int = 0, ranks: int = 1) -> tuple:
    """The training images that `config` names: (this rank's batches, the class names in order)."""
    if not config.dataset_path:
        raise UserError("which images? --dataset_path FOLDER (--help lists all flags)")
    tree = training_tree(config.dataset_path, config.class_num)
    check_batch_size(tree.folder, len(tree.paths), config.batch_size * ranks)
    preprocessing = chosen_preprocessing(config)

    def create(order):
        return create_dataset(
            tree.folder,
            True,
            config.batch_size,
            image_size=config.image_size,
            crop_scale=config.crop_scale,
            num_parallel_workers=config.num_workers,
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
    if not config.eval_dataset_path:
        raise UserError("which images to evaluate on? --eval_dataset_path FOLDER")
    tree = evaluation_tree(
        config.eval_dataset_path, config.class_num, class_names, config.class_names
    )
    dataset = create_dataset(
        tree.folder,
        False,
        config.batch_size,
        device_num=ranks,
        rank=rank,
        image_size=config.image_size,
        drop_remainder=config.drop_remainder,
        num_parallel_workers=config.num_workers,
        tree=tree,
        preprocessing=preprocessing or chosen_preprocessing(config),
    )
    if config.drop_remainder:  # Then they are shuffled: no image can be named.
        return dataset, tree._replace(paths=[])
    return dataset, tree.share(rank, ranks)


def chosen_preprocessing(config: SimpleNamespace) -> Preprocessing:
    """What becomes of images, as `config` says."""
    return chosen(config, evaluation_preprocessing(config.image_size, config.image_size))


if __name__ == "__main__":
    run(
        doctor.main, FLAGS, lambda tree: create_dataset(tree.folder, False, batch_size=1, tree=tree)
    )
