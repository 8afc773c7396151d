"""MnasNet: wrong input ends with one line that says what is wrong and where, before anything is
overwritten.
"""

import shutil
import tempfile

import mindspore as ms
import numpy as np
import pytest
from PIL import Image

from entry_points import assert_one_line, call
from folders import import_from

CPU = ["--device_target", "CPU"]
SMALL = [
    *CPU,
    "--image_size",
    "32",
    "--class_num",
    "2",
    "--batch_size",
    "2",
    "--depth_multiplier",
    "0.25",
]
PHOTOS, GOOD = ["--dataset_path", "photos"], ["--checkpoint_path", "good.ckpt"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with two photos, and a whole, a truncated, a random, an empty and a foreign
    checkpoint.
    """
    root = tmp_path_factory.mktemp("it's a $place")
    for name in ("a", "b"):
        (root / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (60, 50), "red" if name == "a" else "blue").save(
            root / f"photos/{name}/{name}.JPEG"
        )
    for folder in ("empty", "no images/class", "undecodable/a", "undecodable/b"):
        (root / folder).mkdir(parents=True)
    whole = (root / "photos/a/a.JPEG").read_bytes()
    (root / "undecodable/a/a.JPEG").write_bytes(whole)
    (root / "undecodable/b/an. odd name.JPEG").write_bytes(whole[: len(whole) // 3])
    network = import_from("mnasnet", "src.models.mnasnet").Mnasnet(2, depth_multiplier=0.25)
    ms.save_checkpoint(network, str(root / "good.ckpt"))
    content = (root / "good.ckpt").read_bytes()
    (root / "truncated.ckpt").write_bytes(content[: len(content) // 2])
    (root / "random.ckpt").write_bytes(np.random.RandomState(0).bytes(5000))
    (root / "random.mindir").write_bytes(np.random.RandomState(0).bytes(5000))
    (root / "empty.ckpt").write_bytes(b"")
    ms.save_checkpoint(ms.nn.Dense(3, 4), str(root / "other.ckpt"))
    for name, shape in (
        ("rectangle", (1, 3, 32, 64)),
        ("one class", (1, 3, 32, 32)),
        ("flat", (1, 3)),
    ):
        network = ms.nn.SequentialCell(ms.nn.Flatten(), ms.nn.Dense(int(np.prod(shape)), 1))
        # ms.export does not write to names with a quote.
        with tempfile.TemporaryDirectory() as plain:
            images = ms.Tensor(np.zeros(shape, np.float32))
            ms.export(network, images, file_name=f"{plain}/model", file_format="ONNX")
            shutil.move(f"{plain}/model.onnx", root / f"{name}.onnx")
    return root


CASES = [  # script, arguments, words of the line
    ("eval.py", [*SMALL, "--dataset_path", "nowhere", *GOOD], ["nowhere", "no such folder"]),
    ("eval.py", [*SMALL, "--dataset_path", "empty", *GOOD], ["empty", "no folders in it"]),
    ("eval.py", [*SMALL, "--dataset_path", "no images", *GOOD], ["class folders without images"]),
    (
        "eval.py",
        [*SMALL, "--dataset_path", "photos/a", *GOOD],
        ["photos/a", "images directly in it"],
    ),
    (
        "eval.py",
        [*SMALL, "--dataset_path", "undecodable", *GOOD],
        ["an. odd name.JPEG", "cannot be decoded"],
    ),
    ("eval.py", [*SMALL, *PHOTOS], ["--checkpoint_path"]),
    ("eval.py", [*SMALL, *PHOTOS, "--checkpoint_path", "nowhere.ckpt"], ["nowhere.ckpt: no such"]),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "--checkpoint_path", "truncated.ckpt"],
        ["truncated.ckpt: not a whole"],
    ),
    (
        "eval.py",
        [*SMALL, *PHOTOS, "--checkpoint_path", "random.ckpt"],
        ["random.ckpt: not a whole"],
    ),
    ("eval.py", [*SMALL, *PHOTOS, "--checkpoint_path", "empty.ckpt"], ["empty.ckpt: not a whole"]),
    ("eval.py", [*SMALL, *PHOTOS, "--checkpoint_path", "other.ckpt"], ["other.ckpt", "nearest"]),
    (
        "eval.py",
        [*SMALL, *PHOTOS, *GOOD, "--class_num", "3"],
        ["good.ckpt", "fc.weight", "(3, 1280)"],
    ),
    ("eval.py", [*SMALL, *PHOTOS, *GOOD, "--mnasnet_b1"], ["good.ckpt", "features.0.conv.bias"]),
    (
        "eval.py",
        [*SMALL, *PHOTOS, *GOOD, "--batch_size", "3", "--drop_remainder"],
        ["2 images", "batch of 3"],
    ),
    ("train.py", [*SMALL, "--dataset_path", "."], ["folders in folders", "give one below"]),
    ("train.py", [*SMALL, *PHOTOS, "--batch_size", "3"], ["2 images", "batch of 3"]),
    ("train.py", [*SMALL, *PHOTOS, "--pre_trained", "other.ckpt"], ["other.ckpt", "nearest"]),
    ("train.py", [*SMALL, *PHOTOS, "--run_eval"], ["--eval_dataset_path"]),
    (
        "train.py",
        [*SMALL, *PHOTOS, "--run_eval", "--eval_dataset_path", "empty"],
        ["empty", "no folders"],
    ),
    (
        "train.py",
        [*SMALL, *PHOTOS, "--lr_decay_mode", "linear", "--epoch_size", "5"],
        ["more than 5 epochs"],
    ),
    ("train.py", [*SMALL, *PHOTOS, "--lr_decay_mode", "exponential"], ["lr_decay_mode", "cosine"]),
    ("train.py", [*CPU, "--epoch_sise", "3"], ["--epoch_sise", "--epoch_size"]),
    ("train.py", [*CPU, "--epoch_size", "three"], ["epoch_size", "whole number", "three"]),
    ("train.py", [*CPU, "--label_smooth_factor", "1"], ["label_smooth_factor", "0.999"]),
    ("train.py", [*CPU, "--image_size", "31"], ["image_size", "got 31"]),
    ("train.py", [*CPU, "--device_id", "7"], ["device_id 7"]),
    ("train.py", [*CPU, "--run_distribute", "True"], ["msrun"]),
    ("export.py", SMALL, ["--checkpoint_path"]),
    ("export.py", [*SMALL, *GOOD, "--file_format", "air"], ["AIR", "Ascend"]),
    ("export.py", [*SMALL, *GOOD, "--file_format", "TFLITE"], ["file_format", "ONNX"]),
    ("export.py", [*SMALL, *GOOD, "--file_name", "good.ckpt/model"], ["good.ckpt"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_url", "nowhere.mindir"], ["nowhere.mindir: no such"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_url", "random.ckpt"], ["random.ckpt", "onnxruntime"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_url", "random.mindir"], ["random.mindir", "MindIR"]),
    ("eval_onnx.py", [*CPU, *PHOTOS, "--onnx_url", "flat.onnx"], ["flat.onnx", "(1, 3)"]),
    (
        "eval_onnx.py",
        [*CPU, *PHOTOS, "--onnx_url", "rectangle.onnx"],
        ["rectangle.onnx", "not square"],
    ),
    (
        "eval_onnx.py",
        [*CPU, *PHOTOS, "--onnx_url", "one class.onnx"],
        ["2 class folders", "1 outputs"],
    ),
    (
        "eval_onnx.py",
        [*PHOTOS, "--onnx_url", "rectangle.onnx", "--device_target", "GPU"],
        ["CUDAExecutionProvider"],
    ),
    ("create_imagenet2012_label.py", ["--img_path", "."], ["folders in folders"]),
]


@pytest.mark.parametrize(
    "script, arguments, words", CASES, ids=[f"{c[0][:-3]}-{'-'.join(c[2])}" for c in CASES]
)
def test_one_line(place, script, arguments, words):
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*")}
    code, _, err = call("mnasnet", script, *arguments, cwd=place)
    assert_one_line(code, err, *words)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*")} == before
