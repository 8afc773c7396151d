"""The training log: a line a step and a line an epoch."""

import time

import numpy as np
from mindspore.train import Callback, RunContext

from src.vendored.history import loss_of


class Monitor(Callback):
    """Print loss, time and learning rate, each step and each epoch.

    Where the device runs a whole epoch by itself (data sinking, on Ascend and GPU), a step line
    stands for the epoch: it shows the last step, and its time is the epoch's.

    Args:
        lr_init: the learning rates of all steps, as `get_lr` returns them.
    """

    def __init__(self, lr_init: np.ndarray):
        super().__init__()
        self.lr = lr_init
        self.epochs = None
        self.losses = []
        self.epoch_start = self.step_start = 0.0

    def on_train_epoch_begin(self, run_context: RunContext) -> None:
        parameters = run_context.original_args()
        if self.epochs is None:  # a resumed run counts only its own epochs in epoch_num
            self.epochs = parameters.cur_epoch_num - 1 + parameters.epoch_num
        self.losses = []
        self.epoch_start = time.perf_counter()

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        milliseconds = (time.perf_counter() - self.epoch_start) * 1000
        steps = run_context.original_args().batch_num
        print(
            f"epoch time: {milliseconds:5.3f}, per step time: {milliseconds / steps:5.3f}, "
            f"avg loss: {np.mean(self.losses):5.3f}",
            flush=True,
        )

    def on_train_step_begin(self, run_context: RunContext) -> None:
        self.step_start = time.perf_counter()

    def on_train_step_end(self, run_context: RunContext) -> None:
        parameters = run_context.original_args()
        loss = loss_of(parameters.net_outputs)  # waits for the device
        milliseconds = (time.perf_counter() - self.step_start) * 1000
        self.losses.append(loss)
        epoch, steps = parameters.cur_epoch_num - 1, parameters.batch_num
        step = (parameters.cur_step_num - 1) % steps
        print(
            f"epoch: [{epoch:3d}/{self.epochs:3d}], step:[{step:5d}/{steps:5d}], "
            f"loss:[{loss:5.3f}/{np.mean(self.losses):5.3f}], time:[{milliseconds:5.3f}], "
            f"lr:[{self.lr[epoch * steps + step]:5.3f}]",
            flush=True,
        )
