"""ResNeSt's preprocessing against OpenCV, its order against itself."""

import shutil
from types import SimpleNamespace

import cv2
import mindspore as ms
import numpy as np
import pytest
from PIL import Image

from folders import import_from
from image_files import PHOTO

data = import_from("resnest", "src.datasets.dataset")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """train/ and val/ with 7 JPEG crops of a photograph, of different sizes, in three classes."""
    root = tmp_path_factory.mktemp("imagenet")
    photo = Image.open(PHOTO)
    for split in ("train", "val"):
        for index in range(7):
            path = root / split / f"n{index % 3:08d}" / f"{split}_{index}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            photo.crop(
                (20 * index, 30 * index, 20 * index + 260 - 10 * index, 30 * index + 300)
            ).save(path, quality=90)
    return root


def batches(dataset, epochs=1):
    iterator = dataset.create_tuple_iterator(num_epochs=epochs, output_numpy=True)
    return [tuple(batch) for _ in range(epochs) for batch in iterator]


def imagenet(root, mode, batch_size=4, rank=0, group_size=1, size=64, **options):
    return data.ImageNet(
        str(root), mode, data.resize_side(size), size, rank, group_size, 1, batch_size, **options
    )


def test_evaluation_against_opencv(folder):
    images, labels = zip(*batches(imagenet(folder, "val", 1, size=256, shuffle=False)))
    paths = sorted((folder / "val").glob("*/*.JPEG"))
    mean, deviation = np.array([0.485, 0.456, 0.406]) * 255, np.array([0.229, 0.224, 0.225]) * 255
    assert len(images) == len(paths) == 7
    for path, image, label in zip(paths, images, labels):
        decoded = np.asarray(Image.open(path).convert("RGB"))
        expected = cv2.resize(decoded, (320, 320), interpolation=cv2.INTER_LINEAR)[32:288, 32:288]
        got = image[0].transpose(1, 2, 0) * deviation + mean
        assert image.shape == (1, 3, 256, 256) and image.dtype == np.float32
        assert np.abs(got - expected).max() <= 1.01
        assert label.dtype == np.int32 and label.tolist() == [int(path.parent.name[1:])]


def test_training_batches_follow_from_the_seed_alone(folder):
    one_worker = batches(imagenet(folder, "train", 2, num_parallel_workers=1), epochs=2)
    many_workers = batches(imagenet(folder, "train", 2, num_parallel_workers=64), epochs=2)
    assert [image.shape for image, _ in one_worker] == [(2, 3, 64, 64)] * 6
    for (image, label), (other_image, other_label) in zip(one_worker, many_workers):
        np.testing.assert_array_equal(image, other_image)
        np.testing.assert_array_equal(label, other_label)
    assert not np.array_equal(one_worker[0][0], one_worker[3][0])


def test_start_epoch_goes_on_with_the_data_that_follow(folder, tmp_path):
    training = import_from("resnest", "src.vendored.training")
    epochs = import_from("resnest", "src.vendored.epochs")
    whole, later = (
        epochs.epochs_of(lambda order: imagenet(folder, "train", 2, order=order), 6, 2, 1, 0, 1)
        for _ in range(2)
    )
    whole = batches(whole, epochs=2)
    network = ms.nn.SequentialCell(ms.nn.Flatten(), ms.nn.Dense(3 * 64 * 64, 3))
    rates = np.zeros(6, np.float32)
    optimizer = ms.nn.Momentum(network.trainable_params(), ms.Tensor(rates), 0.9)
    loss = import_from("resnest", "src.crossentropy").CrossEntropy(0.1, 3)
    losses = []

    class Losses(ms.train.Callback):
        def on_train_step_end(self, run_context):
            losses.append(float(run_context.original_args().net_outputs.asnumpy()))

    training.fit(
        ms.train.Model(network, loss, optimizer),
        network,
        optimizer,
        later,
        SimpleNamespace(
            **vars(import_from("resnest", "src.vendored.options").defaults()),
            resume="",
            seed=1,
            batch_size=2,
            save_checkpoint=False,
            save_checkpoint_steps=0,
            device_target="CPU",
        ),  # fmt: skip
        {"class_names": None},
        learning_rates=rates,
        epochs=2,
        folder=str(tmp_path),
        prefix="x",
        callbacks=[Losses()],
        start_epoch=1,
    )
    assert optimizer.global_step.asnumpy().item() == 6
    expected = [loss(network(ms.Tensor(x)), ms.Tensor(y)).asnumpy() for x, y in whole[3:]]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert (tmp_path / "metrics.csv").read_text().splitlines()[1].startswith("2,6,")


def test_every_sample_of_every_epoch_is_drawn_anew(tmp_path):
    (tmp_path / "train" / "class").mkdir(parents=True)
    for index in range(4):
        shutil.copy(PHOTO, tmp_path / "train" / "class" / f"{index}.jpg")
    drawn = [
        image
        for rank in (0, 1)
        for image, _ in batches(imagenet(tmp_path, "train", 1, rank, 2), epochs=3)
    ]
    assert len(drawn) == 12 and len({image.tobytes() for image in drawn}) == 12


def test_another_seed_gives_other_batches(folder):
    before = ms.get_seed()
    first = batches(imagenet(folder, "train"))
    ms.set_seed(7)
    try:
        second = batches(imagenet(folder, "train"))
    finally:
        ms.set_seed(before or 1)
    assert not np.array_equal(first[0][0], second[0][0])


def test_shards_and_remainder(folder):
    def labels(mode, **options):
        return [
            sorted(
                np.concatenate(
                    [label for _, label in batches(imagenet(folder, mode, 2, rank, 2, **options))]
                )
            )
            for rank in (0, 1)
        ]

    assert [len(part) for part in labels("train")] == [4, 4]  # of 7 images: both take as many steps
    assert [len(part) for part in labels("val", drop_remainder=False)] == [4, 3]
    assert sorted(sum(labels("val", drop_remainder=False, shuffle=False), [])) == [
        0,
        0,
        0,
        1,
        1,
        2,
        2,
    ]
    assert imagenet(folder, "val", 4).get_dataset_size() == 1
    assert imagenet(folder, "val", 4, drop_remainder=False).get_dataset_size() == 2


def test_own_operations_sampler_and_classes(folder):
    options = {
        "transform": [ms.dataset.vision.Resize((8, 8))],
        "target_transform": lambda label: label + 10,
        "sampler": ms.dataset.SequentialSampler(0, 3),
        "class_indexing": {"n00000000": 5, "n00000002": 1},
    }
    for mode in ("train", "val"):
        ((image, label),) = batches(imagenet(folder, mode, 3, **options))
        assert (
            image.shape == (3, 8, 8, 3)
            and image.dtype == np.uint8
            and label.tolist() == [15, 15, 15]
        )


def test_broken_image_is_named(folder, tmp_path):
    """A text and an image that is cut off, which the decoder finds."""
    accuracy = import_from("resnest", "src.vendored.accuracy")
    for content in (b"not an image", PHOTO.read_bytes()[:30000]):
        shutil.copytree(folder / "val", tmp_path / "val", dirs_exist_ok=True)
        broken = sorted(tmp_path.glob("val/*/*.JPEG"))[3]
        broken.write_bytes(content)
        with pytest.raises(ValueError, match=f"{broken}: this image cannot be decoded"):
            accuracy.count_correct(lambda images: images, imagenet(tmp_path, "val", 7))
