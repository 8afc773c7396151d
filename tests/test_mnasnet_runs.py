"""MnasNet's scripts on small data: ModelArts, an exact resume in a copy of the folder,
evaluation and export.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import cv2
import mindspore as ms
import numpy as np
import pytest
import yaml

from entry_points import call
from folders import REPOSITORY, import_from
from script_calls import PROGRAMS, TABLE

pytestmark = pytest.mark.slow

SMALL = ["--device_target", "CPU", "--image_size", "32", "--class_num", "3", "--batch_size", "4"]
SMALL += ["--depth_multiplier", "0.25"]
TRAIN = [*SMALL, "--epoch_size", "2", "--warmup_epochs", "1", "--lr_max", "0.001"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with images, in which ModelArts' flow has trained two epochs: (folder, standard
    output).
    """
    root = tmp_path_factory.mktemp("a $place")
    generator = np.random.default_rng(0)
    for index in range(10):
        path = root / f"storage/images/class {index % 3}/{index}.JPEG"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), generator.integers(0, 256, (40, 50, 3), np.uint8))

    def copy_parallel(source, target):
        shutil.copytree(
            *(path.replace("s3:/", str(root / "storage")) for path in (source, target)),
            dirs_exist_ok=True,
        )

    with pytest.MonkeyPatch.context() as patch:  # `moxing` exists on ModelArts alone.
        moxing = SimpleNamespace(file=SimpleNamespace(copy_parallel=copy_parallel))
        patch.setitem(sys.modules, "moxing", moxing)
        flags = ["--run_modelarts", "True", "--data_url", "s3://images", "--train_url"]
        flags += ["s3://results", "--cache_path", root / "cache", "--run_eval"]
        flags += ["--eval_dataset_path", root / "storage/images"]
        code, out, err = call("mnasnet", "train.py", *TRAIN, *flags, cwd=root)
    assert code == 0, err
    return root, out


def run_copy(root, script, *arguments):
    """The standard output of a script in a copy of the folder, outside the repository."""
    folder = root / "elsewhere/mnasnet"
    if not folder.exists():
        shutil.copytree(
            REPOSITORY / "mnasnet", folder, ignore=shutil.ignore_patterns("out", "__pycache__")
        )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, folder / script, *map(str, arguments)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_training_log_and_results(trained):
    root, out = trained
    lines = out.splitlines()
    documented = ["model init", "loss init", "dataset init", "lr init", "training start."]
    assert [line for line in lines if line in documented] == documented
    assert "CPU: training in float32; mixed precision (O3) is for Ascend" in lines
    steps = [
        line
        for line in lines
        if re.match(r"epoch: \[  [01]/  2\], step:\[    [01]/    2\], loss:", line)
    ]
    assert len(steps) == 4
    results = root / "storage/results/model_0"
    assert {path.name for path in results.iterdir()} == {
        "Mnasnet-rank0-1_2.ckpt",
        "Mnasnet-rank0-2_2.ckpt",
        "Mnasnet-rank0-best.ckpt",
        "config.yaml",
        "metrics.csv",
        "curves.png",
    }
    rows = list(csv.DictReader((results / "metrics.csv").read_text().splitlines()))
    assert [(row["epoch"], row["step"]) for row in rows] == [("1", "2"), ("2", "4")]
    # all ten images counted
    assert float(rows[1]["top1"]) * 10 == pytest.approx(round(float(rows[1]["top1"]) * 10))
    assert yaml.safe_load((results / "config.yaml").read_text())["lr_max"] == 0.001
    entries = ms.load_checkpoint(str(results / "Mnasnet-rank0-2_2.ckpt"))
    # and the record, and how far training is
    assert (
        len(entries) == 583 + 2 and sum(name.startswith("mean_square.") for name in entries) == 159
    )


def test_a_resumed_copy_of_the_folder_ends_with_the_same_weights(trained):
    root, _ = trained
    results = root / "storage/results/model_0"
    flags = ["--dataset_path", root / "storage/images", "--save_checkpoint_path", "again"]
    flags += ["--resume", results / "Mnasnet-rank0-1_2.ckpt"]
    out = run_copy(root, "train.py", *TRAIN, *flags)
    assert "resume after epoch 1" in out and "epoch: [  1/  2], step:[    1/    2]" in out
    expected, got = (
        ms.load_checkpoint(str(folder / "Mnasnet-rank0-2_2.ckpt"))
        for folder in (results, root / "again/model_0")
    )
    assert list(expected) == list(got)
    for name in expected:
        np.testing.assert_array_equal(expected[name].asnumpy(), got[name].asnumpy(), err_msg=name)


def reference_result(root, images):
    """(mean smoothed loss, top-1 accuracy) of the trained network, in NumPy."""
    network = (
        import_from("mnasnet", "src.models.mnasnet")
        .Mnasnet(3, depth_multiplier=0.25)
        .set_train(False)
    )
    ms.load_checkpoint(str(root / "storage/results/model_0/Mnasnet-rank0-2_2.ckpt"), network)
    create_dataset = import_from("mnasnet", "src.dataset").create_dataset
    losses, hits = [], []
    for batch, labels in create_dataset(str(images), False, 1, image_size=32).create_tuple_iterator(
        num_epochs=1
    ):
        logits, label = network(batch).asnumpy()[0].astype(np.float64), int(labels.asnumpy()[0])
        logarithms = logits - np.log(np.exp(logits).sum())
        target = np.where(np.arange(3) == label, 0.9, 0.05)
        losses.append(-(target * logarithms).sum())
        hits.append(logits.argmax() == label)
    return np.mean(losses), np.mean(hits)


def test_evaluation_counts_every_image_once(trained):
    """Ten images in batches of four: the last one is smaller."""
    root, _ = trained
    checkpoint = root / "storage/results/model_0/Mnasnet-rank0-2_2.ckpt"
    flags = ["--dataset_path", root / "storage/images", "--checkpoint_path", checkpoint]
    out = run_copy(root, "eval.py", *SMALL, *flags)
    result = json.loads(
        re.search(r"result: (\{.*\}) ckpt= " + re.escape(str(checkpoint)), out)[1].replace("'", '"')
    )
    assert list(result) == ["Loss", "Top_1_Acc", "Top_5_Acc"] and "evaluated 10 images" in out
    loss, accuracy = reference_result(root, root / "storage/images")
    assert result["Loss"] == pytest.approx(loss, rel=1e-4) and result["Top_1_Acc"] == pytest.approx(
        accuracy
    )
    assert result["Top_5_Acc"] == 1.0


def test_exports_have_the_accuracy_of_the_checkpoint(trained):
    root, _ = trained
    _, accuracy = reference_result(root, root / "storage/images")
    for file_format in ("onnx", "MINDIR"):  # the documentation writes one in lower case
        flags = ["--file_format", file_format, "--checkpoint_path"]
        flags += ["storage/results/model_0/Mnasnet-rank0-2_2.ckpt"]
        code, out, err = call("mnasnet", "export.py", *SMALL[:6], *SMALL[8:], *flags, cwd=root)
        checked = r"input \(1, 3, 32, 32\) float32; differs from the network by \d.\de[-+]\d\d"
        assert code == 0 and re.search(checked, out), err
        flags = ["--dataset_path", "storage/images", "--device_target", "CPU", "--onnx_url"]
        flags += [f"MNasNet.{file_format.lower()}"]
        code, out, err = call("mnasnet", "eval_onnx.py", *flags, cwd=root)
        assert code == 0 and [line for line in out.splitlines() if "interval" not in line][-3:] == [
            f"Top1-Acc: {accuracy:.4f}",
            "Top5-Acc: 1.0000",
            "evaluated 10 images",
        ], err


def test_training_in_two_processes(trained):
    root, _ = trained
    (root / "table.json").write_text(json.dumps(TABLE))
    environment = {**os.environ, "WAIT": "1", "DEVICE_TARGET": "CPU", "DEVICE_NUM": "2"}
    environment["PATH"] = f"{PROGRAMS}:{os.environ['PATH']}"
    script = REPOSITORY / "mnasnet/scripts/run_distribute_train.sh"
    done = subprocess.run(
        ["bash", script, "table.json", "storage/images", *TRAIN[2:]],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for worker in "01":  # Ten images are one batch of four for each.
        log = (root / f"train_parallel{worker}/log.txt").read_text()
        steps = re.findall(
            r"^epoch: \[  ([01])/  2\], step:\[    0/    1\], loss:\[(\d\.\d+)/", log, re.M
        )
        assert [epoch for epoch, _ in steps] == ["0", "1"], log
    results = root / "train_parallel0/checkpoint/model_0"
    assert {path.name for path in results.iterdir()} == {
        "Mnasnet-rank0-1_1.ckpt",
        "Mnasnet-rank0-2_1.ckpt",
        "config.yaml",
        "metrics.csv",
        "curves.png",
    }
    assert not list(root.glob("train_parallel*/checkpoint/model_1/*.ckpt"))
    entries = ms.load_checkpoint(str(results / "Mnasnet-rank0-2_1.ckpt"))
    assert int(entries["global_step"].asnumpy()[0]) == 2


def test_weights_for_another_number_of_classes(trained):
    root, _ = trained
    (root / "two").mkdir()
    for index in range(2):
        shutil.copytree(root / f"storage/images/class {index}", root / f"two/class {index}")
    flags = ["--class_num", "2", "--dataset_path", "two", "--epoch_size", "1"]
    flags += ["--warmup_epochs", "0", "--opt", "sgd", "--save_checkpoint_path", "tuned"]
    flags += ["--pre_trained", "storage/results/model_0/Mnasnet-rank0-2_2.ckpt"]
    code, out, err = call("mnasnet", "train.py", *TRAIN, *flags, cwd=root)
    assert code == 0 and "not loaded: fc.weight, fc.bias" in out, err
    assert (root / "tuned/model_0/Mnasnet-rank0-1_1.ckpt").exists()
