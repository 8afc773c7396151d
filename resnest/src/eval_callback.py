"""Evaluation while training."""

import time
from collections.abc import Callable
from types import SimpleNamespace

from mindspore.train import Callback, RunContext


class EvalCallBack(Callback):
    """Print `eval_function(eval_param_dict)` at the end of epoch `eval_start_epoch` and every
    `interval` epochs after.

    `scores` is {metrics_name: the number} after such an epoch, {} after any other.

    Args:
        eval_function: gives one number from `eval_param_dict`.
        metrics_name: what the printed line calls it.
        last_epoch: an epoch that is evaluated whatever the interval, 0: none.
    """

    def __init__(
        self,
        eval_function: Callable,
        eval_param_dict: dict,
        interval: int = 1,
        eval_start_epoch: int = 1,
        metrics_name: str = "acc",
        last_epoch: int = 0,
    ):
        super().__init__()
        if interval < 1:
            raise ValueError(f"interval is a number of epochs, 1 or more; got {interval}")
        self.eval_function, self.eval_param_dict = eval_function, eval_param_dict
        self.interval, self.eval_start_epoch = interval, eval_start_epoch
        self.metrics_name, self.last_epoch = metrics_name, last_epoch
        self.scores = {}

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        epoch = run_context.original_args().cur_epoch_num
        since_start = epoch - self.eval_start_epoch
        self.scores = {}
        if epoch != self.last_epoch and (since_start < 0 or since_start % self.interval):
            return
        started = time.perf_counter()
        result = float(self.eval_function(self.eval_param_dict))
        cost = time.perf_counter() - started
        self.scores = {self.metrics_name: result}
        print(f"epoch: {epoch}, {self.metrics_name}: {result}, eval_cost:{cost:.2f}", flush=True)


def top1_callback(
    evaluate: Callable[[], dict[str, float]], config: SimpleNamespace
) -> EvalCallBack:
    """Prints the top1 of `evaluate()` in the epochs that `config` wants, and the last."""
    return EvalCallBack(
        lambda parameters: parameters["evaluate"]()["top1"],
        {"evaluate": evaluate},
        config.eval_interval,
        config.eval_start_epoch,
        last_epoch=config.epochs,
    )
