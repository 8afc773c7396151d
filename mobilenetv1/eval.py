"""Evaluate a MobileNetV1 checkpoint: top-1 and top-5 accuracy.

python eval.py --dataset imagenet2012 --dataset_path /data/imagenet --checkpoint_path X.ckpt
python eval.py --device_target CPU --dataset cifar10 --dataset_path /data --checkpoint_path X.ckpt
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from types import SimpleNamespace

from src.data_path import require_data
from src.model_utils.config import load_config, show_config
from src.vendored.inputs import require_checkpoint


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_checkpoint(config.checkpoint_path)
    require_data(config, config.eval_dataset_path or config.dataset_path, do_train=False)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "network",
        "images",
        "data",
        "evaluation data",
        "class names",
        "report",
        "batches",
        "data pipeline",
        "checkpoint",
        "averages",
        "device",
        "profiling",
        "modelarts",
        "local data",
        "archive of the data",
        description=__doc__,
        record_of="checkpoint_path",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import os

from src.dataset import evaluation_dataset
from src.mobilenet_v1_fpn import build_network
from src.model_utils.moxing_adapter import moxing_wrapper, unzip_data_set
from src.vendored.accuracy import count_correct, network_predict
from src.vendored.checkpoints import load_weights
from src.vendored.device import set_up_device
from src.vendored.record import read_record
from src.vendored.report import Judgements, finish_report


def prepare_modelarts(config: SimpleNamespace) -> None:
    """Take the unpacked data, and the checkpoint from where it was copied to."""
    if config.need_modelarts_dataset_unzip:
        name = config.modelarts_dataset_unzip_name
        config.dataset_path = unzip_data_set(config.data_path, name)
    folder = config.load_path if config.checkpoint_url else config.output_path
    config.checkpoint_path = os.path.join(folder, config.checkpoint_path)
    config.known_classes = read_record(config.checkpoint_path)[0]["class_names"]


@moxing_wrapper(prepare_modelarts)
def evaluate(config: SimpleNamespace) -> None:
    """Every image counts, unless --drop_remainder True leaves out the last, smaller batch."""
    set_up_device(config.device_target, config.device_id)
    print("config:")
    show_config(config)
    network = build_network(config).set_train(False)
    # What is wrong with it is said before the images are read.
    load_weights(network, config.checkpoint_path, ema=config.ema_weights)
    dataset, tree = evaluation_dataset(config, config.known_classes)
    judgements = Judgements()
    predict = network_predict(network)
    counts = count_correct(
        predict, dataset, config.batch_size, paths=tree.paths, judgements=judgements
    )
    top1, top5 = counts.accuracies()
    scores = {"top_5_accuracy": top5, "top_1_accuracy": top1}
    print(f"result: {scores} ckpt={config.checkpoint_path}")
    finish_report(config.report, judgements, tree, counts)
    print(f"evaluated {counts.images} images", flush=True)


if __name__ == "__main__":
    run(evaluate, CONFIG)
