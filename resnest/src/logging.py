"""The run's log file; on the first device of each server its lines go to standard output too."""

import logging
import sys
import time
from datetime import datetime
from pathlib import Path

from mindspore.train import Callback

DEVICES_A_SERVER = 8


def get_logger(path, rank):
    """Logger of `<asctime>:<LEVEL>:<message>` lines to `path`/<time>/<time>_rank_<rank>.log.

    The time is that of the call, such as 2022-01-30_time_12_10_33. Ranks divisible by 8 also write
    to standard output.
    """
    started = datetime.now().strftime("%Y-%m-%d_time_%H_%M_%S")
    folder = Path(path, started)
    folder.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("resnest")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    # a second call starts another file instead of writing to both
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    handlers = [logging.FileHandler(folder / f"{started}_rank_{rank}.log")]
    if rank % DEVICES_A_SERVER == 0:
        handlers.append(logging.StreamHandler(sys.stdout))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s:%(levelname)s:%(message)s"))
        logger.addHandler(handler)
    return logger


def log_arguments(logger, config):
    """Log every setting in the documented form."""
    logger.info("Args:")
    for name, value in vars(config).items():
        logger.info("--> %s: %s", name, value)


class EpochLog(Callback):
    """Log the loss of the last step and the images a second over all devices, at the end of each
    epoch.

    Args:
        logger: where to. batch_size: images a step on all devices together.
    """

    def __init__(self, logger, batch_size):
        super().__init__()
        self.logger, self.batch_size = logger, batch_size

    def on_train_epoch_begin(self, run_context):
        self.started = time.perf_counter()

    def on_train_epoch_end(self, run_context):
        run = run_context.original_args()
        outputs = run.net_outputs
        # loss, overflow and scale; or loss
        loss = outputs[0] if isinstance(outputs, (tuple, list)) else outputs
        loss = loss.asnumpy().mean()  # waits for the device, so before the clock is read
        images, seconds = self.batch_size * run.batch_num, time.perf_counter() - self.started
        print(f"fps_mean {images} time_used {seconds}", flush=True)
        self.logger.info(
            "epoch[%d], iter[%d], loss:%s, mean_fps:%.2fimgs/sec",
            run.cur_epoch_num,
            run.cur_epoch_num * run.batch_num,
            loss,
            images / seconds,
        )
