"""CIFAR-10 binary files and ImageNet folders to batches: image float32 (N, 3, H, W), label int32
(N,).
"""

from pathlib import Path

import mindspore.dataset as ds
import numpy as np
from mindspore import dtype as mstype
from mindspore.dataset import transforms, vision

from src.vendored.launch import UserError, parallel_workers
from src.vendored.records import IMAGE_SUFFIXES, check_batch_size, check_class_folders

CIFAR_MEAN, CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
IMAGENET_MEAN = tuple(255 * value for value in (0.485, 0.456, 0.406))
IMAGENET_STD = tuple(255 * value for value in (0.229, 0.224, 0.225))
CIFAR_RECORD = 1 + 3 * 32 * 32  # a label byte, then the red, green and blue planes


class CifarBinary:
    """The records of all `*.bin` files of a folder, mapped from disk: image uint8 (32, 32, 3),
    label int32 ().

    MindSpore's Cifar10Dataset takes files of exactly 10,000 records; this one takes any whole
    number.
    """

    def __init__(self, folder, class_num):
        paths = sorted(Path(folder).glob("*.bin")) if Path(folder).is_dir() else []
        if not paths:
            raise UserError(
                f"{folder}: expected CIFAR-10 binary files (*.bin, {CIFAR_RECORD} bytes a record)"
                " in it"
            )
        for path in paths:
            size = path.stat().st_size
            if size == 0 or size % CIFAR_RECORD:
                raise UserError(
                    f"{path}: {size} bytes are no whole number of {CIFAR_RECORD}-byte CIFAR-10"
                    " records"
                )
        files = [np.memmap(path, np.uint8, "r").reshape(-1, CIFAR_RECORD) for path in paths]
        for path, records in zip(paths, files):
            if records[:, 0].max() >= class_num:
                raise UserError(
                    f"{path}: label {records[:, 0].max()} is over the network's {class_num} classes"
                )
        self.files = files
        self.ends = np.cumsum([len(records) for records in files])

    def __len__(self):
        return int(self.ends[-1])

    def __getitem__(self, index):
        file = int(np.searchsorted(self.ends, index, side="right"))
        record = self.files[file][index - self.ends[file]]
        image = np.ascontiguousarray(record[1:].reshape(3, 32, 32).transpose(1, 2, 0))
        return image, np.array(record[0], np.int32)


def create_dataset1(
    dataset_path,
    do_train,
    device_num=1,
    batch_size=32,
    target="Ascend",
    rank=0,
    image_size=(224, 224),
    class_num=10,
    drop_remainder=True,
    workers=8,
    flip=0.5,
):
    """CIFAR-10: batches of the binary files in `dataset_path`, augmented if `do_train`.

    Images are shuffled where the last, smaller batch is dropped: else it would always be the same
    ones. `rank` of `device_num` gets its share; `image_size` is (height, width) after resizing;
    `flip` the probability that a training image is mirrored; `target` is accepted as documented and
    changes nothing. Raises UserError for a folder or file that does not fit.
    """
    source = CifarBinary(dataset_path, class_num)
    check_batch_size(dataset_path, len(source) // device_num, batch_size if drop_remainder else 1)
    data = ds.GeneratorDataset(
        source,
        ["image", "label"],
        shuffle=drop_remainder,
        python_multiprocessing=False,
        num_parallel_workers=1,
        **_shard(device_num, rank),
    )
    augment = (
        [vision.RandomCrop((32, 32), (4, 4, 4, 4)), vision.RandomHorizontalFlip(prob=flip)]
        if do_train
        else []
    )
    data = data.map(
        [
            *augment,
            vision.Resize(image_size),
            vision.Rescale(1.0 / 255.0, 0.0),
            vision.Normalize(CIFAR_MEAN, CIFAR_STD),
            vision.HWC2CHW(),
        ],
        "image",
        num_parallel_workers=parallel_workers(workers),
    )
    return data.batch(batch_size, drop_remainder=drop_remainder)


def create_dataset2(
    dataset_path,
    do_train,
    device_num=1,
    batch_size=32,
    target="Ascend",
    rank=0,
    image_size=(224, 224),
    class_num=1001,
    drop_remainder=True,
    workers=8,
    flip=0.5,
):
    """ImageNet: batches of the images in `dataset_path`/<class>/, augmented if `do_train`.

    Evaluation resizes the shorter side to 256/224 of the (square) image size and crops the centre.
    Other arguments and errors as in `create_dataset1`.
    """
    if image_size[0] != image_size[1]:
        raise UserError(
            f"imagenet2012 wants square images, got height {image_size[0]} and width"
            f" {image_size[1]}"
        )
    classes = check_class_folders(
        dataset_path, class_num, batch_size * device_num if drop_remainder else 1
    )
    size = image_size[0]
    data = ds.ImageFolderDataset(
        dataset_path,
        shuffle=drop_remainder,
        extensions=IMAGE_SUFFIXES,
        class_indexing={name: index for index, name in enumerate(classes)},
        num_parallel_workers=parallel_workers(workers),
        **_shard(device_num, rank),
    )
    if do_train:
        decode = [
            vision.RandomCropDecodeResize(size, scale=(0.08, 1.0), ratio=(0.75, 1.333)),
            vision.RandomHorizontalFlip(prob=flip),
        ]
    else:
        decode = [vision.Decode(), vision.Resize(size * 256 // 224), vision.CenterCrop(size)]
    data = data.map(
        [*decode, vision.Normalize(IMAGENET_MEAN, IMAGENET_STD), vision.HWC2CHW()],
        "image",
        num_parallel_workers=parallel_workers(workers),
    )
    data = data.map(transforms.TypeCast(mstype.int32), "label")
    return data.batch(batch_size, drop_remainder=drop_remainder)


def _shard(device_num, rank):
    return {"num_shards": device_num, "shard_id": rank} if device_num > 1 else {}


def create_dataset(config, dataset_path, do_train, device_num=1, rank=0):
    """The data set that `config` names, from `dataset_path`; every image counts in evaluation
    unless drop_remainder.
    """
    create = create_dataset1 if config.dataset == "cifar10" else create_dataset2
    return create(
        dataset_path,
        do_train,
        device_num,
        config.batch_size,
        config.device_target,
        rank,
        (config.height, config.width),
        config.class_num,
        do_train or config.drop_remainder,
        config.num_workers,
        config.flip_probability,
    )


def split_path(config, split):
    """The folder of `split` ('train' or 'validation_preprocess') for ImageNet, which is given as
    the one above.

    A CIFAR-10 folder is the split itself. `val` serves where there is no validation_preprocess.
    """
    if config.dataset == "cifar10":
        return config.dataset_path
    path = Path(config.dataset_path, split)
    return str(path if path.is_dir() or split == "train" else path.with_name("val"))
