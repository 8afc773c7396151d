"""Train ResNeSt.

    python train.py --outdir ./output --device_target Ascend                       # or GPU
    python train.py --outdir ./output --device_target CPU --root /data/imagenet --num_classes 10
    bash scripts/run_distribute_train.sh hccl_8p.json

Checkpoints, config.yaml, metrics.csv and curves.png go to ckpt_0 in --outdir, the log to a folder
named by the time.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

from __future__ import annotations

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import RESUME_HINT, run

# isort: split
from types import SimpleNamespace

from src.config import BEYOND, RECORDED, load_config, require_processes
from src.vendored.inputs import require_checkpoint, require_images

# fmt: off
GROUPS = (  # of settings: what training uses
    "network", "images", "training data", "evaluation data", "batches", "data pipeline",
    "random numbers", "training", "output", "saving", "evaluation while training", "modelarts",
    "distributed run", "size of the run", "device",
    *BEYOND,
)
# fmt: on


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    if not config.run_distribute:
        require_processes(config, 1)
    require_images(config.root)
    if config.pre_trained:
        require_checkpoint(config.pre_trained)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        *GROUPS,
        description=__doc__,
        aliases={
            "dataset_path": "root",
            "pretrained_ckpt_path": "pre_trained",
            "checkpoint_path": "pre_trained",
        },
        eval_root="",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import os

import mindspore as ms
import numpy as np
from mindspore import nn
from mindspore.train import LossMonitor, Model, TimeMonitor

from src.crossentropy import create_loss
from src.datasets.dataset import chosen_preprocessing, evaluation_dataset, training_dataset
from src.eval_callback import EvalCallBack, top1_callback
from src.logging import TrainingLog, get_logger
from src.models.resnest import CLASSIFIER, build_network
from src.models.utils import get_lr, get_param_groups
from src.vendored.accuracy import evaluate_while_training
from src.vendored.additions import freeze, of_averages, with_additions
from src.vendored.checkpoints import load_pre_trained
from src.vendored.device import set_up_device, writer_of
from src.vendored.distilling import create_change
from src.vendored.identical import note_identical
from src.vendored.losses import chosen_loss
from src.vendored.modelarts import sync_data
from src.vendored.optimizers import create_adamw, create_loss_scale, fixed_loss_scale
from src.vendored.random_drop import set_drop_path
from src.vendored.record import make_record
from src.vendored.schedule import adapt_rates
from src.vendored.splits import held_out_split
from src.vendored.training import fit, set_seeds


def create_optimizer(
    network: nn.Cell, learning_rates: np.ndarray, config: SimpleNamespace
) -> nn.Optimizer:
    """Momentum; weights decay, with disable_bn_wd not batch norm and biases. It divides by a fixed
    loss scale.
    """
    scale = 1.0 if config.is_dynamic_loss_scale else fixed_loss_scale(config)
    if config.optimizer == "adamw":
        return create_adamw(network, learning_rates, config, scale)
    is_apart = config.disable_bn_wd or not config.norm_decay
    return nn.Momentum(
        get_param_groups(network) if is_apart else network.trainable_params(),
        ms.Tensor(learning_rates),
        config.momentum,
        config.weight_decay,
        loss_scale=scale,
    )


def create_model(
    network: nn.Cell, loss: nn.Cell, optimizer: nn.Optimizer, config: SimpleNamespace
) -> Model:
    """Ascend and GPU: mixed precision O2, batch norm in float16, the loss scaled. CPU: float32."""
    if config.device_target == "CPU":
        print("CPU: training in float32; mixed precision (O2) is for Ascend and GPU")
        return Model(network, loss, optimizer)
    manager = create_loss_scale(config)
    precision = {"amp_level": "O2", "keep_batchnorm_fp32": False, "loss_scale_manager": manager}
    return Model(network, loss, optimizer, **precision)


def create_evaluation(
    network: nn.Cell,
    optimizer: nn.Optimizer,
    class_names: list[str],
    config: SimpleNamespace,
    rank: int,
    ranks: int,
) -> EvalCallBack | None:
    """The callback that evaluates held-out images and prints it as documented; None without
    run_eval.
    """
    if not config.run_eval:
        return None
    config.eval_root = config.eval_root or held_out_split(config.root, "eval_root")
    held_out = evaluation_dataset(config, class_names, rank, ranks)
    if rank == 0:
        note_identical(config.root, config.eval_root)
    evaluate = evaluate_while_training(network, held_out, config.test_batch_size, ranks)
    return top1_callback(of_averages(evaluate, optimizer), config)


def train(config: SimpleNamespace) -> None:
    """Config, data, network, loss, optimiser, callbacks, train."""
    rank, ranks = set_up_device(config.device_target, config.device_id, config.run_distribute)
    require_processes(config, ranks)
    if config.device_target != "CPU":
        ms.set_context(jit_config={"jit_level": "O1"})  # Graph kernel fusion.
    set_seeds(config.seed)
    if config.is_model_arts:
        sync_data(config.data_url, config.root)
    dataset, class_names = training_dataset(config, rank, ranks)
    steps_per_epoch = dataset.get_dataset_size()

    network = build_network(config)
    set_drop_path(network, config.drop_path)
    if config.pre_trained:
        load_pre_trained(network, config.pre_trained, CLASSIFIER, config.ema_weights)
    freeze(network, config.freeze, config.pre_trained or config.resume)
    learning_rates = get_lr(config, config.lr * ranks, steps_per_epoch)
    learning_rates = adapt_rates(learning_rates, config, config.batch_size, steps_per_epoch)
    rates = learning_rates[:: config.accumulate_steps]  # of the optimiser's steps
    optimizer = with_additions(create_optimizer(network, rates, config), network, config)
    loss = chosen_loss(create_loss(config), config)
    model = create_model(network, loss, optimizer, config)
    evaluation = create_evaluation(network, optimizer, class_names, config, rank, ranks)
    print("================Start training================", flush=True)
    fit(
        model,
        network,
        optimizer,
        dataset,
        config,
        make_record(config, RECORDED, class_names),
        learning_rates=learning_rates,
        epochs=config.epochs,
        folder=os.path.join(config.outdir, f"ckpt_{writer_of(rank)}"),
        prefix=config.net_name,
        callbacks=[
            TrainingLog(get_logger(config.outdir, rank), config.batch_size * ranks),
            TimeMonitor(data_size=steps_per_epoch),
            LossMonitor(steps_per_epoch),
            *([evaluation] if evaluation else []),
        ],
        rank=rank,
        ranks=ranks,
        start_epoch=config.start_epoch,
        # What is printed is in this epoch's scores, if it is evaluated.
        evaluate=(lambda: dict(zip(["top1"], evaluation.scores.values()))) if evaluation else None,
        change=create_change(
            config, config.num_classes, class_names, chosen_preprocessing(config, config.crop_size)
        ),
    )
    if config.is_model_arts:
        sync_data(config.outdir, config.train_url)


if __name__ == "__main__":
    run(train, CONFIG, when_interrupted=RESUME_HINT)
