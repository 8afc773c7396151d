"""Evaluate FishNet99 checkpoints, all of a folder or one file: top-1 and top-5 accuracy.

python eval.py --checkpoint_path ./ckpt_0 --device_type='Ascend'         # or 'GPU'
python eval.py --checkpoint_path X.ckpt --device_type='CPU' --val_data_path /data/val
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, printable, run

# isort: split
import os
import re
from pathlib import Path
from types import SimpleNamespace

from src.config import load_config
from src.vendored.inputs import require_checkpoint, require_images
from src.vendored.listing import files_called


def checkpoints(path: str) -> list:
    """The checkpoint file `path`, or those of the folder `path` in order of epoch, others after
    them.
    """
    if not Path(path).is_dir():
        return [path]
    # As it was given: ./ckpt_0/... is what the documented line begins with.
    found = [os.path.join(path, file.name) for file in files_called(path, ".ckpt")]
    if not found:
        raise UserError(
            f"{path}: no *.ckpt files in it; give a folder of checkpoints, or one file"
            " (--checkpoint_path)"
        )
    epoch = re.compile(r"-(\d+)_\d+\.ckpt$")
    return sorted(
        found, key=lambda file: int(epoch.search(file)[1]) if epoch.search(file) else float("inf")
    )


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_checkpoint(checkpoints(config.checkpoint_path)[0])
    require_images(config.val_data_path)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "network",
        "images",
        "evaluation data",
        "report",
        "batches",
        "data pipeline",
        "random numbers",
        "checkpoint",
        "averages",
        "device",
        description=__doc__,
        aliases={"dataset_path": "val_data_path"},
        record_of="checkpoint_path",
        checkpoint_path="./ckpt_0",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

from src.dataset import evaluation_dataset
from src.fishnet import build_network
from src.vendored.accuracy import count_correct, network_predict
from src.vendored.checkpoints import load_weights
from src.vendored.device import set_up_device
from src.vendored.report import Judgements, finish_report
from src.vendored.training import set_seeds


def evaluate(config: SimpleNamespace) -> None:
    """Every image counts, unless --drop_remainder True leaves out the last, smaller batch."""
    set_up_device(config.device_target, config.device_id)
    set_seeds(config.seed)
    paths = checkpoints(config.checkpoint_path)
    network = build_network(config).set_train(False)
    # What is wrong with it is said before the images are read.
    load_weights(network, paths[0], ema=config.ema_weights)
    dataset, tree = evaluation_dataset(config, config.known_classes)
    for path in paths:
        load_weights(network, path, ema=config.ema_weights)
        judgements = Judgements()
        predict = network_predict(network)
        counts = count_correct(
            predict, dataset, config.batch_size, paths=tree.paths, judgements=judgements
        )
        top1, top5 = counts.accuracies()
        scores = {"top_1_accuracy": top1, "top_5_accuracy": top5}
        print(f"model {printable(path)}'s accuracy is {scores}", flush=True)
    finish_report(config.report, judgements, tree, counts)
    print(f"evaluated {counts.images} images", flush=True)


if __name__ == "__main__":
    run(evaluate, CONFIG)
