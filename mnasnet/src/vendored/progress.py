# Copied from utils/vendored/progress.py by `make vendor`: change it there.
"""A run as it is watched: a line of progress on a terminal, TensorBoard's files on request."""

from __future__ import annotations

import sys
from pathlib import Path

from mindspore.train import Callback, RunContext

from .history import History, Losses, step_of
from .launch import UserError
from .resume import BOARD


def on_terminal() -> bool:
    """Whether someone looks on: what is printed goes to a terminal, and to no file."""
    return sys.stdout.isatty() and sys.stderr.isatty()


class Progress(Callback):
    """A line at the bottom of a terminal: epoch and step of all, loss, images a second, time left.

    Before all callbacks that print: meanwhile the line is gone, so that theirs stand as in a log.
    `done` steps of `epochs` were trained before, of `batch_size` images each.
    """

    def __init__(self, losses: Losses, epochs: int, done: int, batch_size: int):
        super().__init__()
        self.losses, self.epochs, self.done, self.batch_size = losses, epochs, done, batch_size
        self.bar = None

    def on_train_step_begin(self, run_context: RunContext) -> None:
        from tqdm import tqdm

        if not self.bar:
            steps = self.epochs * run_context.original_args().batch_num
            self.bar = tqdm(
                total=steps * self.batch_size,
                initial=self.done * self.batch_size,
                unit=" images",
                leave=False,
                dynamic_ncols=True,
                desc="compiling ",
                bar_format="{desc}|{bar}| {rate_noinv_fmt}, {remaining} left",
            )
        self.bar.refresh()

    def on_train_step_end(self, run_context: RunContext) -> None:
        done = run_context.original_args()
        steps = done.batch_num
        text = f"epoch {done.cur_epoch_num}/{self.epochs} step {step_of(done)}/{steps}"
        self.bar.set_description_str(f"{text} loss {self.losses.last:.4g} ", refresh=False)
        step = (done.cur_epoch_num - 1) * steps + step_of(done)
        self.bar.update(step * self.batch_size - self.bar.n)
        self.bar.clear()

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        self.bar.clear()

    def __exit__(self, *error: object) -> None:
        if self.bar:
            self.bar.close()


class Board(Callback):
    """Loss and learning rate of each step, and each epoch's row of the `history`, for TensorBoard.

    The last of the callbacks. What an interrupted run wrote after `done` steps is left out. Raises
    UserError where tensorboardX is not installed.
    """

    def __init__(self, directory: str, history: History, done: int):
        super().__init__()
        self.history = history
        self.writer = summary_writer()(str(Path(directory, BOARD)), purge_step=done + 1)

    def on_train_step_end(self, run_context: RunContext) -> None:
        done = run_context.original_args()
        step = (done.cur_epoch_num - 1) * done.batch_num + step_of(done)
        self.writer.add_scalar("loss", self.history.losses.last, step)
        self.writer.add_scalar("learning rate", self.history.learning_rates[step - 1], step)

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        row = self.history.rows[-1]
        for name in ("images_per_second", *self.history.names):
            if row[name] != "":
                self.writer.add_scalar(name.replace("_", " "), float(row[name]), row["step"])
        self.writer.flush()

    def __exit__(self, *error: object) -> None:
        self.writer.close()


def summary_writer() -> type:
    """tensorboardX's writer. Raises UserError where it is not installed."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        raise UserError(
            "--tensorboard wants a package that is not installed: pip install tensorboardX"
        ) from None
    return SummaryWriter
