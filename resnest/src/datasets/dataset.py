"""ImageNet folders to batches: decode, crop, augment, normalise.

python src/datasets/dataset.py --check /data/imagenet/val --against /data/imagenet/train
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the flags of --check come first.

from __future__ import annotations

if __name__ == "__main__":  # As a file it has its own folder, not the model's, to import from.
    import os
    import sys

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from src.vendored import doctor

if __name__ == "__main__":
    FLAGS = run(doctor.read_flags, __doc__)

import os
from types import SimpleNamespace

import mindspore as ms
import mindspore.dataset as ds
import mindspore.dataset.vision as vision
import numpy as np

from src.datasets.augment import SampleSeeds, TrainingTransform
from src.vendored.device import parallel_workers
from src.vendored.epochs import epochs_of
from src.vendored.image_options import chosen
from src.vendored.image_source import image_dataset
from src.vendored.images import (
    ImageTree,
    check_batch_size,
    evaluation_tree,
    read_image_tree,
    training_tree,
)
from src.vendored.preprocessing import Preprocessing

# RGB on the scale 0..255.
MEAN = [0.485 * 255, 0.456 * 255, 0.406 * 255]
STANDARD_DEVIATION = [0.229 * 255, 0.224 * 255, 0.225 * 255]


def resize_side(crop_size: int) -> int:
    """Side to which evaluation resizes an image before the centre crop: 320 for the documented
    crop of 256.
    """
    return crop_size * 5 // 4


def evaluation_preprocessing(height: int, width: int) -> Preprocessing:
    """Normalised RGB, cut out after each side has become 5/4 of what is wanted of it."""
    crop_fraction = height / resize_side(height)
    return Preprocessing((height, width), MEAN, STANDARD_DEVIATION, crop_fraction)


def evaluation_transform(preprocessing: Preprocessing) -> list:
    """Operations from uint8 RGB (H, W, 3) to the float32 centre crop (3, height, width),
    normalised.

    The image is first resized, whatever its aspect.
    """
    return preprocessing.operations()


def ImageNet(  # noqa: N802 - the documented name
    root: str,
    mode: str,
    img_size: int,
    crop_size: int,
    rank: int,
    group_size: int,
    epoch: int,
    batch_size: int,
    transform: list | None = None,
    target_transform: list | None = None,
    shuffle: bool | None = None,
    sampler: ds.Sampler | None = None,
    class_indexing: dict[str, int] | None = None,
    drop_remainder: bool = True,
    num_parallel_workers: int | None = None,
    tree: ImageTree | None = None,
    order: np.ndarray | None = None,
    preprocessing: Preprocessing | None = None,
) -> ds.Dataset:
    """Batches of image, float32 (N, 3, crop_size, crop_size), and label, int32 (N,).

    Args:
        root: holds train/<class>/<image> and val/<class>/<image>; labels are positions of sorted
            class folders.
        mode: 'train' reads train/ and augments; anything else reads val/.
        img_size: side to which evaluation resizes before its centre crop, see resize_side; training
            reads crop_size.
        rank, group_size: this device and how many there are. Training gives all the same number of
            images, repeating a few; evaluation gives every image to exactly one.
        epoch: accepted as documented; the data do not depend on it.
        transform, target_transform: operations that replace those on the decoded image and on the
            label.
        shuffle: None shuffles, unless there is a sampler, which chooses among all images.
        class_indexing: {class: label}, of the classes to read.
        drop_remainder: whether to leave out a last batch that is not full.
        num_parallel_workers: threads; no more than the machine has cores, and that many if None.
        tree: an ImageTree read already, which takes the place of root and class_indexing.
        preprocessing: what takes the place of that which img_size and crop_size give.
        order: numbers of images to read in that order, instead of shuffled and shared; then the
            pipeline's own seed (mindspore.dataset.config.set_seed) decides the augmentation.

    Else the seed (mindspore.set_seed, or 1) decides the order and the augmentation of every epoch,
    whatever the workers.
    """
    train = mode == "train"
    preprocessing = preprocessing or _squared(img_size, crop_size)
    if tree is None:
        tree = read_image_tree(os.path.join(root, "train" if train else "val"), list)
        tree = tree if class_indexing is None else relabelled(tree, class_indexing)
    workers = parallel_workers(num_parallel_workers or os.cpu_count())
    if order is None:
        ds.config.set_seed(1 if ms.get_seed() is None else ms.get_seed())
    shuffle = sampler is None if shuffle is None else shuffle
    if sampler is None:
        dataset = image_dataset(tree, shuffle, workers, rank, group_size, train, order)
    else:
        dataset = image_dataset(tree, False, workers)
        dataset.use_sampler(sampler)
    dataset = dataset.map(vision.Decode(to_pil=False), "image", num_parallel_workers=workers)
    if train and transform is None:
        draws = ds.RandomSampler(replacement=True, num_samples=dataset.get_dataset_size())
        dataset = ds.zip((dataset, ds.GeneratorDataset(SampleSeeds(rank), ["seed"], sampler=draws)))
        dataset = dataset.map(
            TrainingTransform(crop_size), ["image", "seed"], ["image"], num_parallel_workers=workers
        ).project(["image", "label"])
        transform = preprocessing.normalise()
    dataset = dataset.map(
        transform or evaluation_transform(preprocessing),
        "image",
        num_parallel_workers=workers,
    )
    if target_transform is not None:
        dataset = dataset.map(target_transform, "label", num_parallel_workers=workers)
    return dataset.batch(batch_size, drop_remainder=drop_remainder)


def _squared(img_size, crop_size):
    return Preprocessing((crop_size, crop_size), MEAN, STANDARD_DEVIATION, crop_size / img_size)


def relabelled(tree: ImageTree, class_indexing: dict) -> ImageTree:
    """The images of `tree` whose class has a label in `class_indexing`, with that label."""
    names = [tree.class_names[label] for label in tree.labels]
    kept = [index for index, name in enumerate(names) if name in class_indexing]
    labels = np.array([class_indexing[names[index]] for index in kept], np.int32)
    return tree._replace(paths=[tree.paths[index] for index in kept], labels=labels)


def training_dataset(config: SimpleNamespace, rank: int = 0, ranks: int = 1) -> tuple:
    """The training images that `config` names: (this rank's batches, the class names in order)."""
    tree = training_tree(config.root, config.num_classes)
    check_batch_size(tree.folder, len(tree.paths), config.batch_size * ranks)

    def create(order):
        return ImageNet(
            config.root,
            "train",
            resize_side(config.crop_size),
            config.crop_size,
            rank,
            ranks,
            config.epochs,
            config.batch_size,
            num_parallel_workers=config.num_workers,
            tree=tree,
            order=order,
            preprocessing=chosen_preprocessing(config, config.crop_size),
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
    tree = evaluation_tree(config.eval_root, config.num_classes, class_names, config.class_names)
    wanted = config.test_batch_size * ranks if config.drop_remainder else 1
    check_batch_size(tree.folder, len(tree.paths), wanted)
    dataset = ImageNet(
        config.eval_root,
        "val",
        resize_side(config.eval_crop_size),
        config.eval_crop_size,
        rank,
        ranks,
        1,
        config.test_batch_size,
        preprocessing=preprocessing or chosen_preprocessing(config, config.eval_crop_size),
        # Images come in order of class: unshuffled, a dropped remainder would be all of the last.
        shuffle=config.drop_remainder,
        drop_remainder=config.drop_remainder,
        num_parallel_workers=config.num_workers,
        tree=tree,
    )
    if config.drop_remainder:  # Then they are shuffled: no image can be named.
        return dataset, tree._replace(paths=[])
    return dataset, tree.share(rank, ranks)


def chosen_preprocessing(config: SimpleNamespace, side: int) -> Preprocessing:
    """What becomes of images, as `config` says, of `side` pixels a side in the end."""
    return chosen(config, evaluation_preprocessing(side, side))


if __name__ == "__main__":
    run(
        doctor.main,
        FLAGS,
        lambda tree: ImageNet(
            tree.folder, "val", resize_side(256), 256, 0, 1, 1, 1, shuffle=False, tree=tree
        ),
    )
