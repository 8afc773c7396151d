"""Evaluate a ResNeSt checkpoint: top-1 and top-5 accuracy.

python eval.py --outdir ./output --pretrained_ckpt_path ~/resnest50-270_2502.ckpt python eval.py
--outdir ./output --pretrained_ckpt_path X.ckpt --root /data/imagenet --device_target CPU
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run, set_up_device

# isort: split
import os

import mindspore as ms

from src.accuracy import count_correct, log_accuracy, network_predict
from src.config import load_config
from src.datasets.dataset import create_dataset
from src.logging import get_logger, log_arguments
from src.models.resnest import get_network
from src.vendored.checkpoint import load_weights

FLAGS = {
    "pretrained_ckpt_path": ("./output/ckpt_0/resnest50-270_2502.ckpt", "checkpoint to evaluate"),
    "drop_remainder": (False, "leave out the last, smaller batch, as the documented accuracies do"),
}
ALIASES = dict.fromkeys(["checkpoint_path", "ckpt_path", "ckpt_file"], "pretrained_ckpt_path")


def evaluate():
    """Every image counts, on exactly one device, unless --drop_remainder True leaves out the
    last batch.
    """
    config = load_config(FLAGS, ALIASES)
    rank, size = set_up_device(config.device_target, config.device_id, config.run_distribute)
    dataset = create_dataset(config, "val", rank, size, config.drop_remainder)
    network = get_network(
        config.net_name,
        num_classes=config.num_classes,
        final_drop=config.final_drop,
        attention_bias=config.attention_bias,
    )
    load_weights(network, config.pretrained_ckpt_path)
    if config.device_target == "Ascend":
        network.to_float(ms.float16)
    network.set_train(False)
    logger = get_logger(os.path.join(config.outdir, "valid"), rank)
    log_arguments(logger, config)
    logger.info("%s\nstart create network\n%s", "*" * 70, "*" * 70)
    counts, images_per_second = count_correct(
        network_predict(network), dataset, config.test_batch_size
    )
    log_accuracy(logger, counts, images_per_second, size)


if __name__ == "__main__":
    run(evaluate)
