"""MobileNetV1's data pipelines against an independent computation, and its CIFAR-10 reader."""

import cv2
import numpy as np
import pytest
from PIL import Image

from entry_points import assert_one_line, call
from folders import import_from

MEAN, STD = np.array([0.485, 0.456, 0.406]) * 255, np.array([0.229, 0.224, 0.225]) * 255
CIFAR_MEAN, CIFAR_STD = np.array([0.4914, 0.4822, 0.4465]), np.array([0.2023, 0.1994, 0.2010])


def smooth_image(height, width, seed):
    """A photo-like uint8 image: neighbouring pixels are near, as a JPEG file keeps them."""
    noise = np.random.RandomState(seed).randint(
        0, 256, (height // 16 + 2, width // 16 + 2, 3), np.uint8
    )
    return np.asarray(Image.fromarray(noise).resize((width, height), Image.BICUBIC))


@pytest.fixture
def image_tree(tmp_path):
    for index, size in enumerate([(300, 400), (400, 300), (224, 224), (100, 260), (513, 511)]):
        folder = tmp_path / "photos" / f"class {index % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(smooth_image(*size, seed=index)).save(folder / f"{index}.JPEG", quality=95)
    return tmp_path / "photos"


def write_records(path, count, seed=0, classes=10):
    random = np.random.RandomState(seed)
    records = random.randint(0, 256, (count, 3073)).astype(np.uint8)
    records[:, 0] = np.arange(count) % classes
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(records.tobytes())
    return records


def expected_centre(path, size):
    """Decode, resize the shorter side to size * 256 / 224, crop the centre: OpenCV alone, levels
    0 to 255.
    """
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    short = size * 256 // 224
    height, width = image.shape[:2]
    scaled = (
        (short, int(height * short / width))
        if width < height
        else (int(width * short / height), short)
    )
    image = cv2.resize(image, scaled, interpolation=cv2.INTER_LINEAR)
    top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
    return image[top : top + size, left : left + size].astype(np.float64)


@pytest.mark.parametrize("size", [224, 96])
def test_imagenet_evaluation_pixels(image_tree, size):
    dataset = import_from("mobilenetv1", "src.dataset").create_dataset2(
        str(image_tree), False, batch_size=1, image_size=(size, size), drop_remainder=False
    )
    paths = sorted(image_tree.glob("*/*.JPEG"))
    batches = list(dataset.create_tuple_iterator(num_epochs=1, output_numpy=True))
    assert len(batches) == len(paths)
    for (images, labels), path in zip(batches, paths):
        assert images.shape == (1, 3, size, size) and images.dtype == np.float32
        assert labels[0] == int(path.parent.name[-1]) and labels.dtype == np.int32
        levels = images[0].transpose(1, 2, 0) * STD + MEAN
        assert np.abs(levels - expected_centre(path, size)).max() <= 1.01


def test_imagenet_training_crops_differ_by_epoch_and_repeat_by_seed(image_tree):
    import mindspore.dataset as ds

    create = import_from("mobilenetv1", "src.dataset").create_dataset2

    def epochs():
        ds.config.set_seed(1)
        iterator = create(
            str(image_tree), True, batch_size=2, image_size=(64, 64)
        ).create_tuple_iterator(num_epochs=2, output_numpy=True)
        return [np.concatenate([images for images, _ in iterator]) for _ in range(2)]

    first, second = epochs(), epochs()
    assert first[0].shape == (4, 3, 64, 64)  # The fifth photo fills no batch.
    assert not np.array_equal(first[0], first[1])
    np.testing.assert_array_equal(first, second)


def test_cifar_evaluation_pixels(tmp_path):
    records = np.concatenate(
        [write_records(tmp_path / f"{seed}.bin", 2 + seed, seed) for seed in (1, 2)]
    )
    dataset = import_from("mobilenetv1", "src.dataset").create_dataset1(
        str(tmp_path), False, batch_size=2, image_size=(48, 64), drop_remainder=False
    )
    batches = list(dataset.create_tuple_iterator(num_epochs=1, output_numpy=True))
    images, labels = (np.concatenate(column) for column in zip(*batches))
    np.testing.assert_array_equal(labels, records[:, 0])
    for image, record in zip(images, records):
        pixels = record[1:].reshape(3, 32, 32).transpose(1, 2, 0)
        levels = cv2.resize(pixels, (64, 48), interpolation=cv2.INTER_LINEAR).astype(np.float64)
        got = (image.transpose(1, 2, 0) * CIFAR_STD + CIFAR_MEAN) * 255
        assert np.abs(got - levels).max() <= 1.01


def test_cifar_training_shifts_by_at_most_four(tmp_path):
    records = write_records(tmp_path / "a.bin", 1)
    padded = np.pad(records[0, 1:].reshape(3, 32, 32), ((0, 0), (4, 4), (4, 4)))
    views = {
        padded[:, top : top + 32, left : left + 32][:, :, ::flip].tobytes()
        for top in range(9)
        for left in range(9)
        for flip in (1, -1)
    }
    dataset = import_from("mobilenetv1", "src.dataset").create_dataset1(
        str(tmp_path), True, batch_size=1, image_size=(32, 32)
    )
    seen = set()
    iterator = dataset.create_tuple_iterator(num_epochs=20, output_numpy=True)
    for _ in range(20):
        for images, _ in iterator:
            pixels = (images[0].transpose(1, 2, 0) * CIFAR_STD + CIFAR_MEAN) * 255
            seen.add(np.rint(pixels).astype(np.uint8).transpose(2, 0, 1).tobytes())
    assert len(seen) > 5 and seen <= views


def test_shards_cover_the_data_once(tmp_path):
    write_records(tmp_path / "a.bin", 10)
    create = import_from("mobilenetv1", "src.dataset").create_dataset1
    labels = [
        label
        for rank in range(2)
        for _, batch in create(
            str(tmp_path), True, device_num=2, batch_size=5, rank=rank
        ).create_tuple_iterator(output_numpy=True)
        for label in batch
    ]
    assert sorted(labels) == list(range(10))


@pytest.mark.parametrize(
    "size, word", [(0, "0 bytes"), (3072, "3072 bytes"), (3073 * 2 + 1, "6147 bytes")]
)
def test_cifar_file_of_another_size_is_named(tmp_path, size, word):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "odd one.bin").write_bytes(bytes(size))
    code, _, err = call(
        "mobilenetv1",
        "eval.py",
        "--device_target",
        "CPU",
        "--dataset_path",
        tmp_path / "data",
        "--checkpoint_path",
        "x.ckpt",
        cwd=tmp_path,
    )
    assert_one_line(code, err, "x.ckpt")  # The checkpoint is looked at first.
    with pytest.raises(
        import_from("mobilenetv1", "src.vendored.launch").UserError, match=f"odd one.bin: {word}"
    ):
        import_from("mobilenetv1", "src.dataset").create_dataset1(str(tmp_path / "data"), False)
