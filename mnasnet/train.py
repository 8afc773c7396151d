"""Train MnasNet on ImageNet.

    python train.py --device_id 0 --dataset_path /data/imagenet/train                  # Ascend
    python train.py --dataset_path /data/imagenet/train --device_target="GPU" python train.py
    --dataset_path /data/train --device_target CPU --class_num 2 --image_size 64 --batch_size 32

Checkpoints, config.yaml, metrics.csv and curves.png go to model_RANK in --save_checkpoint_path.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run, set_up_device

# isort: split
import os

import mindspore as ms
import mindspore.dataset as ds
import yaml
from mindspore import nn
from mindspore.train import Model

from src import modelarts
from src.config import load_config
from src.dataset import create_dataset, evaluation_dataset
from src.loss import CrossEntropySmooth
from src.lr_generator import get_lr
from src.metrics import evaluation_metrics, smooth_factor
from src.models.mnasnet import build_network
from src.Monitor import Monitor
from src.vendored.checkpoint import SaveCheckpoint, load_weights, resume_training
from src.vendored.records import RunRecord, put_aside, write_whole

PREFIX = "Mnasnet-rank0"  # of the checkpoints' names


def learning_rates(config, steps_per_epoch):
    """The rate of every step."""
    try:
        return get_lr(
            config.lr_init,
            config.lr_end,
            config.lr_max,
            config.warmup_epochs,
            config.epoch_size,
            steps_per_epoch,
            config.lr_decay_mode,
        )
    except ValueError as error:
        raise UserError(error) from None


def create_optimizer(network, rates, config):
    """RMSProp or SGD; MindSpore leaves batch norm's gamma and beta undecayed."""
    common = {
        "learning_rate": ms.Tensor(rates),
        "momentum": config.momentum,
        "weight_decay": config.weight_decay,
        "loss_scale": config.loss_scale,
    }
    if config.opt == "sgd":
        return nn.SGD(network.trainable_params(), **common)
    return nn.RMSProp(
        network.trainable_params(), decay=0.9, epsilon=config.opt_eps, centered=False, **common
    )


def create_model(network, loss, optimizer, config):
    """Ascend: mixed precision O3, batch norm included. Others: float32.

    The loss is scaled on all of them.
    """
    level = "O3" if config.device_target == "Ascend" else "O0"
    if level == "O0":
        print(f"{config.device_target}: training in float32; mixed precision (O3) is for Ascend")
    scale = ms.FixedLossScaleManager(config.loss_scale, drop_overflow_update=False)
    return Model(
        network,
        loss,
        optimizer,
        metrics=evaluation_metrics(config),
        amp_level=level,
        loss_scale_manager=scale,
    )


def create_evaluation(model, config):
    """A function that gives the scores on the evaluation images, the top-1 accuracy first; None
    without run_eval.
    """
    if not config.run_eval:
        return None
    if not config.eval_dataset_path:
        raise UserError("run_eval wants images to evaluate on: --eval_dataset_path FOLDER")
    held_out = evaluation_dataset(config, config.eval_dataset_path)

    def evaluate():
        scores = model.eval(held_out, dataset_sink_mode=False)
        return {name: float(scores[name]) for name in ("Top_1_Acc", "Top_5_Acc", "Loss")}

    return evaluate


def create_callbacks(directory, rates, start_epoch, evaluate, config, devices):
    """The log, the record of the run and, on the first device, the checkpoints."""
    record = RunRecord(
        directory,
        rates,
        config.batch_size * devices,
        start_epoch=start_epoch,
        evaluate=evaluate,
        eval_interval=config.eval_interval,
    )
    if not config.save_checkpoint or not directory.endswith("model_0"):
        return [Monitor(lr_init=rates), record]
    save = SaveCheckpoint(
        directory, PREFIX, config.save_checkpoint_epochs, config.keep_checkpoint_max
    )
    record.save_best = lambda network: save.save(network, f"{PREFIX}-best.ckpt")
    return [Monitor(lr_init=rates), record, save]


def prepare_modelarts(config):
    """Take the images from object storage, to where this process alone reads them."""
    config.run_distribute = int(os.environ.get("RANK_SIZE") or "1") > 1
    modelarts.fetch_images(config, str(config.device_id) if config.run_distribute else "")
    config.save_checkpoint_path = os.path.join(config.cache_path, "ckpt")


def train():
    """Config, network, loss, data, learning rate, optimiser, callbacks, train."""
    config = load_config()
    ms.set_seed(1)
    ds.config.set_seed(1)
    if config.run_modelarts:
        prepare_modelarts(config)
    rank, size = set_up_device(config.device_target, config.device_id, config.run_distribute)
    network = build_network(config)
    if config.pre_trained:
        skipped = load_weights(network, config.pre_trained, head=("fc.weight", "fc.bias"))
        print(f"loaded {config.pre_trained}; not loaded: {', '.join(skipped) or 'nothing'}")
    print("model init")
    loss = CrossEntropySmooth(True, "mean", smooth_factor(config), config.class_num)
    print("loss init")
    dataset = create_dataset(
        config.dataset_path,
        True,
        config.batch_size,
        size,
        rank,
        config.image_size,
        config.class_num,
        config.crop_scale,
        num_parallel_workers=config.num_workers,
    )
    print("dataset init")
    rates = learning_rates(config, dataset.get_dataset_size())
    print("lr init")
    optimizer = create_optimizer(network, rates, config)
    model = create_model(network, loss, optimizer, config)
    evaluate = create_evaluation(model, config)

    directory = os.path.join(config.save_checkpoint_path, f"model_{rank}")
    # Only the first device saves; all resume from there.
    saved = os.path.join(config.save_checkpoint_path, "model_0")
    start_epoch = resume_training(config.resume, saved, PREFIX, network, optimizer, dataset)
    if start_epoch >= config.epoch_size:
        raise UserError(
            f"{start_epoch} of {config.epoch_size} epochs are done: nothing left to train"
            " (--epoch_size)"
        )
    if not start_epoch:
        put_aside(directory, PREFIX)
    callbacks = create_callbacks(directory, rates, start_epoch, evaluate, config, size)
    write_whole(os.path.join(directory, "config.yaml"), yaml.safe_dump(vars(config)))
    print("training start.", flush=True)
    model.train(
        config.epoch_size,
        dataset,
        callbacks=callbacks,
        dataset_sink_mode=True,
        initial_epoch=start_epoch,
    )
    if config.run_modelarts and rank == 0:
        modelarts.store_checkpoints(config)


if __name__ == "__main__":
    run(train)
