"""NAS-FPN's commands on small data: what they print, what they write, that resuming and
pre-training do as told.
"""

import json
import os
import re
import shutil
import subprocess

import cv2
import mindspore as ms
import numpy as np
import pytest
import yaml

from elsewhere import rows
from entry_points import call, start
from folders import REPOSITORY, import_from
from nas_fpn_small import SMALL, create_records, small_network, values
from script_calls import PROGRAMS, TABLE
from test_nas_fpn import configuration

EPOCH = (
    r"epoch: {} step: 5, loss is \d+\.\d+\nlr:\[0\.0\d{{5}}\]\n"
    r"epoch time: \d+\.\d{{3}} ms, per step time: \d+\.\d{{3}} ms\n"
)
CLASS_LAYERS = ", ".join(f"head.multi_cls_layers.{level}.feats.8.weight" for level in range(5))
TRAIN = ["--epoch_size", 2, "--save_checkpoint_epochs", 1, "--run_eval", "True"]
TRAIN += ["--min_score", 0, "--resume", "auto"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with MindRecord files and what a training of two epochs wrote, its output in
    train.log.
    """
    root = tmp_path_factory.mktemp("it's a $place")
    create_records(root)
    (root / "train.log").write_text(train(root, "whole").stdout)
    return root


def train(root, name):
    (root / name).mkdir(exist_ok=True)
    flags = ["--config_path", root / "small.yaml", *TRAIN]
    done = start("nas_fpn", "train.py", *flags, cwd=root / name)
    assert done.returncode == 0, done.stderr
    return done


def test_training_prints_the_documented_lines(place):
    log = (place / "train.log").read_text()
    for epoch in (1, 2):
        assert re.search(EPOCH.format(epoch), log), log[-2000:]
    for line in (
        "Please check the above information for the configurations",
        "Create dataset done!",
        "train success!",
        (
            "Start train retinanet_nasfpn, the first epoch will be slower because of the graph"
            " compilation."
        ),
    ):
        assert f"{line}\n" in log


def test_training_writes_checkpoints_and_its_record(place):
    assert sorted(path.name for path in (place / "whole/ckpt").iterdir()) == [
        "config.yaml",
        "curves.png",
        "metrics.csv",
        "predictions.json",
        "retinanet_nasfpn-1_5.ckpt",
        "retinanet_nasfpn-2_5.ckpt",
        "retinanet_nasfpn-best.ckpt",
    ]
    assert [(row["epoch"], row["step"]) for row in rows(place / "whole/ckpt")] == [
        ("1", "5"),
        ("2", "10"),
    ]
    names = list(ms.load_checkpoint(str(place / "whole/ckpt/retinanet_nasfpn-2_5.ckpt")))
    module = import_from("nas_fpn", "src.retinanet_nasfpn")
    network = module.build_network(configuration(128, **SMALL))
    moments = [f"moments.{parameter.name}" for parameter in network.trainable_params()]
    own = {"global_step", "momentum", "learning_rate", "record", "progress"}
    assert set(names) == {*network.parameters_dict(), *moments, *own}


@pytest.mark.slow
def test_resumed_training_ends_with_the_same_weights(place):
    (place / "resumed/ckpt").mkdir(parents=True)
    for name in ("retinanet_nasfpn-1_5.ckpt", "metrics.csv"):
        shutil.copy(place / "whole/ckpt" / name, place / "resumed/ckpt")
    assert "resume after epoch 1" in train(place, "resumed").stdout
    whole, resumed = (
        ms.load_checkpoint(str(place / name / "ckpt/retinanet_nasfpn-2_5.ckpt"))
        for name in ("whole", "resumed")
    )
    for name in whole:
        np.testing.assert_array_equal(whole[name].asnumpy(), resumed[name].asnumpy(), err_msg=name)
    for expected, row in zip(rows(place / "whole/ckpt"), rows(place / "resumed/ckpt")):
        assert {**expected, "images_per_second": ""} == {**row, "images_per_second": ""}


@pytest.mark.slow
def test_training_in_two_processes(place):
    here = place / "two"
    here.mkdir()
    (here / "table.json").write_text(json.dumps(TABLE))
    environment = {**os.environ, "WAIT": "1", "DEVICE_TARGET": "CPU"}
    environment["PATH"] = f"{PROGRAMS}:{os.environ['PATH']}"
    script = REPOSITORY / "nas_fpn/scripts/run_distribute_train.sh"
    flags = ["--config_path", place / "small.yaml", "--epoch_size", "1"]
    flags += ["--save_checkpoint_epochs", "1"]
    done = subprocess.run(
        ["bash", script, "2", "table.json", place / "records", *flags],
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    steps = int(rows(place / "whole/ckpt")[0]["step"]) // 2  # Each process has half of the images.
    for worker in "01":
        log = (here / f"LOG{worker}/log.txt").read_text()
        assert (
            re.search(rf"^epoch: 1 step: {steps}, loss is \d+\.\d+$", log, re.M)
            and "train success!\n" in log
        ), log
    assert [path.name for path in here.glob("LOG*/ckpt/**/*.ckpt")] == [
        f"retinanet_nasfpn-1_{steps}.ckpt"
    ]


def test_evaluation(place):
    flags = ["--config_path", "small.yaml", "--min_score", 0, "--per_class", "True"]
    flags += ["--checkpoint_path", "whole/ckpt/retinanet_nasfpn-2_5.ckpt"]
    code, out, err = call("nas_fpn", "eval.py", *flags, "--visualize", "pictures", cwd=place)
    assert code == 0, err
    rule = "=" * 40
    assert (
        f"Start Eval!\nLoad Checkpoint!\n\n{rule}\n\ntotal images num:  9\nProcessing, please wait"
        in out
    )
    assert re.search(r"moment\.\n    100% \[9/9\] cost \d+ ms\n Average Precision", out)
    assert out.count("Average Precision  (AP)") == out.count("Average Recall     (AR)") == 6
    assert re.search(r"\ncat +\d\.\d{3}", out) and re.search(r"\ndog +\d\.\d{3}", out)
    mean = float(re.search(rf"\n\n{rule}\n\nmAP: (\S+)\n$", out).group(1))
    assert mean == float(rows(place / "whole/ckpt")[-1]["mAP"])
    found = json.loads((place / "predictions.json").read_text())
    assert {entry["image_id"] for entry in found} == set(range(3, 12))
    assert set(found[0]) == {"image_id", "bbox", "score", "category_id"}
    for image_id in range(3, 12):
        picture = cv2.imread(str(place / f"pictures/{image_id:012}.jpg"))
        assert picture.shape == (120, 100 + 10 * image_id, 3)


def test_a_model_carries_its_options_and_class_names(place):
    """Neither the network's options nor the classes are repeated, from checkpoint to ONNX."""
    data = ["--device_target", "CPU", "--coco_root", "coco", "--mindrecord_dir", "records"]
    detections = [*data, "--min_score", 0, "--workers", 1]
    checkpoint = "whole/ckpt/retinanet_nasfpn-2_5.ckpt"
    flags = [*detections, "--checkpoint_path", checkpoint]
    code, out, err = call("nas_fpn", "eval.py", *flags, cwd=place)
    assert code == 0 and f"from {checkpoint}: num_classes 3, backbone_blocks [" in out, err
    assert "class names: the model's record\n" in out
    mean = out.rsplit("mAP: ", 1)[1]
    assert float(mean) == float(rows(place / "whole/ckpt")[-1]["mAP"])
    flags = ["--device_target", "CPU", "--checkpoint_path", checkpoint, "--file_format", "ONNX"]
    code, _, err = call("nas_fpn", "export.py", *flags, "--file_name", "alone", cwd=place)
    assert code == 0, err
    flags = [*detections, "--onnx_path", "alone.onnx"]
    code, out, err = call("nas_fpn", "eval_onnx.py", *flags, cwd=place)
    assert code == 0 and "from alone.onnx: num_classes 3, keep_ratio False" in out, err
    assert float(out.rsplit("mAP: ", 1)[1]) == pytest.approx(float(mean), abs=1e-3)


def test_the_effective_settings_are_kept(place):
    written = yaml.safe_load((place / "whole/ckpt/config.yaml").read_text())
    assert written["class_names"] == ["background", "dog", "cat"]
    assert written["num_retinanet_boxes"] == 3069 and written["feature_size"] == [16, 8, 4, 2, 1]


def test_names_are_those_in_the_records_where_none_are_chosen(place):
    own = {"mindrecord_dir": str(place / "records"), "coco_classes": []}
    config = configuration(128, **{**SMALL, **own})
    _, names = import_from("nas_fpn", "src.training_data").training_dataset(config)
    assert names == ["background", "dog", "cat"]


def test_export(place):
    flags = ["--config_path", "small.yaml", "--file_format", "ONNX", "--file_name", "detector"]
    flags += ["--checkpoint_path", "whole/ckpt/retinanet_nasfpn-best.ckpt"]
    code, out, err = call("nas_fpn", "export.py", *flags, cwd=place)
    assert code == 0, err
    line = r"detector.onnx: input \(1, 3, 128, 128\) float32; differs from the network by (\S+)"
    assert float(re.search(line, out).group(1)) < 1e-4
    assert (place / "detector.onnx").exists()


@pytest.mark.slow
def test_a_frozen_backbone_stays_as_it_was(place):
    """Its BatchNorms' statistics too; and metrics.csv has what was asked for."""
    start_from = place / "whole/ckpt/retinanet_nasfpn-2_5.ckpt"
    flags = ["--config_path", place / "small.yaml", *TRAIN, "--epoch_size", 1]
    flags += ["--freeze", "backbone", "--pre_trained", start_from, "--scores_by_size", "True"]
    (place / "frozen").mkdir()
    done = start("nas_fpn", "train.py", *flags, cwd=place / "frozen")
    assert done.returncode == 0, done.stderr
    before = ms.load_checkpoint(str(start_from))
    after = ms.load_checkpoint(str(place / "frozen/ckpt/retinanet_nasfpn-1_5.ckpt"))
    network = [name for name in before if re.match(r"network\.(backbone|neck|head)\.", name)]
    changed = {name for name in network if (before[name].asnumpy() != after[name].asnumpy()).any()}
    rest = [name for name in network if ".backbone." not in name]
    assert len(rest) < len(network) and changed and changed <= set(rest)
    (row,) = rows(place / "frozen/ckpt")
    assert list(row)[-5:] == ["mAP", "AP50", "AP small", "AP medium", "AP large"]
    assert all(-1 <= float(value) <= 1 for value in list(row.values())[-5:])


@pytest.mark.parametrize(
    "num_classes, filter_weight, not_loaded",
    [(3, False, "nothing"), (4, False, CLASS_LAYERS), (4, True, "head")],
)
def test_pre_trained_detector(place, capsys, num_classes, filter_weight, not_loaded):
    load = import_from("nas_fpn", "src.init_params").load_pre_trained
    path, network = str(place / "whole/ckpt/retinanet_nasfpn-2_5.ckpt"), small_network(num_classes)
    before, loaded = values(network), ms.load_checkpoint(path)
    load(network, path, filter_weight)
    assert f"not loaded: {not_loaded}\n" in capsys.readouterr().out
    for name, value in values(network).items():
        kept = (
            filter_weight
            and ".head." in name
            or num_classes == 4
            and re.search(r"cls_layers.*feats\.8", name)
        )
        assert np.array_equal(value, before[name] if kept else loaded[name].asnumpy()), name
