"""Export a MnasNet checkpoint as MINDIR, ONNX or AIR, and check what was written.

    python export.py --checkpoint_path X.ckpt --file_name MNasNet
    python export.py --file_format onnx --checkpoint_path X.ckpt --file_name MNasNet

The input is (batch_size, 3, height, width) float32. MINDIR and ONNX are the same wherever they are
written; AIR wants --device_target Ascend.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
from types import SimpleNamespace

from src.config import RECORDED, load_config
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
        "data pipeline",
        "device",
        description=__doc__,
        record_of="checkpoint_path",
        batch_size=1,
        device_target="CPU",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import mindspore as ms
import numpy as np

from src.dataset import evaluation_dataset, evaluation_preprocessing
from src.models.mnasnet import build_network, prepare_for_export
from src.vendored.checkpoints import load_weights
from src.vendored.device import set_up_device
from src.vendored.exporting import export_model
from src.vendored.image_options import chosen
from src.vendored.record import exported_record


def export(config: SimpleNamespace) -> None:
    """Checkpoint to file, run once and compared with the network."""
    set_up_device(config.device_target, config.device_id)
    height, width = config.height or config.image_size, config.width or config.image_size
    preprocessing = chosen(config, evaluation_preprocessing(height, width))
    evaluation = None
    if config.precision == "int8":
        if not config.calibration:
            raise UserError("precision int8: which images? --calibration FOLDER, as for evaluation")
        config.eval_dataset_path = config.calibration
        evaluation = evaluation_dataset(config, config.known_classes, preprocessing=preprocessing)
    network = build_network(config)
    load_weights(network, config.checkpoint_path, ema=config.ema_weights)
    shape = (config.batch_size, 3, height, width)
    export_model(
        prepare_for_export(network),
        ms.Tensor(np.zeros(shape, np.float32)),
        config,
        exported_record(config, RECORDED, "mnasnet", preprocessing),
        evaluation=evaluation,
    )


if __name__ == "__main__":
    run(export, CONFIG)
