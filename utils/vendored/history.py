"""The history of a training run: metrics.csv, curves.png, and what an earlier run left."""

import csv
import io
import itertools
import math
import os
import time
from pathlib import Path

from mindspore.train import Callback

from .files import atomic_write
from .launch import UserError


class FiniteLoss(Callback):
    """Ends training in one line where the loss is no finite number."""

    def on_train_step_end(self, run_context):
        done = run_context.original_args()
        loss = loss_of(done.net_outputs)
        if not math.isfinite(loss):
            raise UserError(
                f"step {done.cur_step_num}: the loss is {loss}; lower the learning rate, or check"
                " the labels"
            )


def loss_of(outputs):
    """The loss, a float, in what a training step returns."""
    loss = outputs[0] if isinstance(outputs, (tuple, list)) else outputs
    return float(loss.asnumpy().mean())


def put_aside(directory, prefix):
    """Move what an earlier run left in `directory` to earlier.1, or 2, ..., in it."""
    names = (f"{prefix}-*.ckpt", "metrics.csv", "curves.png", "config.yaml")
    files = [path for name in names for path in Path(directory).glob(name)]
    if not files:
        return
    numbers = itertools.count(1)
    folder = next(path for n in numbers if not (path := Path(directory, f"earlier.{n}")).exists())
    for path in files:
        os.renames(path, folder / path.name)
    print(f"kept from an earlier run: {folder}", flush=True)


class History(Callback):
    """Each epoch a row of metrics.csv (epoch, step, loss, lr, images a second, score), curves.png.

    The loss is the epoch's mean, or its last step's where an epoch runs at once. `evaluate()` gives
    the scores on held-out data ({name: value}, the first counts; {}: not now), each `eval_interval`
    epochs; `save_best(network, scores)` keeps the best. Rows of an earlier run up to `start_epoch`
    are kept. Evaluation is shared, so every rank has a history, but only one has a `directory` to
    write to, for the others it is None.
    """

    def __init__(
        self,
        directory,
        learning_rates,
        batch_size,
        score="top1",
        start_epoch=0,
        evaluate=None,
        eval_interval=1,
        save_best=None,
    ):
        super().__init__()
        self.directory, self.learning_rates = directory, learning_rates
        self.batch_size, self.score = batch_size, score
        self.evaluate, self.eval_interval, self.save_best = evaluate, eval_interval, save_best
        self.header = ["epoch", "step", "loss", "lr", "images_per_second", score]
        self.rows = self._earlier_rows(start_epoch) if directory and start_epoch else []

    def _earlier_rows(self, start_epoch):
        table = Path(self.directory, "metrics.csv")
        if not table.exists():
            return []
        rows = csv.DictReader(table.read_text(encoding="utf-8").splitlines())
        try:
            return [row for row in rows if int(row["epoch"]) <= start_epoch]
        except (KeyError, TypeError, ValueError):
            raise UserError(f"{table}: not a table of this folder; move it away") from None

    def on_train_epoch_begin(self, run_context):
        self.losses, self.started = [], time.perf_counter()

    def on_train_step_end(self, run_context):
        self.losses.append(loss_of(run_context.original_args().net_outputs))

    def on_train_epoch_end(self, run_context):
        done = run_context.original_args()
        epoch, steps = done.cur_epoch_num, done.batch_num
        speed = steps * self.batch_size / (time.perf_counter() - self.started)
        scores = self.evaluate() if self.evaluate and epoch % self.eval_interval == 0 else {}
        score = self._best_of(scores, epoch, done.train_network) if scores else ""
        loss, rate = sum(self.losses) / len(self.losses), self.learning_rates[epoch * steps - 1]
        values = (epoch, epoch * steps, f"{loss:.6g}", f"{rate:.6g}", f"{speed:.2f}", score)
        self.rows.append(dict(zip(self.header, values)))
        if self.directory:
            self._write()

    def _best_of(self, scores, epoch, network):
        score = next(iter(scores.values()))
        print(f"epoch: {epoch} evaluation: {scores}", flush=True)
        earlier = [float(row[self.score]) for row in self.rows if row[self.score] != ""]
        if self.save_best and score > max(earlier, default=-math.inf):
            self.save_best(network, scores)
        return score

    def _write(self):
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerows([self.header, *(row.values() for row in self.rows)])
        atomic_write(Path(self.directory, "metrics.csv"), text.getvalue())
        atomic_write(Path(self.directory, "curves.png"), draw_curves(self.rows, self.score))


def draw_curves(rows, score):
    """PNG bytes: the loss, and `score` where there is any, over epochs, from rows of the table."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    curves = {}
    for name in ("loss", score):
        points = [(int(row["epoch"]), float(row[name])) for row in rows if row[name] != ""]
        if points:
            curves[name] = points
    figure = Figure(figsize=(4 * len(curves), 3), layout="constrained")
    for axes, (name, points) in zip(
        figure.subplots(1, len(curves), squeeze=False)[0], curves.items()
    ):
        axes.plot(*zip(*points), marker=".")
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    figure.savefig(image := io.BytesIO(), format="png", dpi=100)
    return image.getvalue()
