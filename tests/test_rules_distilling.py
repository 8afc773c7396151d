"""Learning from a teacher, in every classifier: its logits and the loss against NumPy."""

import mindspore as ms
import numpy as np
import pytest

from entry_points import assert_one_line, call
from folders import CLASSIFIERS, import_from
from places import CLASSES, TEACHING, Place, write_teacher

N, SIDE = 6, 20
THEIRS = {"mean": [10.0, 20.0, 30.0], "std": [50.0, 60.0, 70.0], "colour_order": "BGR"}


def pixels_and_labels():
    rng = np.random.default_rng(0)
    return rng.uniform(0, 255, (N, 3, SIDE, SIDE)), rng.integers(0, 3, N).astype(np.int32)


def a_record(names=None, size=(SIDE, SIDE)):
    described = {"size": size, "crop_fraction": 0.875, "keep_aspect_ratio": True, **THEIRS}
    return {"options": {}, "class_names": names, "preprocessing": described}


class Distilling:
    """The modules of a folder, and images as its network wants them."""

    def __init__(self, folder):
        self.module = import_from(folder, "src.vendored.distilling")
        self.error = import_from(folder, "src.vendored.launch").UserError
        self.mixing = import_from(folder, "src.vendored.mixing").Mixing
        self.preprocessing = import_from(folder, "src.vendored.preprocessing").Preprocessing(
            (SIDE, SIDE), (124.0, 116.0, 104.0), (58.0, 57.0, 55.0)
        )

    def normalised(self, pixels):
        mean, std = np.array((self.preprocessing.mean, self.preprocessing.std))[:, :, None, None]
        return np.float32((pixels - mean) / std)

    def teacher(self, path, mixing=None, classes=3, names=CLASSES):
        preprocessing = self.preprocessing
        return self.module.Teacher(str(path), classes, list(names), preprocessing, mixing)


@pytest.fixture(params=CLASSIFIERS)
def distilling(request):
    return Distilling(request.param)


@pytest.mark.parametrize("images", [None, 1, 4])
def test_a_teacher_sees_what_its_record_says(distilling, tmp_path, images):
    """The images of training in its own colours, whatever number of them the file takes."""
    pixels, labels = pixels_and_labels()
    path = write_teacher(tmp_path / "x.onnx", SIDE, images, a_record(list(CLASSES)))
    same, taught = distilling.teacher(path)((distilling.normalised(pixels), labels), None)
    np.testing.assert_array_equal(same, distilling.normalised(pixels))
    mean, std = np.array((THEIRS["mean"], THEIRS["std"]))[..., None, None]
    wanted = ((pixels - mean) / std)[:, ::-1].mean(axis=(2, 3)) @ TEACHING
    assert taught.dtype == np.float32 and taught.shape == (N, 6)
    np.testing.assert_array_equal(taught[:, :3], np.stack([labels, labels, np.ones(N)], axis=1))
    np.testing.assert_allclose(taught[:, 3:], wanted, atol=1e-4)


def test_a_teacher_sees_mixed_images(distilling, tmp_path):
    """And, without a record, in the colours of this network."""
    pixels, labels = pixels_and_labels()
    path, batch = write_teacher(tmp_path / "x.onnx", SIDE), (distilling.normalised(pixels), labels)
    mixing = distilling.mixing(mixup=0.4)
    mixed, taught = distilling.teacher(path, mixing)(batch, np.random.default_rng(5))
    wanted = mixing(batch, np.random.default_rng(5))
    np.testing.assert_array_equal(mixed, wanted[0])
    np.testing.assert_array_equal(taught[:, :3], wanted[1])
    np.testing.assert_allclose(taught[:, 3:], mixed.mean(axis=(2, 3)) @ TEACHING, atol=1e-5)


def log_shares(logits):
    logits = np.float64(logits)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("weight, temperature", [(0.5, 1.0), (0.3, 4.0), (1.0, 2.0), (0.0, 2.0)])
def test_the_loss(weight, temperature):
    """(1 - w) times the cross entropy and w T^2 times the divergence from the teacher."""
    rng = np.random.default_rng(3)
    logits, theirs = rng.normal(0, 3, size=(2, N, 3)).astype(np.float32)
    first, other, share = rng.integers(0, 3, N), rng.integers(0, 3, N), 0.3
    target = share * np.eye(3)[first] + (1 - share) * np.eye(3)[other]
    hard = -(target * log_shares(logits)).sum(axis=1).mean()
    own, taught = log_shares(logits / temperature), log_shares(theirs / temperature)
    soft = (np.exp(taught) * (taught - own)).sum(axis=1).mean() * temperature**2
    labels = np.column_stack([first, other, np.full(N, share), theirs]).astype(np.float32)
    module = import_from(CLASSIFIERS[0], "src.vendored.losses")
    documented = module.MixedLoss(ms.nn.CrossEntropyLoss())
    loss = module.DistilledLoss(documented, weight, temperature)
    got = float(loss(ms.Tensor(logits), ms.Tensor(labels)).asnumpy())
    assert got == pytest.approx((1 - weight) * hard + weight * soft, rel=1e-5)


def test_a_teacher_that_does_not_fit(distilling, tmp_path):
    path = tmp_path / "x.onnx"
    for side, record, options, words in (
        (SIDE, None, {"classes": 4}, "the teacher has 3 classes, this network 4"),
        (SIDE, a_record(["ash", "oak", "birch"]), {}, "'oak' where this network has 'birch'"),
        (32, None, {}, "wants images of 32 x 32, this network of 20 x 20"),
    ):
        write_teacher(path, side, record=record)
        with pytest.raises(distilling.error, match=f"x.onnx: .*{words}"):
            distilling.teacher(path, **options)
    write_teacher(path, SIDE, record=a_record(list(CLASSES), (32, 32)))
    with pytest.raises(distilling.error, match="its record is of images"):
        distilling.teacher(path)


@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_a_teacher_that_is_no_onnx_file(tmp_path, folder):
    place = Place(tmp_path, folder, 2, 1)
    for name, words in (
        ("x.ckpt", "a teacher is an ONNX file; export.py makes one of a checkpoint"),
        ("x.onnx", "x.onnx: no such file"),
    ):
        code, _, err = call(folder, "train.py", *place.use, "--teacher", name, cwd=tmp_path)
        assert_one_line(code, err, words)
