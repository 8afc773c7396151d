"""Train MnasNet on ImageNet.

    python train.py --device_id 0 --dataset_path /data/imagenet/train                  # Ascend
    python train.py --dataset_path /data/imagenet/train --device_target="GPU"
    python train.py --dataset_path /data --device_target CPU --class_num 2 --image_size 64
    bash scripts/run_distribute_train.sh hccl_8p.json /data/imagenet/train

Checkpoints, config.yaml, metrics.csv and curves.png go to model_0 in --save_checkpoint_path.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

from __future__ import annotations

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import RESUME_HINT, run

# isort: split
from types import SimpleNamespace

from src.config import BEYOND, TRAINED, load_config
from src.vendored.inputs import require_checkpoint, require_images

# fmt: off
GROUPS = (  # of settings: what training uses
    "network", "images", "training data", "evaluation data", "batches", "data pipeline",
    "random numbers", "loss", "training", "saving", "evaluation while training", "modelarts",
    "distributed run", "device",
    *BEYOND,
)
# fmt: on


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    if config.pre_trained:
        require_checkpoint(config.pre_trained)
    require_images(config.dataset_path)


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
from mindspore.train import Model

from src.dataset import chosen_preprocessing, evaluation_dataset, training_dataset
from src.loss import create_loss
from src.lr_generator import get_lr
from src.modelarts import fetch_images
from src.models.mnasnet import CLASSIFIER, build_network
from src.Monitor import Monitor
from src.rmsprop import RMSProp
from src.vendored.accuracy import evaluate_while_training
from src.vendored.additions import freeze, of_averages, with_additions
from src.vendored.checkpoints import load_pre_trained
from src.vendored.device import ranks_of_run, set_up_device, writer_of
from src.vendored.distilling import create_change
from src.vendored.identical import note_identical
from src.vendored.losses import chosen_loss
from src.vendored.modelarts import sync_data
from src.vendored.optimizers import create_adamw, decayed_apart, fixed_loss_scale
from src.vendored.random_drop import set_drop_path
from src.vendored.record import make_record
from src.vendored.schedule import adapt_rates
from src.vendored.splits import held_out_split
from src.vendored.training import fit, set_seeds


def create_optimizer(
    network: nn.Cell, learning_rates: np.ndarray, config: SimpleNamespace
) -> nn.Optimizer:
    """RMSProp or SGD; MindSpore leaves batch norm undecayed. It divides by the fixed loss scale."""
    common = {
        "learning_rate": ms.Tensor(learning_rates),
        "momentum": config.momentum,
        "weight_decay": config.weight_decay,
        "loss_scale": fixed_loss_scale(config),
    }
    parameters = network.trainable_params()
    if config.optimizer == "adamw":
        return create_adamw(network, learning_rates, config, common["loss_scale"])
    if not config.norm_decay:
        parameters = decayed_apart(parameters, config.weight_decay)
    if config.opt == "sgd":
        return nn.SGD(parameters, **common)
    return RMSProp(parameters, decay=0.9, epsilon=config.opt_eps, **common)


def create_model(
    network: nn.Cell, loss: nn.Cell, optimizer: nn.Optimizer, config: SimpleNamespace
) -> Model:
    """Ascend: mixed precision O3, batch norm included. Others: float32. On CPU the loss is not
    scaled.
    """
    level = "O3" if config.device_target == "Ascend" else "O0"
    if level == "O0":
        print(f"{config.device_target}: training in float32; mixed precision (O3) is for Ascend")
    manager = ms.FixedLossScaleManager(fixed_loss_scale(config), drop_overflow_update=False)
    precision = {"amp_level": level, "loss_scale_manager": manager}
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
    config.eval_dataset_path = config.eval_dataset_path or held_out_split(
        config.dataset_path, "eval_dataset_path"
    )
    held_out = evaluation_dataset(config, class_names, rank, ranks)
    if rank == 0:
        note_identical(config.dataset_path, config.eval_dataset_path)
    evaluate = evaluate_while_training(network, held_out, config.batch_size, ranks)
    return of_averages(evaluate, optimizer)


def train(config: SimpleNamespace) -> None:
    """Config, network, loss, data, optimiser, callbacks, train: in the order of the documented
    log, which says what is there.
    """
    distributed = config.run_distribute or config.run_modelarts and ranks_of_run() > 1
    rank, ranks = set_up_device(config.device_target, config.device_id, distributed)
    set_seeds(config.seed)
    if config.run_modelarts:
        config.dataset_path = fetch_images(config)
        config.save_checkpoint_path = os.path.join(config.cache_path, "ckpt")

    network = build_network(config)
    set_drop_path(network, config.drop_path)
    if config.pre_trained:
        load_pre_trained(network, config.pre_trained, CLASSIFIER, config.ema_weights)
    freeze(network, config.freeze, config.pre_trained or config.resume)
    print("model init")
    loss = chosen_loss(create_loss(config), config)
    print("loss init")
    dataset, class_names = training_dataset(config, rank, ranks)
    print("dataset init")
    learning_rates = get_lr(
        config.lr_init,
        config.lr_end,
        config.lr_max,
        config.warmup_epochs,
        config.epoch_size,
        dataset.get_dataset_size(),
        config.lr_decay_mode,
    )
    learning_rates = adapt_rates(
        learning_rates, config, config.batch_size * ranks, dataset.get_dataset_size()
    )
    print("lr init")
    rates = learning_rates[:: config.accumulate_steps]  # of the optimiser's steps
    optimizer = with_additions(create_optimizer(network, rates, config), network, config)
    model = create_model(network, loss, optimizer, config)
    evaluate = create_evaluation(network, optimizer, class_names, config, rank, ranks)
    print("training start.", flush=True)
    fit(
        model,
        network,
        optimizer,
        dataset,
        config,
        make_record(config, TRAINED, class_names),
        learning_rates=learning_rates,
        epochs=config.epoch_size,
        folder=os.path.join(config.save_checkpoint_path, f"model_{writer_of(rank)}"),
        prefix=f"Mnasnet-rank{writer_of(rank)}",
        callbacks=[Monitor(lr_init=learning_rates)],
        rank=rank,
        ranks=ranks,
        evaluate=evaluate,
        eval_interval=config.eval_interval,
        change=create_change(config, config.class_num, class_names, chosen_preprocessing(config)),
    )
    if config.run_modelarts:
        sync_data(config.save_checkpoint_path, config.train_url)


if __name__ == "__main__":
    run(train, CONFIG, when_interrupted=RESUME_HINT)
