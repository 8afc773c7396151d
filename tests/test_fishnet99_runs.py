"""FishNet-99 in a copy of its folder: two real processes, resuming, exports, C++, a checkpoint
of documented names.
"""

import ast
import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import mindspore as ms
import numpy as np
import onnx
import onnxruntime
import pytest
import yaml

from folders import REPOSITORY, import_from
from golden import contrast, distance, image, weights
from script_calls import PROGRAMS, TABLE

pytestmark = pytest.mark.slow

DATA = Path(__file__).parent / "data"
SIZE = 32
SMALL = ["--num_classes", "2", "--image_size", str(SIZE)]
TRAINING = [
    *SMALL,
    "--batch_size",
    "4",
    "--epoch_size",
    "2",
    "--T_max",
    "2",
    "--save_checkpoint_epochs",
    "1",
]


class Elsewhere:
    """A copy of the folder without the rest of the repository; 16 images to train on and 7 to
    evaluate.
    """

    def __init__(self, root):
        self.root, self.model = root, root / "a $copy"
        shutil.copytree(
            REPOSITORY / "fishnet99",
            self.model,
            ignore=shutil.ignore_patterns(
                "out", "__pycache__", "*.log", "ckpt*", "train*0", "train"
            ),
        )
        generator = np.random.default_rng(0)
        for split, count in (("train", 16), ("val", 7)):
            for number in range(count):
                # An image of the size to which images are resized has the same input in Python and
                # C++, bit by bit.
                resized = SIZE * 256 // 224 if number % 3 else 70
                path = (
                    root
                    / "images"
                    / split
                    / "ab"[number % 2]
                    / f"{number}.{'png' if number % 3 else 'JPEG'}"
                )
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), generator.integers(0, 256, (resized, resized, 3), np.uint8))
        (root / "table.json").write_text(json.dumps(TABLE))

    def run(self, *command):
        """The standard output of a command in `root`, on the CPU, with two devices for what is
        distributed.
        """
        environment = {
            key: value for key, value in os.environ.items() if key not in ("GLOG_v", "PYTHONPATH")
        }
        environment.update(
            PATH=f"{PROGRAMS}:{os.environ['PATH']}",
            WAIT="1",
            DEVICE_TARGET="CPU",
            DEVICE_NUM="2",
            CPP_INFER_HOME=str(REPOSITORY / "utils/cpp_infer"),
        )
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def python(self, script, *arguments):
        return self.run(sys.executable, self.model / script, *arguments, "--device_type", "CPU")

    def train(self, *flags):
        return self.run(
            "bash",
            self.model / "scripts/run_train_ascend.sh",
            "table.json",
            "--data_path",
            "images/train",
            *TRAINING,
            *flags,
        )


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return Elsewhere(tmp_path_factory.mktemp("else where"))


@pytest.fixture(scope="module")
def trained(elsewhere):
    """After two epochs of two steps in two processes. The folder of checkpoints is
    `checkpoints`.
    """
    elsewhere.train()
    elsewhere.checkpoints = elsewhere.root / "train_parallel0/ckpt_0"
    return elsewhere


def rows(folder):
    return list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))


def accuracies(output):
    """[(path of the model, scores)] from the documented lines."""
    return [
        (path, ast.literal_eval(scores))
        for path, scores in re.findall(r"^model (.*)'s accuracy is (\{.*\})$", output, re.M)
    ]


def test_training_in_two_processes(trained):
    for worker in "01":
        log = (trained.root / f"train_parallel{worker}/log").read_text()
        assert "2 CPU device(s): lr_init 0.1, T_max 2, epoch_size 2\n" in log
        assert "CPU: training in float32; mixed precision (O3) is for Ascend and GPU\n" in log
        assert (
            re.search(r"^epoch: 2 step: 2, loss is \d+\.\d+$", log, re.M)
            and "\ntrain success\n" in log
        )
    assert {path.name for path in trained.checkpoints.iterdir()} == {
        "config.yaml",
        "curves.png",
        "metrics.csv",
        "train_fishnet99_imagenet-1_2.ckpt",
        "train_fishnet99_imagenet-2_2.ckpt",
    }
    assert not list(trained.root.glob("train_parallel*/ckpt_1/*.ckpt"))
    table = rows(trained.checkpoints)
    assert [(row["epoch"], row["step"], float(row["lr"])) for row in table] == [
        ("1", "2", pytest.approx(0.1)),
        ("2", "4", pytest.approx(0.05)),
    ]
    assert yaml.safe_load((trained.checkpoints / "config.yaml").read_text())["lr_init"] == 0.1
    entries = ms.load_checkpoint(str(trained.checkpoints / "train_fishnet99_imagenet-2_2.ckpt"))
    assert set(dict(json.loads((DATA / "fishnet99.params.json").read_text()))) <= set(entries)
    assert sum(name.startswith("moments.") for name in entries) == 302


def test_resumed_training_ends_with_the_same_weights(trained):
    last = trained.checkpoints / "train_fishnet99_imagenet-2_2.ckpt"
    whole, table = ms.load_checkpoint(str(last)), rows(trained.checkpoints)
    last.unlink()
    trained.train("--resume", "auto")
    assert "resume after epoch 1" in (trained.root / "train_parallel1/log").read_text()
    resumed = ms.load_checkpoint(str(last))
    assert list(resumed) == list(whole)
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name].asnumpy(), value.asnumpy(), err_msg=name)
    for key in ("epoch", "step", "loss", "lr"):
        assert [row[key] for row in rows(trained.checkpoints)] == [row[key] for row in table]


def test_fine_tuning_for_another_number_of_classes(trained):
    """A network for five classes from the weights for two, validated while it trains; the best
    checkpoint is kept.
    """
    out = trained.python(
        "train.py",
        "--pre_trained",
        "True",
        "--checkpoint_path",
        trained.checkpoints / "train_fishnet99_imagenet-2_2.ckpt",
        "--dataset_path",
        "images/train",
        "--save_checkpoint_path",
        "tuned",
        *TRAINING,
        "--num_classes",
        "5",
        "--epoch_size",
        "1",
        "--run_eval",
        "--val_data_path",
        "images/val",
    )
    assert (
        "train_fishnet99_imagenet-2_2.ckpt; not loaded: classifier.6.weight, classifier.6.bias\n"
        in out
    )
    top1 = float(rows(trained.root / "tuned/ckpt_0")[0]["top1"])
    assert (
        top1 * 7 == pytest.approx(round(top1 * 7))
        and f"epoch: 1 evaluation: {{'top1': {top1}, 'top5': 1.0}}" in out
    )
    assert {path.name for path in (trained.root / "tuned/ckpt_0").glob("*.ckpt")} == {
        "train_fishnet99_imagenet-1_4.ckpt",
        "train_fishnet99_imagenet-best.ckpt",
    }


def test_evaluation_counts_every_image(elsewhere):
    # A network that has hardly trained overflows in evaluation, which is refused.
    folder = elsewhere.root / "judged"
    folder.mkdir()
    for end in ("1_2", "2_2"):
        path = folder / f"train_fishnet99_imagenet-{end}.ckpt"
        write_documented_checkpoint(path, classes=2)
    out = elsewhere.python(
        "eval.py",
        "--checkpoint_path",
        folder,
        "--val_data_path",
        "images/val",
        *SMALL,
        "--batch_size",
        "4",
    )
    found = accuracies(out)
    assert [Path(path).stem.rsplit("-", 1)[1] for path, _ in found] == ["1_2", "2_2"]
    for path, scores in found:
        assert (
            list(scores) == ["top_1_accuracy", "top_5_accuracy"] and scores["top_5_accuracy"] == 1.0
        )
        assert scores["top_1_accuracy"] * 7 == pytest.approx(round(scores["top_1_accuracy"] * 7)), (
            path
        )
    assert out.endswith("evaluated 7 images\n")
    dropped = elsewhere.python(
        "eval.py",
        "--checkpoint_path",
        found[0][0],
        "--val_data_path",
        "images/val",
        *SMALL,
        "--batch_size",
        "4",
        "--drop_remainder",
        "True",
    )
    assert dropped.endswith("evaluated 4 images\n") and len(accuracies(dropped)) == 1


def write_documented_checkpoint(path, classes=1000):
    """The parameters of the contract under golden weights, and what a Momentum run adds: 805
    entries.
    """
    entries = []
    for name, shape in json.loads((DATA / "fishnet99.params.json").read_text()):
        shape = [classes, *shape[1:]] if name.startswith("classifier.6.") else shape
        entries.append({"name": name, "data": ms.Tensor(weights(name, shape))})
        if not name.split(".")[-1].startswith("moving"):
            entries.append(
                {"name": f"moments.{name}", "data": ms.Tensor(np.zeros(shape, np.float32))}
            )
    for name, value in (
        ("global_step", np.array([5], np.int32)),
        ("momentum", np.array(0.9, np.float32)),
        ("learning_rate", np.zeros(5, np.float32)),
    ):
        entries.append({"name": name, "data": ms.Tensor(value)})
    assert len(entries) == 805
    ms.save_checkpoint(entries, str(path))


def test_exports_and_cpp_agree_with_the_checkpoint(elsewhere):
    """Accuracies are equal, and logits from C++ are those of onnxruntime on the preprocessing of
    eval.py.
    """
    checkpoint, found = elsewhere.root / "two classes.ckpt", []
    # A network that has hardly trained overflows in evaluation.
    write_documented_checkpoint(checkpoint, classes=2)
    for file_format in ("ONNX", "mindir"):
        out = elsewhere.python(
            "export.py", "--ckpt_file", checkpoint, *SMALL, "--file_format", file_format
        )
        assert re.search(
            r"input \(1, 3, 32, 32\) float32; differs from the network by \d\.\de[+-]\d\d\n$", out
        )
        out = elsewhere.python(
            "eval_onnx.py",
            "--onnx_path",
            f"FishNet99.{file_format.lower()}",
            "--val_data_path",
            "images/val",
        )
        assert out.endswith("evaluated 7 images\n")
        found.append(accuracies(out)[0][1])
    elsewhere.run(
        "bash", elsewhere.model / "run_infer_310.sh", "FishNet99.mindir", "images/val", "0"
    )
    line = (elsewhere.root / "acc.log").read_text().splitlines()[-1]
    top1, top5 = map(
        float,
        re.fullmatch(r"Total data: 7, top1 accuracy: (.*), top5 accuracy: (.*)\.", line).groups(),
    )
    expected = accuracies(
        elsewhere.python(
            "eval.py", "--checkpoint_path", checkpoint, "--val_data_path", "images/val", *SMALL
        )
    )[0][1]
    assert found == [expected] * 2 and [top1, top5] == pytest.approx(list(expected.values()))

    operators = [
        node.op_type for node in onnx.load(str(elsewhere.root / "FishNet99.onnx")).graph.node
    ]
    # the runtimes' own operator, not what is fast in MindSpore on CPU
    assert operators.count("Resize") == 3
    session = onnxruntime.InferenceSession(
        str(elsewhere.root / "FishNet99.onnx"), providers=["CPUExecutionProvider"]
    )
    data = import_from("fishnet99", "src.dataset")
    preprocess = data.evaluation_operations(data.evaluation_preprocessing(SIZE, SIZE))
    for path in (elsewhere.root / "images/val").glob("*/*"):
        pixels = np.fromfile(path, np.uint8)
        for operation in preprocess:
            pixels = operation(pixels)
        want = session.run(None, {session.get_inputs()[0].name: pixels[None]})[0][0]
        got = np.fromfile(elsewhere.root / f"result_Files/{path.stem}_0.bin", np.float32)
        assert (
            np.abs(got - want).max()
            <= (1e-3 if path.suffix == ".png" else 1e-2) * np.abs(want).max()
        ), path


def test_a_checkpoint_with_the_documented_names_through_the_documented_commands(elsewhere):
    """On images of 224 and 1000 classes, without a flag that the documentation does not have but
    for the data.
    """
    (elsewhere.root / "ckpt_0").mkdir()
    checkpoint = elsewhere.root / "ckpt_0/train_fishnet99_imagenet-146_10009.ckpt"
    names = elsewhere.root / "names.txt"
    names.write_text("\n".join(["a", "b", *map(str, range(998))]))
    data = ("--val_data_path", "images/val", "--class_names", names)
    write_documented_checkpoint(checkpoint)
    out = elsewhere.python("eval.py", "--checkpoint_path", "./ckpt_0", *data)
    ((path, scores),) = accuracies(out)
    assert path == "./ckpt_0/train_fishnet99_imagenet-146_10009.ckpt" and out.endswith(
        "evaluated 7 images\n"
    )
    elsewhere.run(
        sys.executable,
        elsewhere.model / "export.py",
        "--ckpt_file",
        checkpoint,
        "--file_format",
        "ONNX",
        "--file_name",
        "documented",
    )
    session = onnxruntime.InferenceSession(
        str(elsewhere.root / "documented.onnx"), providers=["CPUExecutionProvider"]
    )
    logits = [
        session.run(None, {session.get_inputs()[0].name: one[None]})[0][0]
        for one in image((2, 3, 224, 224))
    ]
    with np.load(DATA / "fishnet99.npz", allow_pickle=False) as golden:
        assert distance(np.array(logits), golden["logits_224"]) <= 1e-4
        assert contrast(np.array(logits), golden["logits_224"]) <= 1e-2
    out = elsewhere.python("eval_onnx.py", "--onnx_path", "documented.onnx", *data)
    assert accuracies(out)[0][1] == scores
