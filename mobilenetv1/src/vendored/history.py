# Copied from utils/vendored/history.py by `make vendor`: change it there.
"""The history of a training run: metrics.csv and curves.png."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mindspore import Tensor, nn
from mindspore.train import Callback, RunContext

from .files import atomic_write
from .launch import UserError


class Losses(Callback):
    """The losses of an epoch: the `sum` and number of `steps` so far, which a resumed run begins
    with. Ends training in one line where one is no finite number.

    Where the device runs an epoch at once, its last loss is the only one.
    """

    def __init__(self, loss_sum: float = 0.0, steps: int = 0):
        super().__init__()
        self.before = (loss_sum, steps)

    def on_train_epoch_begin(self, run_context: RunContext) -> None:
        self.sum, self.steps = self.before
        self.before = (0.0, 0)

    def on_train_step_end(self, run_context: RunContext) -> None:
        done = run_context.original_args()
        loss = loss_of(done.net_outputs)
        if not math.isfinite(loss):
            raise UserError(
                f"epoch {done.cur_epoch_num}, step {step_of(done)}: the loss is {loss}; lower the"
                " learning rate, or check the labels"
            )
        self.sum, self.steps = self.sum + loss, self.steps + 1


def step_of(done: dict) -> int:
    """The number of the step just done in its epoch, from 1; `done` are a callback's arguments."""
    return (done.cur_step_num - 1) % done.batch_num + 1


def loss_of(outputs: Tensor | tuple | list) -> float:
    """The loss, a float, in what a training step returns."""
    loss = outputs[0] if isinstance(outputs, (tuple, list)) else outputs
    return float(loss.asnumpy().mean())


class History(Callback):
    """Each epoch a row of metrics.csv (epoch, step, loss, lr, images a second, score and
    `more_scores`), curves.png.

    The loss is the mean of the epoch's `losses`. `evaluate()` gives the scores on held-out data
    ({name: value}, the first counts; {}: not now), each `eval_interval` epochs; `save_best(network,
    epoch, scores)` keeps the best. Rows of an earlier run up to `start_epoch` are kept. Evaluation
    is shared, so every rank has a history, but only one has a `directory` to write to, for the
    others it is None.
    """

    def __init__(
        self,
        directory: str | None,
        losses: Losses,
        learning_rates: np.ndarray,
        batch_size: int,
        score: str = "top1",
        start_epoch: int = 0,
        evaluate: Callable[[], dict[str, float]] | None = None,
        eval_interval: int = 1,
        save_best: Callable[[nn.Cell, int, dict[str, float]], None] | None = None,
        more_scores: tuple[str, ...] = (),
    ):
        super().__init__()
        self.directory, self.losses, self.learning_rates = directory, losses, learning_rates
        self.batch_size, self.score = batch_size, score
        self.evaluate, self.eval_interval, self.save_best = evaluate, eval_interval, save_best
        self.header = ["epoch", "step", "loss", "lr", "images_per_second"]
        self.names = [score, *more_scores]
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

    def on_train_epoch_begin(self, run_context: RunContext) -> None:
        self.started, self.skipped = time.perf_counter(), self.losses.steps

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        done = run_context.original_args()
        epoch, steps = done.cur_epoch_num, done.batch_num
        images = (steps - self.skipped) * self.batch_size
        speed = images / (time.perf_counter() - self.started)
        scores = self.evaluate() if self.evaluate and epoch % self.eval_interval == 0 else {}
        if scores:
            self._keep_best(scores, epoch, done.train_network)
        loss = self.losses.sum / self.losses.steps
        rate = self.learning_rates[epoch * steps - 1]
        values = (epoch, epoch * steps, f"{loss:.6g}", f"{rate:.6g}", f"{speed:.2f}")
        found = {name: scores.get(name, "") for name in self.names}
        self.rows.append({**dict(zip(self.header, values)), **found})
        if self.directory:
            self._write()

    def _keep_best(self, scores, epoch, network):
        score = next(iter(scores.values()))
        print(f"epoch: {epoch} evaluation: {scores}", flush=True)
        earlier = [float(row[self.score]) for row in self.rows if row[self.score] != ""]
        if self.save_best and score > max(earlier, default=-math.inf):
            self.save_best(network, epoch, scores)

    def _write(self):
        text = io.StringIO()
        columns = self.header + self.names
        table = csv.writer(text, lineterminator="\n")
        # An earlier run may have been asked for other scores.
        rows = ([row.get(name, "") for name in columns] for row in self.rows)
        table.writerows([columns, *rows])
        atomic_write(Path(self.directory, "metrics.csv"), text.getvalue())
        atomic_write(Path(self.directory, "curves.png"), draw_curves(self.rows, self.score))


def draw_curves(rows: list[dict], score: str) -> bytes:
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
