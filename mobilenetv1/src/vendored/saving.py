# Copied from utils/vendored/saving.py by `make vendor`: change it there.
"""The callback that saves checkpoints while training."""

from pathlib import Path

from mindspore import nn
from mindspore.train import Callback, RunContext

from .checkpoints import save_checkpoint, saved_checkpoints
from .files import make_folder
from .history import Losses, step_of


class SaveCheckpoint(Callback):
    """Write `<prefix>-<epoch>_<step>.ckpt` each `epochs` epochs, each `steps` steps of the run (0:
    not within epochs) and at the end; keep the last `keep`.

    The files hold weights, optimiser, `record` and how far the run is: `run` (a dict, what of it
    decides the data), the epochs done, the steps of the next one and the sum of their `losses`.
    """

    def __init__(
        self,
        directory: str,
        prefix: str,
        epochs: int,
        steps: int,
        keep: int,
        record: dict,
        run: dict[str, int],
        losses: Losses,
    ):
        super().__init__()
        self.directory, self.prefix, self.epochs, self.steps = directory, prefix, epochs, steps
        self.keep, self.record, self.run, self.losses = keep, record, run, losses
        self.saved = None
        make_folder(directory)

    def on_train_step_end(self, run_context: RunContext) -> None:
        done = run_context.original_args()
        step = step_of(done)
        if step < done.batch_num and self._is_due(done, step):
            self._save(done, step, done.cur_epoch_num - 1, step, self.losses.sum)

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        done = run_context.original_args()
        if done.cur_epoch_num % self.epochs == 0 or self._is_due(done, done.batch_num):
            self._save_epoch(done)

    def on_train_end(self, run_context: RunContext) -> None:
        self._save_epoch(run_context.original_args())

    def _is_due(self, done, step):
        all_steps = (done.cur_epoch_num - 1) * done.batch_num + step
        return self.steps and all_steps % self.steps == 0

    def _save_epoch(self, done):
        self._save(done, done.batch_num, done.cur_epoch_num)

    def _save(self, done, step, epochs, steps=0, loss_sum=0.0):
        path = Path(self.directory, f"{self.prefix}-{done.cur_epoch_num}_{step}.ckpt")
        if path != self.saved:
            progress = {**self.run, "epochs": epochs, "steps": steps, "loss_sum": loss_sum}
            save_checkpoint(done.train_network, path, self.record, progress)
            self.saved = path
            for _, earlier in saved_checkpoints(self.directory, self.prefix)[: -self.keep]:
                earlier.unlink()

    def save_best(self, network: nn.Cell, epoch: int, scores: dict[str, float]) -> None:
        """Write `network`, after `epoch` epochs, as the best so far, with the `scores` {name:
        number} that say so.
        """
        record = {**self.record, "accuracy": {name: float(scores[name]) for name in scores}}
        progress = {**self.run, "epochs": epoch, "steps": 0, "loss_sum": 0.0}
        path = Path(self.directory, f"{self.prefix}-best.ckpt")
        save_checkpoint(network, path, record, progress)
