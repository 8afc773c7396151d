"""Train MobileNetV1.

    python train.py --device_target CPU --dataset cifar10 --dataset_path /data/cifar-10-batches-bin
    python train.py --dataset imagenet2012 --dataset_path /data/ImageNet_Original
    bash scripts/run_distribute_train.sh imagenet2012 hccl_8p.json /data/ImageNet_Original

Checkpoints, config.yaml, metrics.csv and curves.png go to ckpt_0 in --save_checkpoint_path.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

from __future__ import annotations

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import RESUME_HINT, UserError, run

# isort: split
from types import SimpleNamespace

from src.data_path import held_out_path, require_data
from src.model_utils.config import BEYOND, RECORDED, load_config, show_config
from src.vendored.inputs import require_checkpoint

LAST_OF_FIRST_PART = 75  # of the gradients, which several devices exchange in two parts
# fmt: off
GROUPS = (  # of settings: what training uses
    "network", "images", "data", "evaluation data", "class names", "batches", "data pipeline",
    "training", "saving", "evaluation while training", "device", "distributed training",
    "profiling", "modelarts", "local data", "archive of the data",
    *BEYOND,
)
# fmt: on


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_data(config, config.dataset_path, do_train=True)
    if config.pre_trained:
        require_checkpoint(config.pre_trained)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        *GROUPS,
        description=__doc__,
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import os
from collections.abc import Callable

import mindspore as ms
import numpy as np
from mindspore import nn
from mindspore.train import LossMonitor, Model

from src.CrossEntropySmooth import create_loss
from src.dataset import (
    chosen_preprocessing,
    evaluation_dataset,
    note_identical_images,
    training_dataset,
)
from src.epoch_log import EpochTime
from src.lr_generator import get_lr, note_learning_rate
from src.mobilenet_v1_fpn import CLASSIFIER, build_network, initialise
from src.model_utils.moxing_adapter import moxing_wrapper, unzip_data_set
from src.vendored.accuracy import evaluate_while_training
from src.vendored.additions import freeze, of_averages, with_additions
from src.vendored.checkpoints import load_pre_trained
from src.vendored.device import set_up_device, writer_of
from src.vendored.distilling import create_change
from src.vendored.losses import chosen_loss
from src.vendored.optimizers import create_adamw, decayed_apart
from src.vendored.record import make_record
from src.vendored.schedule import adapt_rates
from src.vendored.training import fit, set_seeds


def create_optimizer(
    network: nn.Cell, learning_rates: np.ndarray, config: SimpleNamespace
) -> nn.Optimizer:
    """Momentum; on Ascend weights decay, batch norm and biases do not, and it divides by a fixed
    loss scale. Elsewhere biases decay too, as documented.
    """
    parameters, rates = network.trainable_params(), ms.Tensor(learning_rates)
    scale = float(config.loss_scale) if config.device_target == "Ascend" else 1.0
    if config.optimizer == "adamw":
        return create_adamw(network, learning_rates, config, scale)
    if config.device_target == "Ascend" or not config.norm_decay:
        groups = decayed_apart(parameters, config.weight_decay)
        return nn.Momentum(groups, rates, config.momentum, loss_scale=scale)
    return nn.Momentum(parameters, rates, config.momentum, config.weight_decay)


def create_model(
    network: nn.Cell, loss: nn.Cell, optimizer: nn.Optimizer, config: SimpleNamespace
) -> Model:
    """Ascend: mixed precision O2, batch norm included, the loss scaled. Others: float32."""
    if config.device_target != "Ascend":
        print(f"{config.device_target}: training in float32; mixed precision (O2) is for Ascend")
        return Model(network, loss, optimizer)
    for number, parameter in enumerate(optimizer.parameters):
        parameter.comm_fusion = 1 if number <= LAST_OF_FIRST_PART else 2
    manager = ms.FixedLossScaleManager(config.loss_scale, drop_overflow_update=False)
    precision = {"amp_level": "O2", "keep_batchnorm_fp32": False, "loss_scale_manager": manager}
    return Model(network, loss, optimizer, **precision)


def create_evaluation(
    network: nn.Cell,
    optimizer: nn.Optimizer,
    class_names: list[str] | None,
    config: SimpleNamespace,
    rank: int,
    ranks: int,
) -> Callable[[], dict[str, float]] | None:
    """A function that gives the scores on held-out images; None without run_eval."""
    if not config.run_eval:
        return None
    config.eval_dataset_path = held_out_path(config)
    held_out = evaluation_dataset(config, class_names, rank, ranks)
    if rank == 0:
        note_identical_images(config)
    evaluate = evaluate_while_training(network, held_out, config.batch_size, ranks)
    return of_averages(evaluate, optimizer)


def prepare_modelarts(config: SimpleNamespace) -> None:
    """Take the unpacked data, and write where results are uploaded from."""
    if config.need_modelarts_dataset_unzip:
        name = config.modelarts_dataset_unzip_name
        config.dataset_path = unzip_data_set(config.data_path, name)
    config.save_checkpoint_path = os.path.join(config.output_path, config.save_checkpoint_path)
    if config.pre_trained:
        config.pre_trained = os.path.join(config.load_path, config.pre_trained)


@moxing_wrapper(prepare_modelarts)
def train(config: SimpleNamespace) -> None:
    """Config, data, network, loss, optimiser, callbacks, train."""
    if config.parameter_server:
        raise UserError("parameter_server left MindSpore; use run_distribute for several devices")
    rank, ranks = set_up_device(config.device_target, config.device_id, config.run_distribute)
    config.device_num = ranks
    show_config(config)
    set_seeds(config.seed)
    dataset, class_names = training_dataset(config, rank, ranks)
    steps_per_epoch = dataset.get_dataset_size()

    network = build_network(config)
    initialise(network)
    network.drop.probability = config.dropout
    if config.pre_trained:
        load_pre_trained(network, config.pre_trained, CLASSIFIER, config.ema_weights)
    freeze(network, config.freeze, config.pre_trained or config.resume)
    learning_rates = get_lr(
        config.lr_init,
        config.lr_end,
        config.lr_max,
        config.warmup_epochs,
        config.epoch_size,
        steps_per_epoch,
        config.lr_decay_mode,
    )
    learning_rates = adapt_rates(learning_rates, config, config.batch_size * ranks, steps_per_epoch)
    note_learning_rate(config, ranks)
    rates = learning_rates[:: config.accumulate_steps]  # of the optimiser's steps
    optimizer = with_additions(create_optimizer(network, rates, config), network, config)
    loss = chosen_loss(create_loss(config), config)
    model = create_model(network, loss, optimizer, config)
    fit(
        model,
        network,
        optimizer,
        dataset,
        config,
        make_record(config, RECORDED, class_names),
        learning_rates=learning_rates,
        epochs=config.epoch_size - config.pretrain_epoch_size,
        folder=os.path.join(config.save_checkpoint_path, f"ckpt_{writer_of(rank)}"),
        prefix="mobilenetv1",
        callbacks=[EpochTime(), LossMonitor(steps_per_epoch)],
        rank=rank,
        ranks=ranks,
        evaluate=create_evaluation(network, optimizer, class_names, config, rank, ranks),
        eval_interval=config.eval_interval,
        change=create_change(config, config.class_num, class_names, chosen_preprocessing(config)),
    )


if __name__ == "__main__":
    run(train, CONFIG, when_interrupted=RESUME_HINT)
