"""Training, in every folder, for real: what it writes, resuming, interrupting, full disks.

The tests of one folder stand in order and use what the one before has left.
"""

import csv
import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import mindspore as ms
import numpy as np
import onnx
import pytest
import yaml

from entry_points import assert_one_line, call, start, start_on_terminal
from folders import NAMES, REPOSITORY, flags_of, import_from, slow_where_heavy
from places import CLASSES, Place, write_teacher

sys.path.append(str(REPOSITORY / "utils/bench"))
count = importlib.import_module("multiply_adds").count
runs = {}


class Run:
    """A folder in which two epochs were trained, with evaluation and checkpoints after the first
    step of the second and after both, and what that printed.
    """

    def __init__(self, root, folder):
        self.root, self.folder = root, folder
        is_detector = flags_of(folder).detector
        self.place = Place(root, folder, training=8 if is_detector else 4, evaluation=2)
        self.place.prepare_training()
        self.steps, every = (2, 1) if is_detector else (3, 2)  # of 4 of the 8 or 12 images
        flags = ("--batch_size", "4", "--epoch_size", "2", "--save_checkpoint_steps", every)
        # Beside the documentation, as the default is what tests/faulty_training.py interrupts.
        flags += ("--ema_decay", "0.5", "--accumulate_steps", "2", "--clip_norm", "1")
        if not is_detector:
            flags += ("--mixup", "0.2", "--cutmix", "1", "--erasing", "0.5")
            teacher = write_teacher(root / "teacher.onnx", self.place.flags.image_size)
            flags += (*self.place.flags.drop, "--teacher", teacher)
        self.flags = (*self.place.use, *flags, *self.place.flags.save_flags)
        self.run_eval = ("--run_eval", "True", "--eval_interval", "1")
        done = self.train("whole", *self.run_eval)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        self.out = done.stdout

    def command(self, where, *flags):
        return (*self.flags, self.place.flags.save_flag, where, *flags)

    def train(self, where, *flags, **environment):
        return start(
            self.folder, "train.py", *self.command(where, *flags), cwd=self.root, **environment
        )

    def saved(self, where):
        return self.root / where / self.place.flags.saved

    def checkpoint(self, where, epoch, step=None):
        (path,) = self.saved(where).glob(f"*-{epoch}_{step or self.steps}.ckpt")
        return path


@pytest.fixture(params=slow_where_heavy(NAMES))
def run(request, tmp_path_factory):
    if request.param not in runs:
        runs[request.param] = Run(tmp_path_factory.mktemp("a $run"), request.param)
    return runs[request.param]


def rows(folder):
    return list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))


def test_what_training_writes(run):
    folder = run.saved("whole")
    names = {re.sub(r"^.*-(\w+\.ckpt)$", r"\1", path.name) for path in folder.iterdir()}
    steps = run.steps
    wanted = {"best.ckpt", f"1_{steps}.ckpt", "2_1.ckpt", f"2_{steps}.ckpt"}
    assert wanted | {"config.yaml", "metrics.csv", "curves.png"} <= names
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    table = rows(folder)
    assert [(row["epoch"], row["step"]) for row in table] == [
        ("1", str(steps)),
        ("2", str(2 * steps)),
    ]
    assert all(np.isfinite(float(row["loss"])) and float(row["lr"]) >= 0 for row in table)
    assert all(0 <= float(list(row.values())[-1]) <= 1 for row in table)
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["batch_size"] == 4 and list(CLASSES) == config["class_names"][-3:]
    record = ms.load_checkpoint(str(run.checkpoint("whole", 2)))["record"].asnumpy().tobytes()
    assert json.loads(record)["class_names"][-3:] == list(CLASSES)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_eval_onnx_alone_takes_what_was_left(run, tmp_path):
    """The newest export, and the evaluation images of the newest run: as with flags."""
    code, _, err = call(run.folder, "eval_onnx.py", cwd=tmp_path)
    assert_one_line(code, err)
    (run.root / "older.onnx").write_bytes(b"no export")
    os.utime(run.root / "older.onnx", (1, 1))
    weights = ("--checkpoint_path", fresh_weights(run), "--device_target", "CPU")
    flags = (*run.place.flags.network, *weights, "--file_format", "ONNX", "--file_name", "newest")
    code, _, err = call(run.folder, "export.py", *flags, cwd=run.root)
    assert code == 0, err
    (run.root / "._newest.onnx").write_bytes(b"of another system")
    code, out, err = call(run.folder, "eval_onnx.py", cwd=run.root)
    assert code == 0, err
    assert "the newest exported file here: newest.onnx\n" in out
    assert "from the newest run here, whole/" in out
    flags = (*run.place.data, "--onnx_path", "newest.onnx")
    code, wanted, err = call(run.folder, "eval_onnx.py", *flags, cwd=run.root)
    assert code == 0, err
    assert scores(out) == scores(wanted) != []


def fresh_weights(run):
    """A checkpoint with the run's record. Six steps may end in weights that multiply rounding."""
    record = import_from(run.folder, "src.vendored.record").read_record(run.checkpoint("whole", 2))
    path, values = run.root / "fresh.ckpt", ms.load_checkpoint(str(run.place.save_network()))
    entries = [{"name": name, "data": value} for name, value in values.items()]
    save = import_from(run.folder, "src.vendored.checkpoints").save_checkpoint
    save(entries, path, record[0])
    return path


def scores(out):
    """The lines of a folder's output that have its scores."""
    return re.findall(r"ccuracy'?: .*|top[15]_correct.*|Top[15]-Acc: .*|mAP: .*", out)


def test_resumed_training_ends_with_the_same_weights(run):
    """From the middle of an epoch on, which is a line of the table like any other; on a terminal,
    with a line of progress below those of the log, and with TensorBoard's files.
    """
    folder = run.saved("resumed")
    shutil.copytree(run.saved("whole"), folder)
    run.checkpoint("resumed", 2).unlink()
    (folder / ".unfinished_abc.ckpt").write_bytes(b"left by a killed run")
    flags = run.command("resumed", *run.run_eval, "--resume", "auto", "--tensorboard")
    code, printed = start_on_terminal(run.folder, "train.py", *flags, cwd=run.root)
    assert code == 0, printed
    assert "resume after epoch 1 and 1 steps" in printed
    assert re.search(rf"\repoch 2/2 step \d/{run.steps} loss .*images/s, .*left", printed)
    assert lines_of_training(printed) <= lines_of_training(run.out)
    assert "images/s" not in run.out and "\r" not in run.out
    whole, resumed = (
        ms.load_checkpoint(str(run.checkpoint(where, 2))) for where in ("whole", "resumed")
    )
    assert list(whole) == list(resumed)
    for name, value in whole.items():
        np.testing.assert_array_equal(value.asnumpy(), resumed[name].asnumpy(), err_msg=name)
    for key in ("epoch", "step", "loss", "lr"):
        assert [row[key] for row in rows(folder)] == [row[key] for row in rows(run.saved("whole"))]
    assert list((folder / "tensorboard").iterdir())
    assert not (folder / ".unfinished_abc.ckpt").exists() and not (folder / "earlier.1").exists()


def lines_of_training(printed):
    """The lines of a terminal or a log from where results are named on, but for numbers."""
    shown = [line.rsplit("\r", 1)[-1] for line in printed.replace("\r\n", "\n").split("\n")]
    shown = [line for line in shown if "%|" not in line]  # bars of the evaluation's own
    names = [number for number, line in enumerate(shown) if line.startswith("results go to")]
    lines = [line.strip().replace("/resumed", "/whole") for line in shown[names[0] + 1 :]]
    return {re.sub(r"[-+]?\d[-+\d.e:]*", "#", line) for line in lines}


def test_a_dry_run_writes_nothing(run):
    before = sorted(run.root.rglob("*"))
    done = run.train("dry", *run.run_eval, "--dry_run", "--tensorboard")
    assert done.returncode == 0, done.stderr
    assert sorted(run.root.rglob("*")) == before
    out, network = done.stdout, ms.load_checkpoint(str(run.root / "good.ckpt"))
    parameters = sum(parameter.size for parameter in network.values())
    assert f"parameters: {parameters:,} in {len(network)} tensors" in out
    (adds,) = re.findall(r"multiply-adds: ([\d,]+) an image", out)
    exported = run.root / "newest.onnx"
    (images, *_) = onnx.load(exported).graph.input[0].type.tensor_type.shape.dim
    # An export pools by multiplying, and cuts kernels where all of an edge lies on padding.
    wanted = count(exported) / images.dim_value
    assert int(adds.replace(",", "")) == pytest.approx(wanted, rel=0.03)
    last = rows(run.saved("whole"))[-1]
    assert f"step {last['step']} (epoch 2): {last['lr']}\n" in out
    assert f"data: {4 * run.steps} images, {run.steps} steps of 4 an epoch" in out
    assert "one step: loss " in out and "GB of this computer" in out


def test_nothing_left_to_train(run):
    done = run.train("whole", "--resume", "auto")
    assert_one_line(done.returncode, done.stderr, "2 of 2 epochs", "nothing left to train")


def test_from_weights_of_the_folder_that_is_put_aside_and_ctrl_c(run):
    """The checkpoint lies where the new run writes; Ctrl-C ends it with a way to go on."""
    weights = run.checkpoint("whole", 1).relative_to(run.root)
    flags = (*run.command("whole", "--pre_trained", weights),)
    script = str(REPOSITORY / run.folder / "train.py")
    process = subprocess.Popen(
        [sys.executable, script, *map(str, flags)], cwd=run.root, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "the graph is compiled" in line:
            break
    deadline = time.monotonic() + 300
    while not list(run.saved("whole").glob("*-1_*.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert len(err.strip().splitlines()) == 1 and err.startswith("error: interrupted")
    assert "--resume auto" in err
    assert any("loaded" in line and "not loaded: nothing" in line for line in lines), lines
    assert list((run.saved("whole") / "earlier.1").glob("*-2_*.ckpt"))


SAVE = """import sys
sys.path.insert(0, sys.argv[1])
from src.vendored.launch import run
import mindspore as ms
from src.vendored.checkpoints import save_checkpoint
record = {"options": {}, "class_names": None}
run(lambda: save_checkpoint(ms.nn.Dense(600, 600), "a name.ckpt", record))
"""


@pytest.mark.parametrize("folder", NAMES)
def test_a_full_disk_leaves_what_was_there(tmp_path, folder):
    """A file size limit stands in for the disk: writes beyond it fail as on a full one."""
    (tmp_path / "a name.ckpt").write_text("what was there")
    program = [sys.executable, "-c", SAVE, str(REPOSITORY / folder)]
    command = ["bash", "-c", 'ulimit -f 600; exec "$@"', "bash", *program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert_one_line(done.returncode, done.stderr, "a name.ckpt: cannot be written", "too large")
    assert [path.name for path in tmp_path.iterdir()] == ["a name.ckpt"]
    assert (tmp_path / "a name.ckpt").read_text() == "what was there"


def test_a_folder_that_cannot_be_written(run):
    (run.root / "whole.txt").touch()
    done = run.train("whole.txt/x")
    assert_one_line(done.returncode, done.stderr, "whole.txt")
