"""An epoch's last learning rate and its time in the documented words."""

import time

import numpy as np
from mindspore.train import Callback, RunContext


class EpochLog(Callback):
    """Prints them. `learning_rates` are those of all steps."""

    def __init__(self, learning_rates: np.ndarray):
        super().__init__()
        self.learning_rates = learning_rates

    def on_train_epoch_begin(self, run_context: RunContext) -> None:
        self.started = time.perf_counter()

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        done = run_context.original_args()
        milliseconds = (time.perf_counter() - self.started) * 1000
        print(f"lr:[{self.learning_rates[done.cur_epoch_num * done.batch_num - 1]:8.6f}]")
        print(
            f"epoch time: {milliseconds:.3f} ms, per step time:"
            f" {milliseconds / done.batch_num:.3f} ms",
            flush=True,
        )
