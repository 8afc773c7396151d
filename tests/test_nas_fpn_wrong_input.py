"""NAS-FPN: wrong input ends with one line that says what is wrong and where, before anything is
overwritten.
"""

import os

import mindspore as ms
import numpy as np
import pytest

from entry_points import assert_one_line, call
from folders import import_from
from nas_fpn_records import coco_folder
from nas_fpn_small import SMALL, write_yaml
from test_nas_fpn import configuration

CONFIG = ["--config_path", "small.yaml"]
DATA = [*CONFIG, "--coco_root", "coco", "--mindrecord_dir", "records"]
GOOD = ["--checkpoint_path", "good.ckpt"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a small data set, and a whole, a truncated, a random, an empty and a foreign
    checkpoint.
    """
    root = tmp_path_factory.mktemp("it's a $place")
    coco_folder(root / "coco")
    coco_folder(root / "coco", "val2017")
    coco_folder(root / "broken")
    (root / "broken/train2017/000000000009.jpg").write_bytes(b"no image")
    (root / "empty").mkdir()
    write_yaml(root / "small.yaml")
    for name, values in {
        "unknown key": {"epoch_sise": 3},
        "wrong type": {"epoch_size": "three"},
        "no list": {"anchor_size": 32},
        "other list": {"anchor_size": ["a"] * 5},
        "four levels": {"anchor_size": [32, 64, 128, 256]},
        "two scales": {"num_default": [6] * 5},
        "range": {"lr": -1},
        "channels": {"backbone_width": 8, "nasfpn_input_channels": [512, 1024, 2048]},
        "head": {"extras_out_channels": [256] * 5},
        "strides": {"nasfpn_start_level": 1, "steps": [8, 16, 32, 64, 128]},
        "blocks": {"backbone_blocks": [3, 0, 1, 1]},
    }.items():
        write_yaml(root / f"{name}.yaml", **values)
    (root / "no.yaml").write_bytes(b"a: [\xff")
    config = configuration(
        128, **{**SMALL, "coco_root": str(root / "coco"), "mindrecord_dir": str(root / "records")}
    )
    for prefix, is_training in (
        ("retinanet.mindrecord", True),
        ("retinanet_eval.mindrecord", False),
    ):
        import_from("nas_fpn", "src.mindrecord").create_mindrecord(config, prefix, is_training)
    (root / "damaged").mkdir()
    for path in (root / "records").iterdir():
        (root / "damaged" / path.name).write_bytes(path.read_bytes()[:1000])
    network = import_from("nas_fpn", "src.retinanet_nasfpn").build_network(config)
    ms.save_checkpoint(network, str(root / "good.ckpt"))
    content = (root / "good.ckpt").read_bytes()
    (root / "truncated.ckpt").write_bytes(content[: len(content) // 2])
    (root / "random.ckpt").write_bytes(np.random.RandomState(0).bytes(5000))
    (root / "empty.ckpt").write_bytes(b"")
    ms.save_checkpoint(ms.nn.Dense(3, 4), str(root / "other.ckpt"))
    return root


CASES = [  # script, arguments, words of the line
    (
        "create_data.py",
        [*CONFIG, "--coco_root", "nowhere"],
        ["coco_root not exits", "nowhere", "annotations/"],
    ),
    (
        "create_data.py",
        [*CONFIG, "--coco_root", "empty"],
        ["empty/annotations", "no such annotation file"],
    ),
    (
        "create_data.py",
        [*CONFIG, "--coco_root", "coco", "--instances_set", "../small.yaml"],
        ["not a COCO annotation"],
    ),
    (
        "create_data.py",
        [*CONFIG, "--coco_root", "coco", "--num_classes", "5"],
        ["num_classes is 5"],
    ),
    ("create_data.py", ["--coco_root", "coco"], ["no category 'person'", "coco_classes"]),
    (
        "create_data.py",
        [*CONFIG, "--coco_root", "broken", "--mindrecord_dir", "."],
        ["000000000009.jpg", "cannot be decoded"],
    ),
    (
        "create_data.py",
        [*CONFIG, "--coco_root", "coco", "--mindrecord_dir", "good.ckpt/records"],
        ["good.ckpt"],
    ),
    (
        "train.py",
        [*CONFIG, "--mindrecord_dir", "nowhere"],
        ["nowhere/retinanet.mindrecord0", "create_data.py"],
    ),
    (
        "train.py",
        [*CONFIG, "--mindrecord_dir", "damaged"],
        ["damaged/retinanet.mindrecord0", "not a whole"],
    ),
    ("train.py", [*DATA, "--batch_size", "11"], ["10 images", "batch of 11", "--batch_size"]),
    ("train.py", [*DATA, "--num_classes", "2"], ["label 2", "num_classes is 2"]),
    ("train.py", [*DATA, "--pre_trained", "nowhere.ckpt"], ["nowhere.ckpt: no such"]),
    ("train.py", [*DATA, "--pre_trained", "truncated.ckpt"], ["truncated.ckpt: not a whole"]),
    ("train.py", [*DATA, "--pre_trained", "other.ckpt"], ["other.ckpt", "nearest"]),
    (
        "train.py",
        [*DATA, "--pre_trained", "good.ckpt", "--pre_trained_epoch_size", "-1"],
        ["greater than 0"],
    ),
    ("train.py", [*DATA, "--global_step", "1500"], ["nothing left to train"]),
    ("train.py", [*DATA, "--distribute", "True"], ["msrun"]),
    ("train.py", [*DATA, "--save_checkpoint_path", "good.ckpt/ckpt"], ["good.ckpt"]),
    ("train.py", ["--epoch_sise", "3"], ["--epoch_sise", "--epoch_size"]),
    ("train.py", [*CONFIG, "--epoch_size", "three"], ["epoch_size", "whole number", "three"]),
    ("train.py", [*CONFIG, "--match_thershold", "2"], ["match_thershold", "got 2"]),
    ("train.py", [*CONFIG, "--device_id", "7"], ["device_id 7"]),
    ("train.py", [*CONFIG, "--image_size", "100"], ["[100, 100]", "multiple of 128"]),
    ("train.py", ["--config_path", "nowhere.yaml"], ["nowhere.yaml", "no such"]),
    ("train.py", ["--config_path", "no.yaml"], ["no.yaml", "not a yaml file"]),
    (
        "train.py",
        ["--config_path", "unknown key.yaml"],
        ["unknown key.yaml", "epoch_sise", "epoch_size"],
    ),
    ("train.py", ["--config_path", "wrong type.yaml"], ["wrong type.yaml", "epoch_size", "three"]),
    ("train.py", ["--config_path", "no list.yaml"], ["no list.yaml", "anchor_size wants a list"]),
    (
        "train.py",
        ["--config_path", "other list.yaml"],
        ["other list.yaml", "anchor_size wants a list"],
    ),
    ("train.py", ["--config_path", "four levels.yaml"], ["anchor_size", "5 levels"]),
    ("train.py", ["--config_path", "two scales.yaml"], ["num_default", "[9, 9, 9, 9, 9]"]),
    ("train.py", ["--config_path", "range.yaml"], ["range.yaml", "lr", "-1"]),
    ("eval.py", [*DATA, "--checkpoint_path", "nowhere.ckpt"], ["nowhere.ckpt: no such"]),
    ("eval.py", [*DATA, "--checkpoint_path", "truncated.ckpt"], ["truncated.ckpt: not a whole"]),
    ("eval.py", [*DATA, "--checkpoint_path", "random.ckpt"], ["random.ckpt: not a whole"]),
    ("eval.py", [*DATA, "--checkpoint_path", "empty.ckpt"], ["empty.ckpt: not a whole"]),
    ("eval.py", [*DATA, "--checkpoint_path", "other.ckpt"], ["other.ckpt", "nearest"]),
    (
        "eval.py",
        [*DATA, *GOOD, "--num_classes", "4"],
        ["multi_cls_layers", "(27, 8, 3, 3)", "(36, 8, 3, 3)"],
    ),
    (
        "eval.py",
        [*DATA, *GOOD, "--instances_set", "nowhere_{}.json"],
        ["coco/nowhere_val2017.json", "no such"],
    ),
    (
        "eval.py",
        [*DATA, *GOOD, "--instances_set", "../small.yaml"],
        ["small.yaml", "not a COCO annotation file"],
    ),
    ("export.py", [*CONFIG, *GOOD, "--batch_size", "4"], ["'--batch_size'", "--export_batch_size"]),
    ("eval.py", [*DATA, *GOOD, "--batch_size", "4"], ["unknown flag '--batch_size'"]),
    ("train.py", [*CONFIG, "--num_retinanet_boxes", "7"], ["num_retinanet_boxes is 7", "3069"]),
    ("train.py", ["--config_path", "channels.yaml"], ["[512, 1024, 2048]", "[64, 128, 256]"]),
    ("train.py", ["--config_path", "head.yaml"], ["extras_out_channels", "nasfpn_out_channel 8"]),
    ("train.py", ["--config_path", "strides.yaml"], ["steps", "[16, 32, 64, 128, 256]"]),
    (
        "train.py",
        ["--config_path", "blocks.yaml"],
        ["backbone_blocks is [3, 0, 1, 1]", "4 numbers"],
    ),
    ("export.py", [*CONFIG, *GOOD, "--file_format", "AIR"], ["AIR", "Ascend"]),
    ("export.py", [*CONFIG, *GOOD, "--file_format", "TFLITE"], ["file_format", "ONNX"]),
    ("export.py", [*CONFIG, *GOOD, "--file_name", "good.ckpt/model"], ["good.ckpt"]),
    ("export.py", [*CONFIG, "--checkpoint_path", "other.ckpt"], ["other.ckpt", "nearest"]),
]


@pytest.mark.parametrize(
    "script, arguments, words", CASES, ids=[f"{c[0][:-3]}-{'-'.join(c[2])}" for c in CASES]
)
def test_one_line(place, script, arguments, words):
    before = {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()}
    code, _, err = call("nas_fpn", script, *arguments, cwd=place)
    # the progress bar ends before
    assert_one_line(code, err.splitlines()[-1] if "image/s" in err else err, *words)
    assert {path: path.stat().st_mtime_ns for path in place.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("seed", range(10))
def test_random_yaml_never_crashes(place, tmp_path, seed):
    signs = np.frombuffer(b"ab:-{}[]\"' \n\t0&*!|%\xff", np.uint8)
    (tmp_path / "random.yaml").write_bytes(np.random.RandomState(seed).choice(signs, 60).tobytes())
    code, _, err = call(
        "nas_fpn", "create_data.py", "--config_path", tmp_path / "random.yaml", cwd=place
    )
    assert_one_line(code, err)  # At the latest the data set is not there.
    assert os.listdir(tmp_path) == ["random.yaml"]
