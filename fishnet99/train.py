"""Train FishNet99 on ImageNet.

    python train.py --device_id=0 --device_type='Ascend'                     # or 'GPU'
    python train.py --device_type='CPU' --data_path /data/train --image_size 64 --batch_size 16
    bash scripts/run_train_ascend.sh hccl_8p.json

Checkpoints, config.yaml, metrics.csv and curves.png go to ckpt_0 in --save_checkpoint_path.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

from __future__ import annotations

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import RESUME_HINT, run

# isort: split
from types import SimpleNamespace

from src.config import BEYOND, RECORDED, load_config
from src.vendored.inputs import require_checkpoint, require_images

# fmt: off
GROUPS = (  # of settings: what training uses
    "network", "images", "training data", "evaluation data", "batches", "data pipeline",
    "random numbers", "training", "checkpoint", "saving", "evaluation while training", "device",
    *BEYOND,
)
# fmt: on


def first_weights(config: SimpleNamespace) -> str:
    """The checkpoint to start from: a path, or True for checkpoint_path; "" for none."""
    choices = {"False": "", "True": config.checkpoint_path}
    return choices.get(config.pre_trained.capitalize(), config.pre_trained)


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_images(config.data_path)
    if first_weights(config):
        require_checkpoint(first_weights(config))


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        *GROUPS,
        description=__doc__,
        aliases={"dataset_path": "data_path"},
        val_data_path="",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import os
from collections.abc import Callable

import mindspore as ms
import numpy as np
from mindspore import nn
from mindspore.train import LossMonitor, Model, TimeMonitor

from src.dataset import chosen_preprocessing, evaluation_dataset, training_dataset
from src.fishnet import CLASSIFIER, build_network
from src.loss import create_loss
from src.lr_generator import get_lr
from src.vendored.accuracy import evaluate_while_training
from src.vendored.additions import freeze, of_averages, with_additions
from src.vendored.checkpoints import load_pre_trained
from src.vendored.device import ranks_of_run, set_up_device, writer_of
from src.vendored.distilling import create_change
from src.vendored.identical import note_identical
from src.vendored.losses import chosen_loss
from src.vendored.optimizers import (
    create_adamw,
    create_loss_scale,
    decayed_apart,
    fixed_loss_scale,
)
from src.vendored.random_drop import set_drop_path
from src.vendored.record import make_record
from src.vendored.schedule import adapt_rates
from src.vendored.splits import held_out_split
from src.vendored.training import fit, set_seeds


def create_optimizer(
    network: nn.Cell, learning_rates: np.ndarray, config: SimpleNamespace
) -> nn.Optimizer:
    """Momentum; weights decay, batch norm and biases do not. It divides by a fixed loss scale."""
    scale = 1.0 if config.is_dynamic_loss_scale else fixed_loss_scale(config)
    if config.optimizer == "adamw":
        return create_adamw(network, learning_rates, config, scale)
    groups = decayed_apart(network.trainable_params(), config.weight_decay)
    return nn.Momentum(groups, ms.Tensor(learning_rates), config.momentum, loss_scale=scale)


def create_model(
    network: nn.Cell, loss: nn.Cell, optimizer: nn.Optimizer, config: SimpleNamespace
) -> Model:
    """Ascend and GPU: mixed precision O3, batch norm included, the loss scaled. CPU: float32."""
    if config.device_target == "CPU":
        print("CPU: training in float32; mixed precision (O3) is for Ascend and GPU")
        return Model(network, loss, optimizer)
    manager = create_loss_scale(config)
    precision = {"amp_level": "O3", "keep_batchnorm_fp32": False, "loss_scale_manager": manager}
    return Model(network, loss, optimizer, **precision)


def create_evaluation(
    network: nn.Cell,
    optimizer: nn.Optimizer,
    class_names: list[str],
    config: SimpleNamespace,
    rank: int,
    ranks: int,
) -> Callable[[], dict[str, float]] | None:
    """A function that gives the scores on held-out images; None without run_eval."""
    if not config.run_eval:
        return None
    config.val_data_path = config.val_data_path or held_out_split(config.data_path, "val_data_path")
    held_out = evaluation_dataset(config, class_names, rank, ranks)
    if rank == 0:
        note_identical(config.data_path, config.val_data_path)
    evaluate = evaluate_while_training(network, held_out, config.batch_size, ranks)
    return of_averages(evaluate, optimizer)


def train(config: SimpleNamespace) -> None:
    """Config, data, network, loss, optimiser, callbacks, train."""
    rank, ranks = set_up_device(config.device_target, config.device_id, ranks_of_run() > 1)
    if config.device_target != "CPU":
        ms.set_context(jit_config={"jit_level": "O1"})  # Graph kernel fusion.
    set_seeds(config.seed)
    dataset, class_names = training_dataset(config, rank, ranks)
    steps_per_epoch = dataset.get_dataset_size()

    network = build_network(config)
    set_drop_path(network, config.drop_path)
    pre_trained = first_weights(config)
    if pre_trained:
        load_pre_trained(network, pre_trained, CLASSIFIER, config.ema_weights)
    freeze(network, config.freeze, pre_trained or config.resume)
    learning_rates = get_lr(
        config.lr_init,
        config.eta_min,
        config.T_max,
        config.warmup_epochs,
        config.epoch_size,
        steps_per_epoch,
    )
    learning_rates = adapt_rates(learning_rates, config, config.batch_size * ranks, steps_per_epoch)
    print(
        f"{ranks} {config.device_target} device(s): lr_init {config.lr_init}, T_max"
        f" {config.T_max}, epoch_size {config.epoch_size}"
    )
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
        epochs=config.epoch_size,
        folder=os.path.join(config.save_checkpoint_path, f"ckpt_{writer_of(rank)}"),
        prefix=f"train_fishnet99_{config.name}",
        callbacks=[TimeMonitor(data_size=steps_per_epoch), LossMonitor(steps_per_epoch)],
        rank=rank,
        ranks=ranks,
        evaluate=create_evaluation(network, optimizer, class_names, config, rank, ranks),
        eval_interval=config.eval_interval,
        change=create_change(config, config.num_classes, class_names, chosen_preprocessing(config)),
    )
    print("train success", flush=True)


if __name__ == "__main__":
    run(train, CONFIG, when_interrupted=RESUME_HINT)
