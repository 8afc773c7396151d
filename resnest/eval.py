"""Evaluate a ResNeSt checkpoint: top-1 and top-5 accuracy.

python eval.py --outdir ./output --pretrained_ckpt_path ~/resnest50-270_2502.ckpt
python eval.py --pretrained_ckpt_path X.ckpt --root /data/imagenet --device_target CPU
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
from types import SimpleNamespace

from src.config import load_config
from src.vendored.inputs import require_checkpoint, require_images


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_checkpoint(config.checkpoint_path)
    require_images(config.eval_root)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "network",
        "images",
        "evaluation data",
        "report",
        "data pipeline",
        "random numbers",
        "checkpoint",
        "averages",
        "output",
        "distributed run",
        "device",
        description=__doc__,
        aliases={"root": "eval_root", "dataset_path": "eval_root"},
        record_of="checkpoint_path",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import os

import mindspore as ms

from src.datasets.dataset import evaluation_dataset
from src.logging import get_logger, log_accuracy, log_arguments
from src.models.resnest import build_network
from src.vendored.accuracy import count_correct, network_predict, sum_over_ranks
from src.vendored.checkpoints import load_weights
from src.vendored.device import set_up_device
from src.vendored.report import Judgements, finish_report
from src.vendored.training import set_seeds


def evaluate(config: SimpleNamespace) -> None:
    """Every image counts, on exactly one device, unless --drop_remainder True leaves out the last,
    smaller batch.
    """
    if config.report and config.run_distribute:
        raise UserError("a report wants all images in one process: leave --run_distribute out")
    rank, ranks = set_up_device(config.device_target, config.device_id, config.run_distribute)
    set_seeds(config.seed)
    network = build_network(config).set_train(False)
    load_weights(network, config.checkpoint_path, ema=config.ema_weights)
    if config.device_target == "Ascend":
        network.to_float(ms.float16)
    dataset, tree = evaluation_dataset(config, config.known_classes, rank, ranks)
    logger = get_logger(os.path.join(config.outdir, "valid"), rank)
    log_arguments(logger, config)
    logger.info("%s\nstart create network\n%s", "*" * 70, "*" * 70)
    judgements = Judgements()
    counts = count_correct(
        network_predict(network),
        dataset,
        config.test_batch_size,
        paths=tree.paths,
        judgements=judgements,
    )
    total = sum_over_ranks(counts, ranks)
    log_accuracy(logger, counts, total)
    finish_report(config.report, judgements, tree, total)


if __name__ == "__main__":
    run(evaluate, CONFIG)
