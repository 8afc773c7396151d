"""MnasNet's preprocessing against OpenCV and Pillow, its augmentations one by one."""

import cv2
import mindspore as ms
import mindspore.dataset as ds
import numpy as np
import pytest
from mindspore.dataset import vision
from PIL import Image, ImageEnhance, ImageOps

from folders import import_from
from image_files import PHOTO

data = import_from("mnasnet", "src.dataset")


@pytest.fixture(name="folder", scope="module")
def crops(tmp_path_factory):
    """7 JPEG crops of a photograph, of different sizes, in three classes, and files that are no
    images.
    """
    root = tmp_path_factory.mktemp("imagenet")
    photo = Image.open(PHOTO)
    for index in range(7):
        path = root / f"n{index % 3:08d}" / f"crop_{index}.JPEG"
        path.parent.mkdir(exist_ok=True)
        photo.crop((20 * index, 30 * index, 20 * index + 260 - 10 * index, 30 * index + 300)).save(
            path, quality=90
        )
    (root / "n00000000/notes.txt").write_text("no image")
    (root / "README").write_text("no folder")
    return root


def batches(dataset):
    return list(dataset.create_tuple_iterator(num_epochs=1, output_numpy=True))


@pytest.mark.parametrize("size, shorter_side", [(224, 255), (64, 72)])
def test_evaluation_against_opencv(folder, size, shorter_side):
    images, labels = (
        np.concatenate(column)
        for column in zip(
            *batches(data.create_dataset(str(folder), False, batch_size=4, image_size=size))
        )
    )
    assert images.shape == (7, 3, size, size) and images.dtype == np.float32
    assert labels.dtype == np.int32 and labels.tolist() == [0, 0, 0, 1, 1, 2, 2]
    for path, got in zip(sorted(folder.glob("*/*.JPEG")), images):
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        height, width = image.shape[:2]
        scale = shorter_side / min(height, width)
        resized = cv2.resize(
            image, (max(int(width * scale), shorter_side), max(int(height * scale), shorter_side))
        )
        top, left = (resized.shape[0] - size) // 2, (resized.shape[1] - size) // 2
        expected = resized[top : top + size, left : left + size].astype(int)
        levels = got.transpose(1, 2, 0) * 127.5 + 127.5
        assert np.abs(levels - expected).max() <= 1.01, path
        assert -1 <= got.min() < got.max() <= 1


def test_training_batches_are_augmented_reproducible_and_sharded(folder):
    def draw(**options):
        ms.set_seed(1)
        return batches(
            data.create_dataset(
                str(folder), True, batch_size=2, image_size=32, num_parallel_workers=2, **options
            )
        )

    first, second = draw(), draw()
    assert len(first) == 3 and all(images.shape == (2, 3, 32, 32) for images, _ in first)
    for (images, labels), (again, same) in zip(first, second):
        np.testing.assert_array_equal(images, again)
        np.testing.assert_array_equal(labels, same)
    assert sum(len(labels) for _, labels in draw(drop_remainder=False)) == 7
    shards = [draw(device_num=2, rank=rank, drop_remainder=False) for rank in (0, 1)]
    assert [sum(len(labels) for _, labels in shard) for shard in shards] == [4, 4]


def test_evaluation_counts_every_image_unless_told_otherwise(folder):
    counts = [
        sum(
            len(labels)
            for _, labels in batches(
                data.create_dataset(
                    str(folder),
                    False,
                    batch_size=4,
                    image_size=32,
                    drop_remainder=drop,
                    num_parallel_workers=1000,
                )
            )
        )
        for drop in (None, True)
    ]
    assert counts == [7, 4]


def sheared(image, factor):
    """`image` sheared along x about its centre: each row moves by `factor` times its distance
    from it.
    """
    return image.transform(
        image.size, Image.AFFINE, (1, factor, -factor * image.height / 2, 0, 1, 0), Image.NEAREST
    )


def equalized(image):
    return np.stack([cv2.equalizeHist(channel) for channel in cv2.split(np.asarray(image))], axis=2)


# Operation, level, largest difference in levels on all but one in 100 pixels (borders and rounding
# of nearest neighbours), and the same by Pillow or OpenCV: every result that may come out.
OPERATIONS = [
    ("autocontrast", 0, 1, lambda image: [ImageOps.autocontrast(image)]),
    ("equalize", 0, 1, lambda image: [equalized(image)]),
    ("invert", 0, 0, lambda image: [ImageOps.invert(image)]),
    ("rotate", 8, 0, lambda image: [image.rotate(24), image.rotate(-24)]),
    ("rotate", 9, 0, lambda image: [image.rotate(27), image.rotate(-27)]),
    ("shear_x", 5, 0, lambda image: [sheared(image, 0.15), sheared(image, -0.15)]),
    ("posterize", 5, 0, lambda image: [ImageOps.posterize(image, 2)]),
    ("posterize", 8, 0, lambda image: [ImageOps.posterize(image, 1)]),
    ("solarize", 5, 0, lambda image: [ImageOps.solarize(image, 128)]),
    ("solarize", 8, 0, lambda image: [ImageOps.solarize(image, 52)]),
    ("color", 0, 2, lambda image: [ImageEnhance.Color(image).enhance(0.1)]),
    ("color", 8, 1, lambda image: [ImageEnhance.Color(image).enhance(1.54)]),
    ("contrast", 8, 1, lambda image: [ImageEnhance.Contrast(image).enhance(1.54)]),
    ("sharpness", 7, 1, lambda image: [ImageEnhance.Sharpness(image).enhance(1.36)]),
]


@pytest.mark.parametrize("name, level, tolerance, reference", OPERATIONS)
def test_augmentation_against_pillow_and_opencv(name, level, tolerance, reference):
    image = Image.open(PHOTO).crop((100, 50, 356, 274))
    expected = [np.asarray(result).astype(int) for result in reference(image)]
    ms.set_seed(1)
    images = ds.GeneratorDataset([np.asarray(image)] * 12, "image", shuffle=False)
    drawn = set()
    # as training applies it
    policy = vision.RandomSelectSubpolicy([[(data.OPERATIONS[name](level), 1.0)]])
    for (got,) in batches(images.map(policy)):
        off = [(np.abs(got.astype(int) - result).max(2) > tolerance).mean() for result in expected]
        assert min(off) < 0.01
        drawn.add(int(np.argmin(off)))
    assert drawn == set(range(len(expected)))


def test_policy_has_every_published_pair():
    text = """posterize8 .4 rotate9 .6; solarize5 .6 autocontrast .6; equalize .8 equalize .6;
    posterize7 .6
    posterize6 .6; equalize .4 solarize4 .2; equalize .4 rotate8 .8; solarize3 .6 equalize .6;
    posterize5 .8 equalize 1; rotate3 .2 solarize8 .6; equalize .6 posterize6 .4; rotate8 .8 color0
    .4; rotate9 .4 equalize .6; equalize 0 equalize .8; invert .6 equalize 1; color4 .6 contrast8 1;
    rotate8 .8 color2 1; color8 .8 solarize7 .8; sharpness7 .4 invert .6; shear_x5 .6 equalize 1;
    color0 .4 equalize .6; equalize .4 solarize4 .2; solarize5 .6 autocontrast .6; invert .6
    equalize 1; color4 .6 contrast8 1; equalize .8 equalize .6"""
    plain = {"equalize", "invert", "autocontrast"}
    written = [
        [
            (name if name in plain else f"{name}{level}", probability)
            for name, level, probability in pair
        ]
        for pair in data.POLICY
    ]
    words = [pair.split() for pair in text.split(";")]
    assert written == [[(a, float(p)), (b, float(q))] for a, p, b, q in words]
    assert (
        len(
            vision.RandomSelectSubpolicy(
                [[(data.OPERATIONS[n](v), p) for n, v, p in pair] for pair in data.POLICY]
            ).policy
        )
        == 25
    )
