"""Evaluate a MnasNet checkpoint: loss, top-1 and top-5 accuracy.

python eval.py --device_id 0 --dataset_path /data/imagenet/val --checkpoint_path X.ckpt  # Ascend
python eval.py --checkpoint_path X.ckpt --dataset_path /data/imagenet/val --device_target="GPU"
python eval.py --checkpoint_path X.ckpt --dataset_path /data/val --device_target CPU
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import printable, run

# isort: split
from types import SimpleNamespace

from src.config import load_config
from src.vendored.inputs import require_checkpoint, require_images


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_checkpoint(config.checkpoint_path)
    require_images(config.eval_dataset_path)


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
        "loss",
        "checkpoint",
        "averages",
        "modelarts",
        "device",
        description=__doc__,
        aliases={"dataset_path": "eval_dataset_path"},
        record_of="checkpoint_path",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

from src.dataset import evaluation_dataset
from src.loss import smooth_factor
from src.modelarts import fetch_images
from src.models.mnasnet import build_network
from src.vendored.accuracy import count_correct, network_predict, smoothed_losses
from src.vendored.checkpoints import load_weights
from src.vendored.device import set_up_device
from src.vendored.report import Judgements, finish_report
from src.vendored.training import set_seeds


def evaluate(config: SimpleNamespace) -> None:
    """Every image counts, unless --drop_remainder True leaves out the last, smaller batch."""
    set_up_device(config.device_target, config.device_id)
    set_seeds(config.seed)
    if config.run_modelarts:
        config.eval_dataset_path = fetch_images(config)
    network = build_network(config).set_train(False)
    load_weights(network, config.checkpoint_path, ema=config.ema_weights)
    dataset, tree = evaluation_dataset(config, config.known_classes)
    judgements = Judgements()
    counts = count_correct(
        network_predict(network),
        dataset,
        config.batch_size,
        losses=smoothed_losses(smooth_factor(config)),
        paths=tree.paths,
        judgements=judgements,
    )
    top1, top5 = counts.accuracies()
    result = {"Loss": counts.loss / counts.images, "Top_1_Acc": top1, "Top_5_Acc": top5}
    print("result:", result, "ckpt=", printable(config.checkpoint_path))
    finish_report(config.report, judgements, tree, counts)
    print(f"evaluated {counts.images} images", flush=True)


if __name__ == "__main__":
    run(evaluate, CONFIG)
