"""The run's log file; on the first device of each server its lines go to standard output too."""

import logging
import sys
import time
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import numpy as np
from mindspore.train import Callback, RunContext

from src.vendored.accuracy import Counts
from src.vendored.device import writer_of
from src.vendored.files import make_folder
from src.vendored.history import loss_of
from src.vendored.launch import UserError, printable


class LogFile(logging.FileHandler):
    """A file that is made, with its folder, by the first line: wrong input leaves none."""

    def __init__(self, path: str):
        super().__init__(path, encoding="utf-8", delay=True)

    def _open(self):
        make_folder(Path(self.baseFilename).parent)
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> NoReturn:  # noqa: N802 - logging's name
        error = sys.exc_info()[1]
        raise UserError(f"{self.baseFilename}: cannot be written ({error})") from None


def get_logger(path: str, rank: int) -> logging.Logger:
    """Logger of `<asctime>:<LEVEL>:<message>` lines to `path`/<time>/<time>_rank_<rank>.log.

    The time is that of the call, such as 2022-01-30_time_12_10_33. The first rank of each server
    also writes to standard output.
    """
    started = datetime.now().strftime("%Y-%m-%d_time_%H_%M_%S")
    logger = logging.getLogger("resnest")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    # A second call starts another file instead of writing to both.
    for handler in logger.handlers[:]:
        logger.removeHandler(handler)
        handler.close()
    handlers = [LogFile(Path(path, started, f"{started}_rank_{rank}.log"))]
    if rank == writer_of(rank):
        handlers.append(logging.StreamHandler(sys.stdout))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s:%(levelname)s:%(message)s"))
        logger.addHandler(handler)
    return logger


def log_arguments(logger: logging.Logger, config: SimpleNamespace) -> None:
    """Log every setting in the documented form."""
    logger.info("Args:")
    for name, value in vars(config).items():
        if name != "known_classes":  # the record's, no argument
            logger.info("--> %s: %s", name, printable(str(value)))


def log_accuracy(logger: logging.Logger, own: Counts, total: Counts) -> None:
    """Log speed and accuracies in the documented words: this rank's counts, then all ranks'."""
    logger.info("Inference Performance: %.2f img/sec", total.per_second)
    logger.info("before results=%s", [[count] for count in own[:3]])
    logger.info("after results=[%s]", ",".join(f"[{count}]" for count in total[:3]))
    for name, correct in zip(("top1", "top5"), total):
        logger.info(
            "after allreduce eval: %s_correct=%d, tot=%d,acc=%.2f%%(%s)",
            name,
            correct,
            total.images,
            100 * correct / total.images,
            name.upper(),
        )


class TrainingLog(Callback):
    """Log begin and end of training and, after each epoch, the loss of its last step and the images
    a second over all devices.

    Args:
        logger: where to.
        batch_size: images a step on all devices together.
    """

    def __init__(self, logger: logging.Logger, batch_size: int):
        super().__init__()
        self.logger, self.batch_size = logger, batch_size

    def on_train_begin(self, run_context: RunContext) -> None:
        self.logger.info("start network train...")

    def on_train_epoch_begin(self, run_context: RunContext) -> None:
        self.started = time.perf_counter()

    def on_train_epoch_end(self, run_context: RunContext) -> None:
        run = run_context.original_args()
        # It waits for the device, so before the clock is read.
        loss = np.float32(loss_of(run.net_outputs))
        images, seconds = self.batch_size * run.batch_num, time.perf_counter() - self.started
        print(f"fps_mean {images} time_used {seconds}", flush=True)
        self.logger.info(
            "epoch[%d], iter[%d], loss:%s, mean_fps:%.2fimgs/sec",
            run.cur_epoch_num,
            run.cur_epoch_num * run.batch_num,
            loss,
            images / seconds,
        )

    def on_train_end(self, run_context: RunContext) -> None:
        self.logger.info("end network train...")
