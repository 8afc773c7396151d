"""ImageNet folders to batches: decode, crop, augment, normalise."""

import math
import os
import random

import mindspore as ms
import mindspore.dataset as ds
import mindspore.dataset.vision as vision
import numpy as np
from PIL import Image, ImageEnhance

from src.datasets.autoaug import RandAugment
from src.vendored.launch import parallel_workers
from src.vendored.records import IMAGE_SUFFIXES, check_batch_size, check_class_folders

MEAN = [0.485 * 255, 0.456 * 255, 0.406 * 255]  # RGB 0..255
STANDARD_DEVIATION = [0.229 * 255, 0.224 * 255, 0.225 * 255]
COLOR_JITTER = 0.4


class SampleSeeds:
    """A long list of distinct int64 (2,) rows, those of one `rank` different from all others'."""

    def __init__(self, rank):
        self.rank = rank

    def __len__(self):
        return 2**31 - 1

    def __getitem__(self, index):
        return np.array([self.rank, index], np.int64)


class TrainingTransform:
    """Random crop, flip, colour jitter and RandAugment: uint8 RGB (H, W, 3) to uint8 (crop_size,
    crop_size, 3).

    What is drawn depends on the sample's seed alone, not on the thread that works on it or on what
    it did before.
    """

    def __init__(self, crop_size):
        self.crop_size = crop_size
        self.rand_augment = RandAugment(2, 12, from_pil=True)

    def __call__(self, image, seed):
        generator = random.Random(seed.tobytes())
        image = random_crop(Image.fromarray(image), self.crop_size, generator)
        return self.rand_augment(color_jitter(image, generator), generator)


def random_crop(image, crop_size, generator):
    """A random part of `image`, mirrored with even chances, as (crop_size, crop_size), bilinear."""
    left, top, right, bottom = random_crop_box(image.width, image.height, generator)
    if generator.random() < 0.5:
        left, right = right, left  # mirrors while it resizes
    return image.transform(
        (crop_size, crop_size),
        Image.Transform.EXTENT,
        (left, top, right, bottom),
        Image.Resampling.BILINEAR,
    )


def random_crop_box(width, height, generator, area=(0.08, 1.0), ratio=(3 / 4, 4 / 3)):
    """(left, top, right, bottom) in an image of this size: a part `area` of it, with width/height
    in `ratio`.

    The centre, as large as the ratio allows, where ten draws do not fit
    (https://arxiv.org/abs/1409.4842, section 6).
    """
    for _ in range(10):
        wanted = generator.uniform(*area) * width * height
        aspect = math.exp(generator.uniform(math.log(ratio[0]), math.log(ratio[1])))
        crop_width, crop_height = (
            round(math.sqrt(wanted * aspect)),
            round(math.sqrt(wanted / aspect)),
        )
        if 0 < crop_width <= width and 0 < crop_height <= height:
            left, top = (
                generator.randint(0, width - crop_width),
                generator.randint(0, height - crop_height),
            )
            return left, top, left + crop_width, top + crop_height
    crop_width = max(1, min(width, round(height * ratio[1])))
    crop_height = max(1, min(height, round(width / ratio[0])))
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    return left, top, left + crop_width, top + crop_height


def color_jitter(image, generator):
    """`image` with brightness, contrast and saturation times factors of 0.6..1.4, in random
    order.
    """
    enhancers = [ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]
    generator.shuffle(enhancers)
    for enhancer in enhancers:
        image = enhancer(image).enhance(generator.uniform(1 - COLOR_JITTER, 1 + COLOR_JITTER))
    return image


def resize_side(crop_size):
    """Side to which evaluation resizes an image before the centre crop: 320 for the documented
    crop of 256.
    """
    return crop_size * 5 // 4


def evaluation_transform(img_size, crop_size):
    """Operations from uint8 RGB (H, W, 3) to the float32 centre crop (3, crop_size, crop_size),
    normalised.

    The image is first resized to (img_size, img_size), whatever its aspect.
    """
    return [
        vision.Resize((img_size, img_size), vision.Inter.BILINEAR),
        vision.CenterCrop(crop_size),
        *normalize(),
    ]


def normalize():
    """Operations from RGB 0..255 (H, W, 3) to float32 (3, H, W), zero mean and unit variance
    over ImageNet.
    """
    return [vision.Normalize(MEAN, STANDARD_DEVIATION, is_hwc=True), vision.HWC2CHW()]


def ImageNet(
    root,
    mode,
    img_size,
    crop_size,
    rank,
    group_size,
    epoch,
    batch_size,
    transform=None,  # noqa: N802
    target_transform=None,
    shuffle=None,
    sampler=None,
    class_indexing=None,
    drop_remainder=True,
    num_parallel_workers=None,
):
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
        shuffle: None shuffles, unless there is a sampler. sampler, class_indexing: see
        ImageFolderDataset.
        drop_remainder: whether to leave out a last batch that is not full.
        num_parallel_workers: threads; no more than the machine has cores, and that many if None.

    The seed (mindspore.set_seed, or 1) decides the order and the augmentation of every epoch,
    whatever the workers.
    """
    train = mode == "train"
    folder = os.path.join(root, "train" if train else "val")
    workers = parallel_workers(num_parallel_workers or os.cpu_count())
    ds.config.set_seed(1 if ms.get_seed() is None else ms.get_seed())
    source = {
        "dataset_dir": folder,
        "extensions": IMAGE_SUFFIXES,
        "class_indexing": class_indexing,
        "num_parallel_workers": workers,
    }
    if group_size > 1 and train and sampler is None:
        source.update(num_shards=group_size, shard_id=rank)
    elif group_size > 1 and sampler is None:
        images = ds.ImageFolderDataset(**source).get_dataset_size()
        check_batch_size(folder, images, group_size)
        own = list(range(rank, images, group_size))
        sampler, shuffle = (
            (ds.SubsetSampler if shuffle is False else ds.SubsetRandomSampler)(own),
            None,
        )
    dataset = ds.ImageFolderDataset(**source, shuffle=shuffle, sampler=sampler)
    dataset = dataset.map(vision.Decode(), "image", num_parallel_workers=workers)
    if train and transform is None:
        draws = ds.RandomSampler(replacement=True, num_samples=dataset.get_dataset_size())
        dataset = ds.zip((dataset, ds.GeneratorDataset(SampleSeeds(rank), ["seed"], sampler=draws)))
        dataset = dataset.map(
            TrainingTransform(crop_size), ["image", "seed"], ["image"], num_parallel_workers=workers
        ).project(["image", "label"])
        transform = normalize()
    dataset = dataset.map(
        transform or evaluation_transform(img_size, crop_size),
        "image",
        num_parallel_workers=workers,
    )
    if target_transform is not None:
        dataset = dataset.map(target_transform, "label", num_parallel_workers=workers)
    return dataset.batch(batch_size, drop_remainder=drop_remainder)


def create_dataset(config, mode, rank=0, group_size=1, drop_remainder=True):
    """The batches that `config` names, for `mode` 'train' or 'val'; see ImageNet.

    Evaluation keeps the order of the files, unless it drops a remainder: that should not always be
    the last class. Raises UserError where root/train or root/val is no tree of class folders that
    fits.
    """
    train = mode == "train"
    batch_size = config.batch_size if train else config.test_batch_size
    crop_size = config.crop_size if train else config.eval_crop_size
    classes = check_class_folders(
        os.path.join(config.root, "train" if train else "val"),
        config.num_classes,
        batch_size * group_size if drop_remainder else 1,
    )
    return ImageNet(
        config.root,
        mode,
        resize_side(crop_size),
        crop_size,
        rank,
        group_size,
        config.epochs,
        batch_size,
        shuffle=drop_remainder,
        class_indexing={name: index for index, name in enumerate(classes)},
        drop_remainder=drop_remainder,
        num_parallel_workers=config.num_workers,
    )
