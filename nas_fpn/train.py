"""Train NAS-FPN on the MindRecord files that create_data.py writes.

    bash scripts/run_distribute_train.sh 8 hccl_8p.json /data/MindRecord_COCO bash
    scripts/run_single_train.sh 0 /data/MindRecord_COCO python train.py --device_target CPU
    --distribute False --mindrecord_dir records --image_size 128 --batch_size 4

Checkpoints, config.yaml, metrics.csv and curves.png go to --save_checkpoint_path.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run, set_up_device

# isort: split
import contextlib
import os
import time

import mindspore as ms
import yaml
from mindspore import nn
from mindspore.train import Callback, LossMonitor, Model

from src.dataset import create_retinanet_dataset
from src.evaluation import evaluate, evaluation_dataset
from src.init_params import init_net_param, load_pre_trained
from src.lr_generator import get_lr
from src.model_utils.config import config, show_config
from src.model_utils.moxing_adapter import moxing_wrapper, unzip_data_set
from src.retinanet_nasfpn import inference_network, retinanetNASFPN, retinanetWithLossCell
from src.vendored.checkpoint import SaveCheckpoint, resume_training
from src.vendored.records import RunRecord, put_aside, write_whole

PREFIX = "retinanet_nasfpn"


class EpochLog(Callback):
    """Print an epoch's last learning rate and its time, in the documented words."""

    def __init__(self, learning_rates):
        super().__init__()
        self.learning_rates = learning_rates

    def on_train_epoch_begin(self, run_context):
        self.started = time.perf_counter()

    def on_train_epoch_end(self, run_context):
        done = run_context.original_args()
        milliseconds = (time.perf_counter() - self.started) * 1000
        print(f"lr:[{self.learning_rates[done.cur_epoch_num * done.batch_num - 1]:8.6f}]")
        print(
            f"epoch time: {milliseconds:.3f} ms, per step time:"
            f" {milliseconds / done.batch_num:.3f} ms",
            flush=True,
        )


def create_network():
    """The detector with its loss, its weights drawn by chance or loaded from `pre_trained`."""
    network = retinanetWithLossCell(retinanetNASFPN(config, is_training=True), config)
    init_net_param(network)
    if config.pre_trained:
        if config.pre_trained_epoch_size < 0:
            raise UserError("pre_trained_epoch_size must be greater than 0.")
        load_pre_trained(network, config.pre_trained, config.filter_weight)
    return network


def create_optimizer(network, learning_rates):
    """SGD with momentum; BatchNorm does not decay. It divides the gradients by the loss scale."""
    undecayed = [p for p in network.trainable_params() if p.name.endswith((".beta", ".gamma"))]
    decayed = [p for p in network.trainable_params() if not p.name.endswith((".beta", ".gamma"))]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": undecayed, "weight_decay": 0.0},
        {"order_params": network.trainable_params()},
    ]
    return nn.Momentum(
        groups, ms.Tensor(learning_rates), config.momentum, loss_scale=float(config.loss_scale)
    )


def create_evaluation(network, directory):
    """A function that gives COCO's metrics of `network` on the validation images."""
    data, detector = evaluation_dataset(config), inference_network(config)

    def evaluate_now():
        trained = network.parameters_dict()
        for name, parameter in detector.parameters_dict().items():
            parameter.set_data(trained[name])
        with contextlib.redirect_stdout(None):
            return evaluate(
                lambda image: [output.asnumpy() for output in detector(ms.Tensor(image))],
                data,
                config,
                os.path.join(directory, "predictions.json"),
            )

    return evaluate_now


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
    ms.set_seed(1)
    rank, size = set_up_device(config.device_target, config.device_id, config.distribute)
    dataset = create_retinanet_dataset(
        config,
        os.path.join(config.mindrecord_dir, "retinanet.mindrecord0"),
        config.batch_size,
        size,
        rank,
    )
    steps_per_epoch = dataset.get_dataset_size()
    print("Create dataset done!")

    network = create_network()
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
    optimizer = create_optimizer(network, learning_rates)
    epochs = len(learning_rates) // steps_per_epoch  # What global_step leaves of epoch_size.
    start_epoch = resume_training(
        config.resume, config.save_checkpoint_path, PREFIX, network, optimizer, dataset
    )
    if start_epoch >= epochs:
        raise UserError(
            f"{start_epoch} of {epochs} epochs are done: nothing left to train (--epoch_size)"
        )

    # The first rank saves; what the others record of their share goes below it.
    directory = os.path.join(config.save_checkpoint_path, f"rank_{rank}" if rank else "")
    if not start_epoch:
        put_aside(directory, PREFIX)
    save = SaveCheckpoint(
        directory, PREFIX, config.save_checkpoint_epochs, config.keep_checkpoint_max
    )
    write_whole(os.path.join(directory, "config.yaml"), yaml.safe_dump(vars(config)))
    record = RunRecord(
        directory,
        learning_rates,
        config.batch_size * size,
        score="mAP",
        start_epoch=start_epoch,
        evaluate=create_evaluation(network, directory) if config.run_eval else None,
        eval_interval=config.eval_interval,
        save_best=lambda trained: save.save(trained, f"{PREFIX}-best.ckpt"),
    )
    callbacks = [LossMonitor(per_print_times=steps_per_epoch), EpochLog(learning_rates), record]
    if config.save_checkpoint and rank == 0:
        callbacks.append(save)
    model = Model(nn.TrainOneStepCell(network, optimizer, sens=config.loss_scale))
    print(
        f"Start train {PREFIX}, the first epoch will be slower because of the graph compilation.",
        flush=True,
    )
    model.train(
        epochs, dataset, callbacks=callbacks, dataset_sink_mode=True, initial_epoch=start_epoch
    )
    print("train success!", flush=True)


if __name__ == "__main__":
    run(train)
