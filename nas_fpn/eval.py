"""Evaluate a NAS-FPN checkpoint: COCO's metrics of its boxes on the validation images.

    python eval.py --mindrecord_dir /data/MindRecord_COCO --checkpoint_path X.ckpt \\
        --instances_set '/data/cocodataset/annotations/instances_{}.json'
    python eval.py --device_target CPU ... --visualize pictures --per_class True

The detections go to predictions.json in the current folder.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from types import SimpleNamespace

from src.data_paths import annotation_path, require_annotations
from src.model_utils.config import load_config, show_config
from src.vendored.inputs import require_checkpoint


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_checkpoint(config.checkpoint_path)
    require_annotations(annotation_path(config, is_training=False))


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "network",
        "images",
        "aspect ratio",
        "data set",
        "records",
        "annotations",
        "validation split",
        "source of records",
        "annotation file",
        "image sizes",
        "data pipeline",
        "detections",
        "table by class",
        "pictures",
        "checkpoint",
        "averages",
        "device",
        "profiling",
        "modelarts",
        "archive of the data",
        description=__doc__,
        record_of="checkpoint_path",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import mindspore as ms

from src.evaluation import evaluate, evaluation_dataset
from src.model_utils.moxing_adapter import moxing_wrapper, unzip_data_set
from src.retinanet_nasfpn import build_network
from src.vendored.checkpoints import load_weights
from src.vendored.cpu_operators import use_cpu_kernels
from src.vendored.device import set_up_device


def prepare_modelarts(config: SimpleNamespace) -> None:
    """Take the unpacked data."""
    if config.need_modelarts_dataset_unzip:
        unzip_data_set(config.data_path, config.modelarts_dataset_unzip_name)


@moxing_wrapper(prepare_modelarts)
def evaluate_checkpoint(config: SimpleNamespace) -> None:
    """Every validation image counts, but for those with crowd annotations."""
    set_up_device(config.device_target, config.device_id)
    show_config(config)
    print("Start Eval!")
    network = use_cpu_kernels(build_network(config), only_predicts=True)
    print("Load Checkpoint!")
    load_weights(network, config.checkpoint_path, ema=config.ema_weights)
    evaluate(
        lambda image: [output.asnumpy() for output in network(ms.Tensor(image))],
        evaluation_dataset(config),
        config,
    )


if __name__ == "__main__":
    run(evaluate_checkpoint, CONFIG)
