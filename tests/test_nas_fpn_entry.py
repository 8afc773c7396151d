"""NAS-FPN's commands on small data: what they print, what they write, that resuming and
pre-training do as told.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import cv2
import mindspore as ms
import numpy as np
import pytest
import yaml

from entry_points import call, start
from folders import REPOSITORY, import_from
from script_calls import PROGRAMS, TABLE
from test_modelarts import MOXING
from test_nas_fpn import configuration, user_error
from test_nas_fpn_data import coco_folder
from test_nas_fpn_wrong_input import RESNET50, SMALL, write_yaml

EPOCH = (
    r"epoch: {} step: 5, loss is \d+\.\d+\nlr:\[0\.0\d{{5}}\]\n"
    r"epoch time: \d+\.\d{{3}} ms, per step time: \d+\.\d{{3}} ms\n"
)
TRAIN = [
    "--epoch_size",
    2,
    "--save_checkpoint_epochs",
    1,
    "--run_eval",
    "True",
    "--min_score",
    0,
    "--resume",
    "auto",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with MindRecord files and what a training of two epochs wrote, its output in
    train.log.
    """
    root = tmp_path_factory.mktemp("it's a $place")
    for split in ("train2017", "val2017"):
        coco_folder(root / "coco", split)
    write_yaml(
        root / "small.yaml", coco_root=str(root / "coco"), mindrecord_dir=str(root / "records")
    )
    for prefix, is_training in (
        ("retinanet.mindrecord", "True"),
        ("retinanet_eval.mindrecord", "False"),
    ):
        code, out, err = call(
            "nas_fpn",
            "create_data.py",
            "--create_dataset",
            "coco",
            "--prefix",
            prefix,
            "--is_training",
            is_training,
            "--config_path",
            "small.yaml",
            cwd=root,
        )
        assert (
            code == 0 and "Start create dataset!" in out and "Create Mindrecord Done, at " in out
        ), err
    (root / "train.log").write_text(train(root, "whole").stdout)
    return root


def train(root, name):
    (root / name).mkdir(exist_ok=True)
    done = start(
        "nas_fpn", "train.py", "--config_path", root / "small.yaml", *TRAIN, cwd=root / name
    )
    assert done.returncode == 0, done.stderr
    return done


def rows(folder):
    return list(csv.DictReader((folder / "ckpt/metrics.csv").read_text().splitlines()))


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
    assert [(row["epoch"], row["step"]) for row in rows(place / "whole")] == [
        ("1", "5"),
        ("2", "10"),
    ]
    names = list(ms.load_checkpoint(str(place / "whole/ckpt/retinanet_nasfpn-2_5.ckpt")))
    module = import_from("nas_fpn", "src.retinanet_nasfpn")
    network = module.build_network(configuration(128, **SMALL))
    moments = [f"moments.{parameter.name}" for parameter in network.trainable_params()]
    assert set(names) == {
        *network.parameters_dict(),
        *moments,
        "global_step",
        "momentum",
        "learning_rate",
        "record",
        "progress",
    }


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
    for expected, row in zip(rows(place / "whole"), rows(place / "resumed")):
        assert {**expected, "images_per_second": ""} == {**row, "images_per_second": ""}


@pytest.mark.slow
def test_training_in_two_processes(place):
    here = place / "two"
    here.mkdir()
    (here / "table.json").write_text(json.dumps(TABLE))
    environment = {
        **os.environ,
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "WAIT": "1",
        "DEVICE_TARGET": "CPU",
    }
    done = subprocess.run(
        [
            "bash",
            REPOSITORY / "nas_fpn/scripts/run_distribute_train.sh",
            "2",
            "table.json",
            place / "records",
            "--config_path",
            place / "small.yaml",
            "--epoch_size",
            "1",
            "--save_checkpoint_epochs",
            "1",
        ],
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    steps = int(rows(place / "whole")[0]["step"]) // 2  # Each process has half of the images.
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
    code, out, err = call(
        "nas_fpn",
        "eval.py",
        "--config_path",
        "small.yaml",
        "--min_score",
        0,
        "--per_class",
        "True",
        "--checkpoint_path",
        "whole/ckpt/retinanet_nasfpn-2_5.ckpt",
        "--visualize",
        "pictures",
        cwd=place,
    )
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
    assert mean == float(rows(place / "whole")[-1]["mAP"])
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
    assert float(mean) == float(rows(place / "whole")[-1]["mAP"])
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
    code, out, err = call(
        "nas_fpn",
        "export.py",
        "--config_path",
        "small.yaml",
        "--file_format",
        "ONNX",
        "--file_name",
        "detector",
        "--checkpoint_path",
        "whole/ckpt/retinanet_nasfpn-best.ckpt",
        cwd=place,
    )
    assert code == 0, err
    assert (
        float(
            re.search(
                r"detector.onnx: input \(1, 3, 128, 128\) float32; differs from the network by"
                r" (\S+)",
                out,
            ).group(1)
        )
        < 1e-4
    )
    assert (place / "detector.onnx").exists()


@pytest.mark.slow
def test_a_frozen_backbone_stays_as_it_was(place):
    """Its BatchNorms' statistics too; and metrics.csv has what was asked for."""
    start_from = place / "whole/ckpt/retinanet_nasfpn-2_5.ckpt"
    flags = ["--freeze", "backbone", "--pre_trained", start_from, "--scores_by_size", "True"]
    (place / "frozen").mkdir()
    done = start(
        "nas_fpn",
        "train.py",
        *("--config_path", place / "small.yaml", *TRAIN, "--epoch_size", 1, *flags),
        cwd=place / "frozen",
    )
    assert done.returncode == 0, done.stderr
    before = ms.load_checkpoint(str(start_from))
    after = ms.load_checkpoint(str(place / "frozen/ckpt/retinanet_nasfpn-1_5.ckpt"))
    network = [name for name in before if re.match(r"network\.(backbone|neck|head)\.", name)]
    changed = {name for name in network if (before[name].asnumpy() != after[name].asnumpy()).any()}
    rest = [name for name in network if ".backbone." not in name]
    assert len(rest) < len(network) and changed and changed <= set(rest)
    (row,) = rows(place / "frozen")
    assert list(row)[-5:] == ["mAP", "AP50", "AP small", "AP medium", "AP large"]
    assert all(-1 <= float(value) <= 1 for value in list(row.values())[-5:])


def small_network(num_classes, **options):
    module = import_from("nas_fpn", "src.retinanet_nasfpn")
    config = configuration(128, **{**SMALL, "num_classes": num_classes, **options})
    return module.retinanetWithLossCell(module.retinanetNASFPN(config), config)


def values(network):
    return {name: parameter.asnumpy() for name, parameter in network.parameters_dict().items()}


@pytest.mark.parametrize(
    "num_classes, filter_weight, not_loaded",
    [
        (3, False, "nothing"),
        (
            4,
            False,
            ", ".join(f"head.multi_cls_layers.{level}.feats.8.weight" for level in range(5)),
        ),
        (4, True, "head"),
    ],
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


def torchvision_resnet50():
    """{name: array} with the names and shapes of torchvision's ResNet-50."""
    random, weights = np.random.RandomState(0), {}

    def add(name, *shape):
        weights[name] = random.rand(*shape).astype(np.float32)

    def batch_norm(name, channels):
        for kind in ("weight", "bias", "running_mean", "running_var"):
            add(f"{name}.{kind}", channels)
        add(f"{name}.num_batches_tracked", 1)

    add("conv1.weight", 64, 3, 7, 7)
    batch_norm("bn1", 64)
    inputs = 64
    for layer, (blocks, width) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 1):
        for block in range(blocks):
            name = f"layer{layer}.{block}"
            for number, shape in enumerate(
                ((width, inputs, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1)), 1
            ):
                add(f"{name}.conv{number}.weight", *shape)
                batch_norm(f"{name}.bn{number}", shape[0])
            if block == 0:
                add(f"{name}.downsample.0.weight", 4 * width, inputs, 1, 1)
                batch_norm(f"{name}.downsample.1", 4 * width)
            inputs = 4 * width
    add("fc.weight", 1000, 2048)
    add("fc.bias", 1000)
    return weights


def test_pre_trained_backbone_with_the_names_of_torchvision(tmp_path, capsys):
    weights, path = torchvision_resnet50(), str(tmp_path / "resnet50.ckpt")
    ms.save_checkpoint(
        [{"name": name, "data": ms.Tensor(value)} for name, value in weights.items()], path
    )
    network = small_network(3, **RESNET50)
    before = values(network)
    import_from("nas_fpn", "src.init_params").load_pre_trained(network, path)
    printed, after = capsys.readouterr().out, values(network)
    assert "not an exact port" in printed and "not loaded: neck, head\n" in printed
    for ours, theirs in (
        ("conv1.weight", "conv1.weight"),
        ("bn1.gamma", "bn1.weight"),
        ("bn1.beta", "bn1.bias"),
        ("layer3.5.bn2.moving_mean", "layer3.5.bn2.running_mean"),
        ("layer4.0.down_sample_layer.0.weight", "layer4.0.downsample.0.weight"),
        ("layer4.0.down_sample_layer.1.moving_variance", "layer4.0.downsample.1.running_var"),
    ):
        assert np.array_equal(after[f"network.backbone.{ours}"], weights[theirs]), ours
    changed = [name for name in after if not np.array_equal(before[name], after[name])]
    assert len(changed) == 265 and all(name.startswith("network.backbone.") for name in changed)

    del weights["layer2.1.conv2.weight"]
    ms.save_checkpoint(
        [{"name": name, "data": ms.Tensor(value)} for name, value in weights.items()], path
    )
    with pytest.raises(user_error(), match=r"no 'backbone\.layer2\.1\.conv2\.weight' \(nearest: "):
        import_from("nas_fpn", "src.init_params").load_pre_trained(network, path)


@pytest.mark.slow
def test_training_on_modelarts(place, tmp_path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/moxing.py").write_text(MOXING)
    (tmp_path / "storage/MindRecord_COCO").mkdir(parents=True)
    stored = tmp_path / "storage/MindRecord_COCO/MindRecord_COCO.zip"
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (place / "records").iterdir():
            archive.write(path, f"MindRecord_COCO/{path.name}")
    done = subprocess.run(
        [
            sys.executable,
            str(REPOSITORY / "nas_fpn/train.py"),
            "--config_path",
            str(place / "small.yaml"),
            "--enable_modelarts",
            "True",
            "--data_url",
            "s3://MindRecord_COCO",
            "--train_url",
            "s3://results",
            f"--data_path={tmp_path}/data",
            f"--output_path={tmp_path}/output",
            "--save_checkpoint_path",
            "checkpoint",
            f"--mindrecord_dir={tmp_path}/data/MindRecord_COCO",
            "--epoch_size",
            "1",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "STORAGE": str(tmp_path / "storage"),
            "PYTHONPATH": str(tmp_path / "modules"),
        },
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "storage/results/checkpoint/retinanet_nasfpn-1_5.ckpt").exists()
