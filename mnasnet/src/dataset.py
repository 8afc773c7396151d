"""ImageNet-style folders to batches: decode, augment, normalise."""

import math

import mindspore.dataset as ds
import mindspore.dataset.transforms as transforms
import mindspore.dataset.vision as vision

from src.vendored.launch import parallel_workers
from src.vendored.records import IMAGE_SUFFIXES, check_class_folders

MEAN = STANDARD_DEVIATION = [127.5, 127.5, 127.5]  # RGB 0..255 to -1..1


def either_sign(operation, degrees):
    """`operation` by plus or minus `degrees`, with even chances."""
    return transforms.RandomChoice([operation(degrees), operation(-degrees)])


def shear_x(degrees):
    """Shear along x, about the centre, so that vertical lines lean by `degrees`."""
    return vision.Affine(degrees=0, translate=(0, 0), scale=1.0, shear=(degrees, 0))


def enhancement_factor(level):
    """Blending factor of color, contrast and sharpness: 1 leaves the image as it is."""
    return 0.1 + 0.18 * level


# Augmentations of uint8 RGB images (H, W, 3), each by its level, 0 to 10. The values are
# AutoAugment's (https://arxiv.org/abs/1805.09501, table 6), but for posterize, which keeps 1 to 4
# bits. A shear of 0.03 level is in pixels per pixel; solarize inverts every value from its
# threshold up.
OPERATIONS = {
    "autocontrast": lambda level: vision.AutoContrast(),
    "equalize": lambda level: vision.Equalize(),
    "invert": lambda level: vision.Invert(),
    "rotate": lambda level: either_sign(vision.Rotate, int(3 * level)),
    "shear_x": lambda level: either_sign(shear_x, math.degrees(math.atan(0.03 * level))),
    "posterize": lambda level: vision.Posterize(4 - int(0.4 * level)),
    "solarize": lambda level: vision.Solarize((256 - int(25.6 * level), 255)),
    "color": lambda level: vision.AdjustSaturation(enhancement_factor(level)),
    "contrast": lambda level: vision.AdjustContrast(enhancement_factor(level)),
    "sharpness": lambda level: vision.AdjustSharpness(enhancement_factor(level)),
}

# Pairs of (operation, level, probability); one pair is drawn for each image. Level 0 stands where
# there is no strength.
POLICY = (
    (("posterize", 8, 0.4), ("rotate", 9, 0.6)),
    (("solarize", 5, 0.6), ("autocontrast", 0, 0.6)),
    (("equalize", 0, 0.8), ("equalize", 0, 0.6)),
    (("posterize", 7, 0.6), ("posterize", 6, 0.6)),
    (("equalize", 0, 0.4), ("solarize", 4, 0.2)),
    (("equalize", 0, 0.4), ("rotate", 8, 0.8)),
    (("solarize", 3, 0.6), ("equalize", 0, 0.6)),
    (("posterize", 5, 0.8), ("equalize", 0, 1.0)),
    (("rotate", 3, 0.2), ("solarize", 8, 0.6)),
    (("equalize", 0, 0.6), ("posterize", 6, 0.4)),
    (("rotate", 8, 0.8), ("color", 0, 0.4)),
    (("rotate", 9, 0.4), ("equalize", 0, 0.6)),
    (("equalize", 0, 0.0), ("equalize", 0, 0.8)),
    (("invert", 0, 0.6), ("equalize", 0, 1.0)),
    (("color", 4, 0.6), ("contrast", 8, 1.0)),
    (("rotate", 8, 0.8), ("color", 2, 1.0)),
    (("color", 8, 0.8), ("solarize", 7, 0.8)),
    (("sharpness", 7, 0.4), ("invert", 0, 0.6)),
    (("shear_x", 5, 0.6), ("equalize", 0, 1.0)),
    (("color", 0, 0.4), ("equalize", 0, 0.6)),
    (("equalize", 0, 0.4), ("solarize", 4, 0.2)),
    (("solarize", 5, 0.6), ("autocontrast", 0, 0.6)),
    (("invert", 0, 0.6), ("equalize", 0, 1.0)),
    (("color", 4, 0.6), ("contrast", 8, 1.0)),
    (("equalize", 0, 0.8), ("equalize", 0, 0.6)),
)


def training_operations(image_size, crop_scale=0.08):
    """Encoded image (uint8 bytes) to augmented float32 (3, image_size, image_size), RGB in -1..1.

    A crop takes a share from `crop_scale` to 1 of the image.
    """
    policy = [
        [(OPERATIONS[name](level), probability) for name, level, probability in pair]
        for pair in POLICY
    ]
    return [
        vision.RandomCropDecodeResize(
            image_size,
            scale=(crop_scale, 1.0),
            ratio=(3 / 4, 4 / 3),
            interpolation=vision.Inter.BILINEAR,
            max_attempts=10,
        ),
        vision.RandomHorizontalFlip(prob=0.5),
        vision.RandomSelectSubpolicy(policy),
        vision.Normalize(mean=MEAN, std=STANDARD_DEVIATION, is_hwc=True),
        vision.HWC2CHW(),
    ]


def evaluation_operations(image_size):
    """Encoded image (uint8 bytes) to the float32 centre crop (3, image_size, image_size), RGB in
    -1..1.

    The shorter side is first resized to 255/224 of the crop.
    """
    return [
        vision.Decode(to_pil=False),
        vision.Resize(image_size * 255 // 224, interpolation=vision.Inter.BILINEAR),
        vision.CenterCrop(image_size),
        vision.Normalize(mean=MEAN, std=STANDARD_DEVIATION, is_hwc=True),
        vision.HWC2CHW(),
    ]


def create_dataset(
    dataset_path,
    do_train,
    batch_size=16,
    device_num=1,
    rank=0,
    image_size=224,
    class_num=1000,
    crop_scale=0.08,
    drop_remainder=None,
    num_parallel_workers=8,
):
    """Batches of `image`, float32 (N, 3, image_size, image_size), RGB in -1..1, and `label`, int32
    (N,).

    `dataset_path` holds one folder of images a class, at most `class_num`; labels are the positions
    of the folders' names in sorted order. Each of `device_num` devices reads its own part, that of
    `rank`. A last batch that is not full is dropped in training and kept in evaluation, unless
    `drop_remainder` says otherwise. The same seed (mindspore.set_seed) and number of workers give
    the same batches, epoch by epoch. Raises UserError for another tree of folders, too many
    classes, and too few images for a batch.
    """
    if drop_remainder is None:
        drop_remainder = do_train
    classes = check_class_folders(
        dataset_path, class_num, batch_size * device_num if drop_remainder else 1
    )
    # Folders are read in order of class: without shuffling, a dropped remainder would be all of the
    # last classes.
    shuffle = do_train or drop_remainder
    workers = parallel_workers(num_parallel_workers)
    shard = {"num_shards": device_num, "shard_id": rank} if device_num > 1 else {}
    dataset = ds.ImageFolderDataset(
        dataset_path,
        extensions=IMAGE_SUFFIXES,
        shuffle=shuffle,
        class_indexing={name: index for index, name in enumerate(classes)},
        num_parallel_workers=workers,
        **shard,
    )
    operations = (
        training_operations(image_size, crop_scale)
        if do_train
        else evaluation_operations(image_size)
    )
    dataset = dataset.map(operations, input_columns="image", num_parallel_workers=workers)
    return dataset.batch(batch_size, drop_remainder=drop_remainder, num_parallel_workers=workers)


def evaluation_dataset(config, dataset_path):
    """The images at `dataset_path` as `config` says: every one counts, unless drop_remainder."""
    return create_dataset(
        dataset_path,
        False,
        config.batch_size,
        image_size=config.image_size,
        class_num=config.class_num,
        drop_remainder=config.drop_remainder,
        num_parallel_workers=config.num_workers,
    )
