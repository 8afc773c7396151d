"""Evaluate a MobileNetV1 checkpoint: top-1 and top-5 accuracy.

python eval.py --device_target CPU --dataset cifar10 --dataset_path /data/cifar
--checkpoint_path X.ckpt python eval.py --dataset imagenet2012 --dataset_path
/data/ImageNet_Original --checkpoint_path X.ckpt
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run, set_up_device

# isort: split
import os

from mindspore import nn
from mindspore.train import Model

from src.dataset import create_dataset, split_path
from src.metrics import accuracy_metrics
from src.mobilenet_v1_fpn import build_network
from src.model_utils.config import config, show_config
from src.model_utils.moxing_adapter import moxing_wrapper, unzip_data_set
from src.vendored.checkpoint import load_weights


def prepare_modelarts():
    """Take the unpacked data, and the checkpoint from where it was copied to."""
    if config.need_modelarts_dataset_unzip:
        unzip_data_set()
    folder = config.load_path if config.checkpoint_url else config.output_path
    config.checkpoint_path = os.path.join(folder, config.checkpoint_path)


@moxing_wrapper(prepare_modelarts)
def evaluate():
    """Every image counts, unless --drop_remainder True leaves out the last, smaller batch."""
    print("config:")
    show_config()
    set_up_device(config.device_target, config.device_id)
    network = build_network(config)
    load_weights(network, config.checkpoint_path)
    dataset = create_dataset(config, split_path(config, "validation_preprocess"), do_train=False)
    model = Model(
        network,
        nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean"),
        metrics=accuracy_metrics(config.class_num),
    )
    result = {
        name: float(value) for name, value in model.eval(dataset, dataset_sink_mode=False).items()
    }
    images = (
        len(dataset) * config.batch_size
        if config.drop_remainder
        else dataset.children[0].get_dataset_size()
    )
    print(f"result: {result} ckpt={config.checkpoint_path}")
    print(f"evaluated {images} images", flush=True)


if __name__ == "__main__":
    run(evaluate)
