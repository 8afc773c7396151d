"""Evaluate FishNet99 checkpoints, all of a folder or one file: top-1 and top-5 accuracy.

python eval.py --checkpoint_path ./ckpt_0 --device_type='Ascend'         # or 'GPU'
python eval.py --checkpoint_path X.ckpt --device_type='CPU' --val_data_path /data/val
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run, set_up_device

# isort: split
import os
import re
from pathlib import Path

from mindspore.train import Model

from src.config import load_config
from src.dataset import evaluation_dataset
from src.fishnet import fish99
from src.loss import smoothed_cross_entropy
from src.metrics import accuracy_metrics
from src.vendored.checkpoint import load_weights


def checkpoints(path):
    """The checkpoint file `path`, or those of the folder `path` in order of epoch, others after
    them.
    """
    if not Path(path).is_dir():
        return [path]
    found = sorted(os.path.join(path, file.name) for file in Path(path).glob("*.ckpt"))
    if not found:
        raise UserError(
            f"{path}: no *.ckpt files in it; give a folder of checkpoints, or one file"
            " (--checkpoint_path)"
        )
    epoch = re.compile(r"-(\d+)_\d+\.ckpt$")
    return sorted(
        found, key=lambda file: int(epoch.search(file)[1]) if epoch.search(file) else float("inf")
    )


def evaluate():
    """Every image counts, unless --drop_remainder True leaves out the last, smaller batch."""
    config = load_config("val_data_path", checkpoint_path="./ckpt_0")
    set_up_device(config.device_target, config.device_id)
    paths, dataset = checkpoints(config.checkpoint_path), evaluation_dataset(config)
    network = fish99(config.num_classes, config.pool_padding)
    loss = smoothed_cross_entropy(config.num_classes, 0.0)
    model = Model(network, loss, metrics=accuracy_metrics(config.num_classes))
    for path in paths:
        load_weights(network, path)
        scores = {
            name: float(value)
            for name, value in model.eval(dataset, dataset_sink_mode=False).items()
        }
        print(f"model {path}'s accuracy is {scores}", flush=True)
    batches = dataset.get_dataset_size()
    images = (
        batches * config.batch_size
        if config.drop_remainder
        else dataset.children[0].get_dataset_size()
    )
    print(f"evaluated {images} images", flush=True)


if __name__ == "__main__":
    run(evaluate)
