"""Train MobileNetV1.

    python train.py --device_target CPU --dataset cifar10 --dataset_path /data/cifar-10-batches-bin
    python train.py --dataset imagenet2012 --dataset_path /data/ImageNet_Original
    bash scripts/run_distribute_train.sh imagenet2012 hccl_8p.json /data/ImageNet_Original

Checkpoints, config.yaml, metrics.csv and curves.png go to ckpt_RANK in --save_checkpoint_path.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run, set_up_device

# isort: split
import copy
import os

import mindspore as ms
import mindspore.dataset as ds
import yaml
from mindspore import nn
from mindspore.train import LossMonitor, Model

from src.CrossEntropySmooth import CrossEntropySmooth
from src.dataset import create_dataset, split_path
from src.lr_generator import get_lr
from src.metrics import EpochTime, accuracy_metrics
from src.mobilenet_v1_fpn import build_network, initialise
from src.model_utils.config import config, show_config
from src.model_utils.moxing_adapter import moxing_wrapper, unzip_data_set
from src.vendored.checkpoint import SaveCheckpoint, load_weights, resume_training
from src.vendored.records import RunRecord, put_aside, write_whole


def create_loss():
    """Mean cross entropy, smoothed where `use_label_smooth` says so."""
    # MindSpore's own sparse loss turns infinite on the CPU where a probability underflows; this one
    # does not.
    smooth_factor = config.label_smooth_factor if config.use_label_smooth else 0.0
    return CrossEntropySmooth(
        sparse=True, reduction="mean", smooth_factor=smooth_factor, num_classes=config.class_num
    )


def create_model(network, learning_rates):
    """(Model, optimiser). Ascend: mixed precision O2, loss scale, no decay on BatchNorm and bias.

    Others: float32.
    """
    metrics, learning_rates = accuracy_metrics(config.class_num), ms.Tensor(learning_rates)
    if config.device_target != "Ascend":
        print(f"{config.device_target}: training in float32; mixed precision (O2) is for Ascend")
        optimizer = nn.Momentum(
            network.trainable_params(), learning_rates, config.momentum, config.weight_decay
        )
        return Model(network, create_loss(), optimizer, metrics=metrics), optimizer
    undecayed = [
        p for p in network.trainable_params() if p.name.endswith((".beta", ".gamma", ".bias"))
    ]
    decayed = [
        p for p in network.trainable_params() if not p.name.endswith((".beta", ".gamma", ".bias"))
    ]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": undecayed, "weight_decay": 0.0},
        {"order_params": network.trainable_params()},
    ]
    optimizer = nn.Momentum(groups, learning_rates, config.momentum, loss_scale=config.loss_scale)
    loss_scale = ms.FixedLossScaleManager(config.loss_scale, drop_overflow_update=False)
    return (
        Model(
            network,
            create_loss(),
            optimizer,
            metrics=metrics,
            amp_level="O2",
            keep_batchnorm_fp32=False,
            loss_scale_manager=loss_scale,
        ),
        optimizer,
    )


def create_evaluation(model):
    """A function that gives the scores on held-out data; the network's top-1 accuracy first."""
    settings = copy.copy(config)
    settings.dataset_path = config.eval_dataset_path or config.dataset_path
    held_out = create_dataset(
        settings, split_path(settings, "validation_preprocess"), do_train=False
    )

    def evaluate():
        scores = model.eval(held_out, dataset_sink_mode=False)
        return {"top1": float(scores["top_1_accuracy"]), "top5": float(scores["top_5_accuracy"])}

    return evaluate


def prepare_modelarts():
    """Take the unpacked data, and write where results are uploaded from."""
    if config.need_modelarts_dataset_unzip:
        unzip_data_set()
    config.save_checkpoint_path = os.path.join(config.output_path, config.save_checkpoint_path)
    if config.pre_trained:
        config.pre_trained = os.path.join(config.load_path, config.pre_trained)


@moxing_wrapper(prepare_modelarts)
def train():
    """Config, data, network, loss, optimiser, callbacks, train."""
    show_config()
    if config.parameter_server:
        raise UserError("parameter_server left MindSpore; use run_distribute for several devices")
    ms.set_seed(1)
    ds.config.set_seed(1)
    rank, size = set_up_device(config.device_target, config.device_id, config.run_distribute)
    dataset = create_dataset(config, split_path(config, "train"), True, size, rank)
    steps_per_epoch = dataset.get_dataset_size()

    network = build_network(config)
    if config.pre_trained:
        skipped = load_weights(network, config.pre_trained, head=("fc.weight", "fc.bias"))
        print(f"loaded {config.pre_trained}; not loaded: {', '.join(skipped) or 'nothing'}")
    else:
        initialise(network)
    learning_rates = get_lr(
        config.lr_init,
        config.lr_end,
        config.lr_max,
        config.warmup_epochs,
        config.epoch_size,
        steps_per_epoch,
        config.lr_decay_mode,
    )
    model, optimizer = create_model(network, learning_rates)

    directory, prefix = os.path.join(config.save_checkpoint_path, f"ckpt_{rank}"), "mobilenetv1"
    epochs = config.epoch_size - config.pretrain_epoch_size
    # The first rank of a server saves.
    saved = os.path.join(config.save_checkpoint_path, f"ckpt_{rank // 8 * 8}")
    start_epoch = resume_training(config.resume, saved, prefix, network, optimizer, dataset)
    if start_epoch >= epochs:
        raise UserError(
            f"{start_epoch} of {epochs} epochs are done: nothing left to train (--epoch_size)"
        )
    if not start_epoch:
        put_aside(directory, prefix)
    save = SaveCheckpoint(
        directory, prefix, config.save_checkpoint_epochs, config.keep_checkpoint_max
    )
    write_whole(os.path.join(directory, "config.yaml"), yaml.safe_dump(vars(config)))
    record = RunRecord(
        directory,
        learning_rates,
        config.batch_size * size,
        start_epoch=start_epoch,
        evaluate=create_evaluation(model) if config.run_eval else None,
        eval_interval=config.eval_interval,
        save_best=lambda network: save.save(network, f"{prefix}-best.ckpt"),
    )
    callbacks = [EpochTime(), record, LossMonitor(per_print_times=steps_per_epoch)]
    if config.save_checkpoint and rank % 8 == 0:
        callbacks.append(save)
    print(
        f"{steps_per_epoch} steps an epoch; the first step takes longer: the graph is compiled",
        flush=True,
    )
    model.train(
        epochs, dataset, callbacks=callbacks, dataset_sink_mode=True, initial_epoch=start_epoch
    )


if __name__ == "__main__":
    run(train)
