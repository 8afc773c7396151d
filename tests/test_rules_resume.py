"""What `--resume auto` takes, in every folder, after power losses, kills and rollbacks."""

import contextlib
import io
import json
import os
from unittest import mock

import mindspore as ms
import pytest

from folders import NAMES, import_from

RECORD = {"options": {}, "class_names": None}
RUN = {"seed": 1, "batch_size": 4, "processes": 1, "steps_per_epoch": 10}
FILES = ("metrics.csv", "curves.png", "config.yaml")


class Training:
    """What training of a folder calls, on a network of one layer, in `folder`."""

    def __init__(self, name, folder):
        self.folder = folder
        self.resume = import_from(name, "src.vendored.resume")
        self.earlier = import_from(name, "src.vendored.earlier")
        self.save_checkpoint = import_from(name, "src.vendored.checkpoints").save_checkpoint
        self.error = import_from(name, "src.vendored.launch").UserError
        self.network = ms.nn.Dense(3, 2)
        self.optimizer = ms.nn.Momentum(self.network.trainable_params(), 0.1, 0.9)

    def save(self, epoch, step=10, folder=None, name=None, **run):
        """The checkpoint after `step` steps of `epoch`; its weights are its number."""
        self.network.weight.set_data(ms.ops.full_like(self.network.weight, epoch + step / 100))
        within = step < 10
        progress = {
            **RUN,
            **run,
            "epochs": epoch - within,
            "steps": step * within,
            "loss_sum": 0.5 * step * within,
        }
        step_of_all = ms.nn.TrainOneStepCell(ms.nn.WithLossCell(self.network, None), self.optimizer)
        path = (folder or self.folder) / (name or f"net-{epoch}_{step}.ckpt")
        self.save_checkpoint(step_of_all, path, RECORD, progress)
        return path

    def start(self, resume="auto", **run):
        """(the Start, the number that the weights are, what was printed)."""
        self.network.weight.set_data(ms.ops.zeros_like(self.network.weight))
        with contextlib.redirect_stdout(io.StringIO()) as out:
            start = self.resume.resume_training(
                str(resume), self.folder, "net", self.network, self.optimizer, {**RUN, **run}
            )
            self.resume.prepare_folder(self.folder, "net", start)
        return start, round(float(self.network.weight[0, 0]), 2), out.getvalue()

    def names(self, folder="."):
        return sorted(path.name for path in (self.folder / folder).glob("[!.]*.*[!0-9]"))


@pytest.fixture(params=NAMES)
def training(request, tmp_path):
    return Training(request.param, tmp_path)


def truncate(path, share=0.5):
    os.truncate(path, int(path.stat().st_size * share))


def test_the_newest_by_number(training):
    for epoch, step in ((9, 10), (10, 10), (11, 2), (11, 4), (2, 10)):
        training.save(epoch, step)
    start, weight, printed = training.start()
    assert start[:3] == (10, 4, 2.0) and weight == 11.04
    assert int(training.optimizer.global_step.asnumpy().item()) == 104
    assert "resume after epoch 10 and 4 steps" in printed


@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_damaged_checkpoints_are_passed_over(training, share):
    training.save(3)
    for epoch in (4, 5):
        truncate(training.save(epoch), share)
    training.save(5, name="net-best.ckpt")
    start, weight, printed = training.start()
    assert (start.epochs, weight) == (3, 3.1)
    for epoch in (4, 5):
        (line,) = [line for line in printed.splitlines() if f"net-{epoch}_10.ckpt" in line]
        assert line.startswith("passed over: ") and "not a whole checkpoint" in line
    assert training.names() == ["net-3_10.ckpt"]
    assert training.names("earlier.1") == ["net-4_10.ckpt", "net-5_10.ckpt", "net-best.ckpt"]


def test_a_checkpoint_cut_between_two_entries(training):
    """It has no checksum any more, and what is left of it can be read."""
    training.save(3)
    path = training.save(4)
    entry = path.read_bytes().index(b"bias") - 4
    os.truncate(path, entry)
    assert list(ms.load_checkpoint(str(path))) == ["weight"]
    start, weight, printed = training.start()
    assert (start.epochs, weight) == (3, 3.1) and "passed over" in printed


def test_none_is_whole(training):
    truncate(training.save(1))
    start, weight, printed = training.start()
    assert (start.epochs, start.path, weight) == (0, "", 0) and "passed over" in printed
    assert training.names() == [] and training.names("earlier.1") == ["net-1_10.ckpt"]


@pytest.mark.parametrize("kept", range(7))
def test_a_kill_while_an_earlier_run_is_put_aside(training, kept):
    """Wherever it strikes, the earlier run is not resumed, and nothing of it is lost."""
    for epoch in (1, 2, 3):
        training.save(epoch)
    for name in FILES:
        (training.folder / name).write_text("")
    everything = training.names()
    replace, moved = os.replace, []

    def killed(source, target):
        if len(moved) == kept and "earlier.1" in str(target):
            raise SystemExit
        replace(source, target)
        moved.append(source) if "earlier.1" in str(target) else None

    with mock.patch.object(os, "replace", killed), contextlib.suppress(SystemExit):
        training.start(resume="")
    assert len(training.names()) == len(everything) - kept
    start, weight, printed = training.start()
    assert (start.path, weight) == ("", 0)
    assert training.names() == [] and training.names("earlier.1") == everything
    assert not list(training.folder.glob(".*"))


def test_a_rollback_leaves_the_later_ones_behind(training):
    paths = {epoch: training.save(epoch) for epoch in (1, 2, 3, 4)}
    training.save(2, 5)
    training.save(4, name="net-best.ckpt")
    (training.folder / "metrics.csv").write_text("")
    start, weight, printed = training.start(paths[2])
    assert (start.epochs, weight) == (2, 2.1)
    kept = ["metrics.csv", "net-1_10.ckpt", "net-2_10.ckpt", "net-2_5.ckpt"]
    assert training.names() == kept
    gone = ["net-3_10.ckpt", "net-4_10.ckpt", "net-best.ckpt"]
    assert training.names("earlier.1") == gone and "earlier.1" in printed
    assert training.start()[1] == 2.1
    # The best of what is left stays.
    training.save(2, name="net-best.ckpt")
    training.save(3)
    training.start(training.folder / "net-best.ckpt")
    assert training.names() == sorted([*kept, "net-best.ckpt"])


def test_a_checkpoint_from_elsewhere(training, tmp_path):
    """The run of this folder is another one; `auto` finds where the new one started."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other/metrics.csv").write_text("theirs")
    for epoch in (1, 2, 3):
        training.save(epoch)
    path = training.save(2, 7, folder=tmp_path / "other")
    assert training.start(path)[1] == 2.07
    assert training.names() == ["metrics.csv", "net-2_7.ckpt"]
    assert (tmp_path / "metrics.csv").read_text() == "theirs"
    assert len(training.names("earlier.1")) == 3
    assert training.start()[0][:2] == (1, 7)


def test_what_has_changed_since(training):
    training.save(3)
    start, _, printed = training.start(steps_per_epoch=5, processes=2)
    (note,) = [line for line in printed.splitlines() if line.startswith("note: ")]
    assert "processes 1 before, 2 now" in note and "steps_per_epoch 10 before, 5 now" in note
    assert start.epochs == 3 and int(training.optimizer.global_step.asnumpy().item()) == 15
    training.save(4, 3)
    with pytest.raises(training.error, match="within an epoch.*seed 1 before, 2 now"):
        training.start(seed=2)


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"folder": "earlier.1", "names": ["../theirs"]},
        {"folder": "../elsewhere", "names": []},
        {"folder": "earlier.1", "names": [".."]},
    ],
)
def test_a_mark_of_something_else(training, content):
    (training.folder / ".put_aside.json").write_text(json.dumps(content))
    with pytest.raises(training.error, match="put_aside.json.*remove it"):
        training.start()


def test_weights_alone_start_at_the_beginning(training, tmp_path):
    training.network.weight.set_data(ms.ops.full_like(training.network.weight, 7))
    ms.save_checkpoint(training.network, str(tmp_path / "weights.ckpt"))
    start, weight, printed = training.start(tmp_path / "weights.ckpt")
    assert (start, weight) == ((0, 0, 0.0, ""), 7.0)
    assert "weights.ckpt: holds weights alone; start at epoch 0" in printed
    # Part of an optimiser is no optimiser.
    values = ms.load_checkpoint(str(training.save(3)))
    kept = [{"name": n, "data": v} for n, v in values.items() if n != "moments.weight"]
    ms.save_checkpoint(kept, str(tmp_path / "part.ckpt"))
    with pytest.raises(training.error, match="no optimiser entry 'moments.weight'"):
        training.start(tmp_path / "part.ckpt")
