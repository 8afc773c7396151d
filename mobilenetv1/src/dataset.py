"""CIFAR-10 binary files and ImageNet folders to batches: image float32 (N, 3, H, W), label int32
(N,).

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
from functools import partial
from types import SimpleNamespace

import mindspore.dataset as ds
import numpy as np

from src.cifar import (
    CLASS_NAMES,
    CifarRecords,
    check_batches,
    has_batches,
    note_identical_records,
    read_records,
)
from src.transforms import cifar_operations, evaluation_preprocessing, imagenet_operations
from src.vendored.device import parallel_workers
from src.vendored.epochs import epochs_of
from src.vendored.identical import note_identical
from src.vendored.image_options import chosen
from src.vendored.image_source import image_dataset
from src.vendored.images import (
    ImageTree,
    check_batch_size,
    evaluation_tree,
    training_tree,
)
from src.vendored.preprocessing import Preprocessing
from src.vendored.rand_augment import rand_augment


def create_dataset1(
    dataset_path: str,
    do_train: bool,
    device_num: int = 1,
    batch_size: int = 32,
    target: str = "Ascend",
    rank: int = 0,
    image_size: tuple[int, int] = (224, 224),
    class_num: int = 10,
    drop_remainder: bool = True,
    workers: int = 8,
    flip: float = 0.5,
    augment: Sequence = (),
    records: CifarRecords | None = None,
    order: np.ndarray | None = None,
    preprocessing: Preprocessing | None = None,
) -> ds.Dataset:
    """CIFAR-10: batches of the binary files in `dataset_path`, or in the split below it, augmented
    if `do_train`.

    Images are shuffled where the last, smaller batch is dropped: else it would always be the same
    ones. `rank` of `device_num` gets its share, of the same size as others' in training;
    `image_size` is (height, width) after resizing; `flip` the probability that a training image is
    mirrored; `records`, the share's CifarRecords read already, take the place of `dataset_path`,
    and `preprocessing` that of `evaluation_preprocessing`; with `order`, the records of these
    numbers are read in that order, instead of shuffled and shared; `target` is accepted as
    documented and changes nothing. Raises UserError for a folder or file that does not fit.
    """
    if records is None:
        share = (0, 1) if do_train else (rank, device_num)
        records = read_records(dataset_path, do_train, class_num, *share)
    shared = device_num if do_train and order is None else 1
    check_batch_size(dataset_path, len(records) // shared, batch_size if drop_remainder else 1)
    which = {"shuffle": drop_remainder}
    if order is not None:
        which = {"sampler": ds.SubsetSampler(order.tolist())}
    elif shared > 1:
        which |= {"num_shards": shared, "shard_id": rank}
    data = ds.GeneratorDataset(
        records, ["image", "label"], python_multiprocessing=False, num_parallel_workers=1, **which
    )
    preprocessing = preprocessing or evaluation_preprocessing("cifar10", *image_size)
    data = data.map(
        cifar_operations(do_train, preprocessing, flip, augment),
        "image",
        num_parallel_workers=parallel_workers(workers),
    )
    return data.batch(batch_size, drop_remainder=drop_remainder)


def create_dataset2(
    dataset_path: str,
    do_train: bool,
    device_num: int = 1,
    batch_size: int = 32,
    target: str = "Ascend",
    rank: int = 0,
    image_size: tuple[int, int] = (224, 224),
    class_num: int = 1001,
    drop_remainder: bool = True,
    workers: int = 8,
    flip: float = 0.5,
    augment: Sequence = (),
    tree: ImageTree | None = None,
    order: np.ndarray | None = None,
    preprocessing: Preprocessing | None = None,
) -> ds.Dataset:
    """ImageNet: batches of the images in `dataset_path`/<class>/, augmented if `do_train`.

    `tree`, an ImageTree read already, takes the place of `dataset_path`. Labels are 0 to 999 with
    the documented `class_num` of 1001 too: output 1000 is never a target. Other arguments and
    errors as in `create_dataset1`.
    """
    if image_size[0] != image_size[1]:
        raise UserError(
            f"imagenet2012 wants square images, got height {image_size[0]} and width"
            f" {image_size[1]}"
        )
    tree = tree or training_tree(dataset_path, class_num)
    check_batch_size(tree.folder, len(tree.paths), batch_size * device_num if drop_remainder else 1)
    workers = parallel_workers(workers)
    data = image_dataset(tree, drop_remainder, workers, rank, device_num, do_train, order)
    preprocessing = preprocessing or evaluation_preprocessing("imagenet2012", *image_size)
    data = data.map(
        imagenet_operations(do_train, preprocessing, flip, augment),
        "image",
        num_parallel_workers=workers,
    )
    return data.batch(batch_size, drop_remainder=drop_remainder)


def training_dataset(
    config: SimpleNamespace, rank: int = 0, ranks: int = 1
) -> tuple[ds.Dataset, list[str] | None]:
    """The training images that `config` names: (this rank's batches, the class names in order).

    The names are None where nothing says them: CIFAR-10's files with another number of classes.
    """
    options = _options(config, 0, 1, drop_remainder=True)
    options |= {"flip": config.flip_probability, "preprocessing": chosen_preprocessing(config)}
    options["augment"] = rand_augment(config)
    if config.dataset == "cifar10":
        folder, names = config.dataset_path, list(CLASS_NAMES)
        names = names if config.class_num == len(names) else None
        records = read_records(folder, True, config.class_num)
        images, create = len(records), partial(create_dataset1, folder, True, records=records)
    else:
        tree = training_tree(config.dataset_path, config.class_num)
        folder, names = tree.folder, tree.class_names
        images, create = len(tree.paths), partial(create_dataset2, folder, True, tree=tree)
    check_batch_size(folder, images, config.batch_size * ranks)
    dataset = epochs_of(
        lambda order: create(order=order, **options),
        images,
        config.batch_size,
        config.seed,
        rank,
        ranks,
    )
    return dataset, names


def evaluation_dataset(
    config: SimpleNamespace,
    class_names: list[str] | None = None,
    rank: int = 0,
    ranks: int = 1,
    preprocessing: Preprocessing | None = None,
) -> tuple[ds.Dataset, ImageTree]:
    """The evaluation images that `config` names: (this rank's batches, its ImageTree in order).

    Every image counts, on exactly one rank, unless drop_remainder. `class_names` are the network's,
    None where they are not known, and so is `preprocessing`; the labels in CIFAR-10's files need no
    names.
    """
    path = config.eval_dataset_path or config.dataset_path
    options = _options(config, rank, ranks, config.drop_remainder)
    options["preprocessing"] = preprocessing or chosen_preprocessing(config)
    if config.dataset == "cifar10":
        records = read_records(path, False, config.class_num, rank, ranks)
        dataset = create_dataset1(path, False, records=records, **options)
        tree = records.as_tree(path, class_names or CLASS_NAMES)
    else:
        whole = evaluation_tree(path, config.class_num, class_names, config.class_names)
        dataset = create_dataset2(whole.folder, False, tree=whole, **options)
        tree = whole.share(rank, ranks)
    # Shuffled, where a remainder is dropped, no image can be named.
    return dataset, tree._replace(paths=[]) if config.drop_remainder else tree


def note_identical_images(config: SimpleNamespace) -> int:
    """Print how many images of run_eval are training images too, if any; returns their number."""
    note = note_identical_records if config.dataset == "cifar10" else note_identical
    return note(config.dataset_path, config.eval_dataset_path)


def chosen_preprocessing(config: SimpleNamespace) -> Preprocessing:
    """What becomes of images, as `config` says."""
    return chosen(config, evaluation_preprocessing(config.dataset, config.height, config.width))


def _options(config, rank, ranks, drop_remainder):
    return {
        "device_num": ranks,
        "batch_size": config.batch_size,
        "rank": rank,
        "image_size": (config.height, config.width),
        "class_num": config.class_num,
        "drop_remainder": drop_remainder,
        "workers": config.num_workers,
    }


def check(flags: dict) -> None:
    """The data doctor, of CIFAR-10's files where `flags` name such, else of a tree of images."""
    options = {"batch_size": 1, "drop_remainder": False}
    if has_batches(flags["check"]) or has_batches(flags["against"]):
        check_batches(
            flags["check"],
            flags["against"],
            lambda records, few: create_dataset1(
                flags["check"], False, records=records, order=few, **options
            ),
        )
    else:
        doctor.main(flags, lambda tree: create_dataset2(tree.folder, False, tree=tree, **options))


if __name__ == "__main__":
    run(check, FLAGS)
