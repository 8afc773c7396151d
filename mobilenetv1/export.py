"""Export a MobileNetV1 checkpoint as MINDIR, ONNX or AIR, and check what was written.

    python export.py --ckpt_file X.ckpt --file_name mobilenetv1 --file_format MINDIR --batch_size 1

The input is (batch_size, 3, height, width) float32; the C++ program wants batch size 1 for
ImageNet.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
from types import SimpleNamespace

from src.model_utils.config import RECORDED, load_config
from src.vendored.inputs import require_checkpoint


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_checkpoint(config.checkpoint_path)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "network",
        "images",
        "checkpoint",
        "averages",
        "export",
        "batches",
        "evaluation data",
        "class names",
        "data pipeline",
        "device",
        "profiling",
        "modelarts",
        "local data",
        description=__doc__,
        record_of="checkpoint_path",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import os

import mindspore as ms
import numpy as np

from src.dataset import evaluation_dataset, evaluation_preprocessing
from src.mobilenet_v1_fpn import build_network, prepare_for_export
from src.model_utils.moxing_adapter import moxing_wrapper
from src.vendored.checkpoints import load_weights
from src.vendored.device import set_up_device
from src.vendored.exporting import export_model
from src.vendored.image_options import chosen
from src.vendored.record import exported_record, read_record


def prepare_modelarts(config: SimpleNamespace) -> None:
    """Take the class names, now that the checkpoint is here; write where results are uploaded
    from.
    """
    config.known_classes = read_record(config.checkpoint_path)[0]["class_names"]
    config.file_name = os.path.join(config.output_path, config.file_name)


@moxing_wrapper(prepare_modelarts)
def export(config: SimpleNamespace) -> None:
    """Checkpoint to file, run once and compared with the network."""
    set_up_device(config.device_target, config.device_id)
    preprocessing = chosen(
        config, evaluation_preprocessing(config.dataset, config.height, config.width)
    )
    evaluation = None
    if config.precision == "int8":
        if not config.calibration:
            raise UserError("precision int8: which images? --calibration FOLDER, as for evaluation")
        config.eval_dataset_path = config.calibration
        evaluation = evaluation_dataset(config, config.known_classes, preprocessing=preprocessing)
    network = build_network(config)
    load_weights(network, config.checkpoint_path, ema=config.ema_weights)
    shape = (config.batch_size, 3, config.height, config.width)
    export_model(
        prepare_for_export(network),
        ms.Tensor(np.zeros(shape, np.float32)),
        config,
        exported_record(config, RECORDED, "mobilenetv1", preprocessing),
        evaluation=evaluation,
    )


if __name__ == "__main__":
    run(export, CONFIG)
