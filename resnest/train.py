"""Train ResNeSt.

    python train.py --outdir ./output --device_target CPU --root /data/imagenet --num_classes 10
    --epochs 20 python train.py --outdir ./output --device_target Ascend bash
    scripts/run_distribute_train.sh hccl_8p.json

Checkpoints, config.yaml, metrics.csv and curves.png go to ckpt_RANK in --outdir, the log to a
folder named by the time.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run, set_up_device

# isort: split
import os

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
import yaml
from mindspore import nn
from mindspore.train import LossMonitor, Model, TimeMonitor

from src.accuracy import count_correct, network_predict, sum_counts
from src.config import load_config
from src.crossentropy import CrossEntropy
from src.datasets.dataset import create_dataset
from src.eval_callback import EvalCallBack
from src.logging import EpochLog, get_logger
from src.model_arts import copy_once
from src.models.resnest import get_network
from src.models.utils import get_lr, get_param_groups
from src.vendored.checkpoint import SaveCheckpoint, load_weights, resume_training
from src.vendored.records import RunRecord, put_aside, write_whole

FLAGS = {
    "resume": (
        "False",
        (
            "checkpoint to go on from, auto: the newest in outdir, or True: pretrained_ckpt_path if"
            " given"
        ),
    ),
    "pretrained_ckpt_path": ("", "checkpoint whose weights to start from"),
    "run_eval": (True, "evaluate root/val while training, and keep the best checkpoint"),
    "eval_interval": (10, "epochs from one evaluation to the next", {"min": 1}),
    "eval_start_epoch": (1, "epoch of the first evaluation", {"min": 1}),
    "save_ckpt": (True, "save a checkpoint each epoch; the last three are kept"),
    "device_num": (1, "devices of a distributed run, as many as its launcher starts", {"min": 1}),
    "is_model_arts": (
        False,
        "a ModelArts job: copies data_url to root first, and outdir to train_url at the end",
    ),
    "data_url": ("", "ModelArts: where the data set is stored"),
    "train_url": ("", "ModelArts: where results are stored"),
}
ALIASES = {
    "checkpoint_path": "pretrained_ckpt_path",
    "pre_trained": "pretrained_ckpt_path",
    "epoch_size": "epochs",
}


def create_model(config, network, learning_rates):
    """(Model, optimiser).

    Ascend and GPU: mixed precision O2 with batch norm in float16, loss scaled. CPU: float32.
    """
    loss = CrossEntropy(config.label_smoothing, config.num_classes)
    parameters = get_param_groups(network) if config.disable_bn_wd else network.trainable_params()
    rates = ms.Tensor(learning_rates)
    if config.device_target == "CPU":
        print("CPU: training in float32; mixed precision (O2) is for Ascend and GPU")
        optimizer = nn.Momentum(parameters, rates, config.momentum, config.weight_decay)
        return Model(network, loss, optimizer), optimizer
    if config.is_dynamic_loss_scale:
        scale, manager = (
            1.0,
            ms.DynamicLossScaleManager(init_loss_scale=65536, scale_factor=2, scale_window=2000),
        )
    else:  # The manager multiplies the loss, the optimiser divides the gradients.
        scale, manager = (
            config.loss_scale,
            ms.FixedLossScaleManager(config.loss_scale, drop_overflow_update=False),
        )
    optimizer = nn.Momentum(
        parameters, rates, config.momentum, config.weight_decay, loss_scale=scale
    )
    return (
        Model(
            network,
            loss,
            optimizer,
            amp_level="O2",
            keep_batchnorm_fp32=False,
            loss_scale_manager=manager,
        ),
        optimizer,
    )


def top1(evaluation):
    """Top-1 accuracy, 0..1, over all devices: each has a share of the images."""
    network = evaluation["network"].set_train(False)
    counts, _ = count_correct(
        network_predict(network), evaluation["dataset"], evaluation["batch_size"]
    )
    network.set_train(True)
    hits, _, images = sum_counts(counts, evaluation["group_size"])
    return hits / images


def start_at(config, directory, network, optimizer, dataset):
    """The number of epochs already done: those of the checkpoint to resume from, or
    --start_epoch.
    """
    resume = {"false": "", "true": config.pretrained_ckpt_path or "auto"}.get(
        config.resume.lower(), config.resume
    )
    done = resume_training(resume, directory, config.net_name, network, optimizer, dataset)
    if not done and config.start_epoch:
        done, steps = config.start_epoch, config.start_epoch * dataset.get_dataset_size()
        optimizer.global_step.set_data(
            ms.Tensor(np.full(optimizer.global_step.shape, steps, np.int32))
        )
        # As in resume_training: the data that follow are those of these epochs.
        ds.config.set_fast_recovery(False)
        dataset.set_init_step(steps)
    if done >= config.epochs:
        raise UserError(
            f"{done} of {config.epochs} epochs are done: nothing left to train (--epochs)"
        )
    return done


def train():
    """Config, data, network, loss, optimiser, callbacks, train."""
    config = load_config(FLAGS, ALIASES)
    ms.set_seed(1)
    rank, size = set_up_device(config.device_target, config.device_id, config.run_distribute)
    if config.device_num not in (1, size):
        raise UserError(
            f"device_num is {config.device_num}, but {size} processes run; start them by a script"
            " or msrun"
        )
    if config.is_model_arts:
        copy_once(config.data_url, config.root, rank, size)
    dataset = create_dataset(config, "train", rank, size)
    held_out = (
        create_dataset(config, "val", rank, size, drop_remainder=False) if config.run_eval else None
    )
    steps_per_epoch = dataset.get_dataset_size()

    network = get_network(
        config.net_name,
        num_classes=config.num_classes,
        last_gamma=config.last_gamma,
        final_drop=config.final_drop,
        attention_bias=config.attention_bias,
    )
    if config.pretrained_ckpt_path:
        skipped = load_weights(network, config.pretrained_ckpt_path, head=("fc.weight", "fc.bias"))
        print(
            f"loaded {config.pretrained_ckpt_path}; not loaded: {', '.join(skipped) or 'nothing'}"
        )
    learning_rates = get_lr(config, config.lr * size, steps_per_epoch)
    model, optimizer = create_model(config, network, learning_rates)
    # Only the first process saves, so all resume from its checkpoints.
    start_epoch = start_at(
        config, os.path.join(config.outdir, "ckpt_0"), network, optimizer, dataset
    )

    print("================Start training================", flush=True)
    logger = get_logger(config.outdir, rank)
    directory = os.path.join(config.outdir, f"ckpt_{rank}")
    if not start_epoch:
        put_aside(directory, config.net_name)
    save = SaveCheckpoint(directory, config.net_name, every=1, keep=3)
    write_whole(os.path.join(directory, "config.yaml"), yaml.safe_dump(vars(config)))
    evaluation = EvalCallBack(
        top1,
        {
            "network": network,
            "dataset": held_out,
            "batch_size": config.test_batch_size,
            "group_size": size,
        },
        config.eval_interval,
        config.eval_start_epoch,
        last_epoch=config.epochs,
    )
    record = RunRecord(
        directory,
        learning_rates,
        config.batch_size * size,
        start_epoch=start_epoch,
        evaluate=(lambda: evaluation.scores) if config.run_eval else None,
    )
    # The record refuses a loss that is no number in one line, so it comes before MindSpore's own
    # monitor.
    callbacks = [
        EpochLog(logger, config.batch_size * size),
        TimeMonitor(),
        *([evaluation] if config.run_eval else []),
        record,
        LossMonitor(steps_per_epoch),
    ]
    if config.save_ckpt and rank == 0:
        record.save_best = lambda network: save.save(network, f"{config.net_name}-best.ckpt")
        callbacks.append(save)
    logger.info("start network train...")
    model.train(
        config.epochs,
        dataset,
        callbacks=callbacks,
        dataset_sink_mode=True,
        initial_epoch=start_epoch,
    )
    logger.info("end network train...")
    if config.is_model_arts:
        copy_once(config.outdir, config.train_url, rank, size)


if __name__ == "__main__":
    run(train)
