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
from .ranks import any_of_ranks

NAMES = {"lr": "learning rate", "top1": "top-1 accuracy"}  # of columns, in the picture


class Losses(Callback):
    """The losses of an epoch: the `sum` and number of `steps` so far, which a resumed run begins
    with, and the `last`. Ends training in one line where one is no finite number.

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
        self.sum, self.steps, self.last = self.sum + loss, self.steps + 1, loss


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
    epoch, scores)`, where it is set, keeps the best. Evaluation is shared, so every rank has a
    history; one of them is told to write it.
    """

    def __init__(
        self,
        losses: Losses,
        learning_rates: np.ndarray,
        batch_size: int,
        score: str = "top1",
        evaluate: Callable[[], dict[str, float]] | None = None,
        eval_interval: int = 1,
        more_scores: tuple[str, ...] = (),
    ):
        super().__init__()
        self.losses, self.learning_rates, self.batch_size = losses, learning_rates, batch_size
        self.score, self.evaluate, self.eval_interval = score, evaluate, eval_interval
        self.header = ["epoch", "step", "loss", "lr", "images_per_second"]
        self.names = [score, *more_scores]
        self.directory, self.rows = None, []
        self.save_best: Callable[[nn.Cell, int, dict[str, float]], None] | None = None

    def write_to(self, directory: str, title: str, start_epoch: int) -> None:
        """Write to `directory`, where rows of an earlier run up to `start_epoch` are kept; `title`
        stands over the curves.
        """
        self.directory, self.title = directory, title
        self.rows = self._earlier_rows(start_epoch) if start_epoch else []

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
        picture = draw_curves(self.rows, self.score, self.title)
        atomic_write(Path(self.directory, "curves.png"), picture)


class EarlyStop(Callback):
    """Ends training after `wait` evaluations without a better score than the best of `history`.

    All `ranks` end together: earlier runs' scores are known to those that write.
    """

    def __init__(self, history: History, wait: int, ranks: int):
        super().__init__()
        self.history, self.wait, self.ranks = history, wait, ranks

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        if self.is_over():
            epoch = run_context.original_args().cur_epoch_num
            print(f"stopped after epoch {epoch}: {self.wait} evaluations without a better score")
            run_context.request_stop()

    def is_over(self) -> bool:
        """Whether there is nothing left to train."""
        name = self.history.score
        scores = [float(row[name]) for row in self.history.rows if row[name] != ""]
        waited = len(scores) - 1 - scores.index(max(scores)) if scores else 0
        return any_of_ranks(waited >= self.wait, self.ranks)


def draw_curves(rows: list[dict], score: str, title: str) -> bytes:
    """PNG bytes of a picture called `title`: loss, learning rate, and `score` where there is any,
    over epochs, from rows of the table.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    curves = {}
    for name in ("loss", "lr", score):
        points = [(int(row["epoch"]), float(row[name])) for row in rows if row[name] != ""]
        if points:
            curves[name] = points
    first, last = int(rows[0]["epoch"]), int(rows[-1]["epoch"])
    figure = Figure(figsize=(4 * len(curves), 3.3), layout="constrained")
    figure.suptitle(title)
    for axes, (name, points) in zip(
        figure.subplots(1, len(curves), squeeze=False)[0], curves.items()
    ):
        axes.plot(*zip(*points), marker=".")
        axes.set(xlabel="epoch", ylabel=NAMES.get(name, name), xlim=(first - 0.5, last + 0.5))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
    figure.savefig(image := io.BytesIO(), format="png", dpi=100)
    return image.getvalue()
