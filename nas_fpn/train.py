"""Train NAS-FPN on the MindRecord files that create_data.py writes.

    bash scripts/run_distribute_train.sh 8 hccl_8p.json /data/MindRecord_COCO
    bash scripts/run_single_train.sh 0 /data/MindRecord_COCO
    python train.py --device_target CPU --distribute False --mindrecord_dir records \\
        --image_size 128 --batch_size 4

Checkpoints, config.yaml, metrics.csv and curves.png go to --save_checkpoint_path.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

from __future__ import annotations

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import RESUME_HINT, UserError, run

# isort: split
from types import SimpleNamespace

from src.data_paths import require_records, training_records
from src.model_utils.config import RECORDED, load_config, show_config
from src.vendored.inputs import require_checkpoint
from src.vendored.options import SETTINGS as OPTIONS

# fmt: off
GROUPS = (  # of settings: what training uses
    "network", "images", "aspect ratio", "records", "annotations", "training split",
    "validation split", "source of records", "annotation file", "image sizes", "batches",
    "data pipeline", "training", "saving", "evaluation while training", "detections",
    "table by class", "pictures", "device", "distributed training", "profiling", "modelarts",
    "archive of the data", *OPTIONS,
)
# fmt: on


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_records(training_records(config))
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

from src.epoch_log import EpochLog
from src.evaluation import evaluate_while_training
from src.fan_in import init_by_fan_in
from src.init_params import init_net_param, load_pre_trained
from src.lr_generator import get_lr
from src.model_utils.moxing_adapter import moxing_wrapper, unzip_data_set
from src.retinanet_nasfpn import build_training_network
from src.training_data import training_dataset
from src.vendored.additions import freeze, of_averages, with_additions
from src.vendored.device import set_up_device, writer_of
from src.vendored.optimizers import UNDECAYED, create_adamw, decayed_apart, fixed_loss_scale
from src.vendored.record import make_record
from src.vendored.schedule import adapt_rates
from src.vendored.training import fit, set_seeds

PREFIX = "retinanet_nasfpn"
BY_SIZE = ("AP50", "AP small", "AP medium", "AP large")


def set_weights(network: nn.Cell, config: SimpleNamespace) -> None:
    """What the training network starts from, and which of it stays so."""
    init_net_param(network)
    if config.initial_weights == "he":
        init_by_fan_in(network, config.num_classes, config.feature_size)
    if config.pre_trained:
        if config.pre_trained_epoch_size < 0:
            raise UserError("pre_trained_epoch_size must be greater than 0.")
        load_pre_trained(network, config.pre_trained, config.filter_weight, config.ema_weights)
    freeze(network, config.freeze, config.pre_trained or config.resume)


def create_optimizer(
    network: nn.Cell, learning_rates: np.ndarray, config: SimpleNamespace
) -> nn.Optimizer:
    """Momentum; weights decay, batch norm does not. It divides by a fixed loss scale."""
    scale = fixed_loss_scale(config)
    if config.optimizer == "adamw":
        return create_adamw(network, learning_rates, config, scale)
    undecayed = (".gamma", ".beta") if config.norm_decay else UNDECAYED
    groups = decayed_apart(network.trainable_params(), config.weight_decay, undecayed)
    return nn.Momentum(groups, ms.Tensor(learning_rates), config.momentum, loss_scale=scale)


def create_model(network: nn.Cell, optimizer: nn.Optimizer, config: SimpleNamespace) -> Model:
    """All devices: float32, the loss scaled but on CPU. `network` gives the loss itself."""
    manager = ms.FixedLossScaleManager(fixed_loss_scale(config), drop_overflow_update=False)
    return Model(network, optimizer=optimizer, loss_scale_manager=manager)


def create_evaluation(
    network: nn.Cell, optimizer: nn.Optimizer, folder: str, config: SimpleNamespace, rank: int
) -> Callable[[], dict[str, float]] | None:
    """A function that gives COCO's metrics on the validation images; None without run_eval.

    Each rank evaluates all of them, since it has to wait for the others anyhow; the one that writes
    puts predictions.json into `folder`.
    """
    if not config.run_eval:
        return None
    kept = folder if rank == writer_of(rank) else ""
    return of_averages(evaluate_while_training(network, config, kept), optimizer)


def prepare_modelarts(config: SimpleNamespace) -> None:
    """Take the unpacked data, and write where results are uploaded from."""
    if config.need_modelarts_dataset_unzip:
        unzip_data_set(config.data_path, config.modelarts_dataset_unzip_name)
    config.save_checkpoint_path = os.path.join(config.output_path, config.save_checkpoint_path)
    if config.pre_trained:
        config.pre_trained = os.path.join(config.load_path, config.pre_trained)


@moxing_wrapper(prepare_modelarts)
def train(config: SimpleNamespace) -> None:
    """Config, data, network, loss, optimiser, callbacks, train."""
    rank, ranks = set_up_device(config.device_target, config.device_id, config.distribute)
    show_config(config)
    set_seeds(config.seed)
    dataset, class_names = training_dataset(config, rank, ranks)
    steps_per_epoch = dataset.get_dataset_size()
    print("Create dataset done!")

    network = build_training_network(config)
    set_weights(network, config)
    learning_rates = get_lr(
        config.global_step,
        config.lr_init,
        config.lr * config.lr_end_rate,
        config.lr,
        config.warmup_epochs1,
        config.warmup_epochs2,
        config.warmup_epochs3,
        config.warmup_epochs4,
        config.warmup_epochs5,
        config.epoch_size,
        steps_per_epoch,
    )
    learning_rates = adapt_rates(learning_rates, config, config.batch_size * ranks, steps_per_epoch)
    rates = learning_rates[:: config.accumulate_steps]  # of the optimiser's steps
    optimizer = with_additions(create_optimizer(network, rates, config), network, config)
    model = create_model(network, optimizer, config)
    first = writer_of(rank)
    folder = os.path.join(config.save_checkpoint_path, f"rank_{first}" if first else "")
    evaluate_now = create_evaluation(network, optimizer, folder, config, rank)
    print(f"Start train {PREFIX}, the first epoch will be slower because of the graph compilation.")
    fit(
        model,
        network,
        optimizer,
        dataset,
        config,
        make_record(config, RECORDED, class_names),
        learning_rates=learning_rates,
        epochs=len(learning_rates) // steps_per_epoch,  # What global_step leaves of epoch_size.
        folder=folder,
        prefix=PREFIX,
        callbacks=[LossMonitor(steps_per_epoch), EpochLog(learning_rates)],
        rank=rank,
        ranks=ranks,
        evaluate=evaluate_now,
        eval_interval=config.eval_interval,
        score="mAP",
        more_scores=BY_SIZE if config.scores_by_size else (),
    )
    print("train success!", flush=True)


if __name__ == "__main__":
    run(train, CONFIG, when_interrupted=RESUME_HINT)
