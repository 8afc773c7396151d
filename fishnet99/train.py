"""Train FishNet99 on ImageNet.

    python train.py --device_id=0 --device_type='Ascend'                     # or 'GPU'
    python train.py --device_type='CPU' --data_path /data/train --image_size 64 --batch_size 16
    bash scripts/run_train_ascend.sh hccl_8p.json

Checkpoints, config.yaml, metrics.csv and curves.png go to ckpt_RANK in --save_checkpoint_path.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run, set_up_device

# isort: split
import os

import mindspore as ms
import mindspore.dataset as ds
import yaml
from mindspore import nn
from mindspore.train import LossMonitor, Model, TimeMonitor

from src.config import load_config, rank_size
from src.dataset import create_dataset_imagenet, evaluation_dataset
from src.fishnet import fish99
from src.loss import smoothed_cross_entropy
from src.lr_generator import get_lr
from src.metrics import accuracy_metrics
from src.vendored.checkpoint import SaveCheckpoint, load_weights, resume_training
from src.vendored.records import RunRecord, put_aside, write_whole


def parameter_groups(network, weight_decay):
    """The trainable parameters for the optimiser: weights decay, batch norm and biases do not."""
    parameters = network.trainable_params()
    undecayed = [p for p in parameters if p.name.endswith((".bias", ".gamma", ".beta"))]
    decayed = [p for p in parameters if not p.name.endswith((".bias", ".gamma", ".beta"))]
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": undecayed, "weight_decay": 0.0},
        {"order_params": parameters},
    ]


def create_model(network, learning_rates, config):
    """(Model, optimiser). Ascend and GPU: mixed precision O3, batch norm included, with loss scale.

    CPU: float32.
    """
    loss = smoothed_cross_entropy(
        config.num_classes, config.label_smooth_factor if config.use_label_smooth else 0.0
    )
    precision, scale = {}, 1.0
    if config.device_target == "CPU":
        print("CPU: training in float32; mixed precision (O3) is for Ascend and GPU")
    elif config.is_dynamic_loss_scale:
        manager = ms.DynamicLossScaleManager(
            init_loss_scale=65536, scale_factor=2, scale_window=2000
        )
        precision = {"amp_level": "O3", "keep_batchnorm_fp32": False, "loss_scale_manager": manager}
    else:
        # The optimiser divides by what the loss is multiplied with.
        scale = float(config.loss_scale)
        manager = ms.FixedLossScaleManager(config.loss_scale, drop_overflow_update=False)
        precision = {"amp_level": "O3", "keep_batchnorm_fp32": False, "loss_scale_manager": manager}
    optimizer = nn.Momentum(
        parameter_groups(network, config.weight_decay),
        ms.Tensor(learning_rates),
        config.momentum,
        loss_scale=scale,
    )
    return (
        Model(network, loss, optimizer, metrics=accuracy_metrics(config.num_classes), **precision),
        optimizer,
    )


def create_evaluation(model, config):
    """A function that gives the scores on the evaluation images; the network's top-1 accuracy
    first.
    """
    held_out = evaluation_dataset(config)

    def evaluate():
        scores = model.eval(held_out, dataset_sink_mode=False)
        return {"top1": float(scores["top_1_accuracy"]), "top5": float(scores["top_5_accuracy"])}

    return evaluate


def build_network(config):
    """FishNet99, with the weights that `pre_trained` asks for."""
    network = fish99(config.num_classes, config.pool_padding)
    path = {"False": "", "True": config.checkpoint_path}.get(
        config.pre_trained.capitalize(), config.pre_trained
    )
    if path:
        skipped = load_weights(network, path, head=("classifier.6.weight", "classifier.6.bias"))
        print(f"loaded {path}; not loaded: {', '.join(skipped) or 'nothing'}")
    return network


def train():
    """Config, data, network, loss, optimiser, callbacks, train."""
    config = load_config("data_path")
    ms.set_seed(1)
    ds.config.set_seed(1)
    rank, size = set_up_device(config.device_target, config.device_id, rank_size() > 1)
    dataset = create_dataset_imagenet(
        config.data_path,
        num_parallel_workers=config.num_workers,
        rank=rank,
        device_num=size,
        batch_size=config.batch_size,
        image_size=config.image_height,
        num_classes=config.num_classes,
    )
    steps_per_epoch = dataset.get_dataset_size()
    network = build_network(config)
    learning_rates = get_lr(
        config.lr_init,
        config.eta_min,
        config.T_max,
        config.warmup_epochs,
        config.epoch_size,
        steps_per_epoch,
    )
    print(
        f"{size} {config.device_target} device(s): lr_init {config.lr_init}, T_max {config.T_max}, "
        f"epoch_size {config.epoch_size}"
    )
    model, optimizer = create_model(network, learning_rates, config)

    directory, prefix = (
        os.path.join(config.save_checkpoint_path, f"ckpt_{rank}"),
        f"train_fishnet99_{config.name}",
    )
    # Only the first device saves; all resume from there.
    saved = os.path.join(config.save_checkpoint_path, "ckpt_0")
    start_epoch = resume_training(config.resume, saved, prefix, network, optimizer, dataset)
    if start_epoch >= config.epoch_size:
        raise UserError(
            f"{start_epoch} of {config.epoch_size} epochs are done: nothing left to train"
            " (--epoch_size)"
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
        evaluate=create_evaluation(model, config) if config.run_eval else None,
        eval_interval=config.eval_interval,
        save_best=lambda network: save.save(network, f"{prefix}-best.ckpt"),
    )
    callbacks = [
        TimeMonitor(data_size=steps_per_epoch),
        record,
        LossMonitor(per_print_times=steps_per_epoch),
    ]
    if rank == 0:
        callbacks.append(save)
    print(
        f"{steps_per_epoch} steps an epoch; the first step takes longer: the graph is compiled",
        flush=True,
    )
    model.train(
        config.epoch_size,
        dataset,
        callbacks=callbacks,
        dataset_sink_mode=True,
        initial_epoch=start_epoch,
    )
    print("train success", flush=True)


if __name__ == "__main__":
    run(train)
