"""Export a ResNeSt checkpoint as MINDIR, ONNX or AIR, and check what was written.

    python export.py --device_id 0 --ckpt_file X.ckpt --net_name resnest50 --file_format MINDIR
    python export.py --ckpt_file X.ckpt --file_format ONNX --batch_size 1 --height 256 --width 256

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
        checkpoint_path="",
        batch_size=1,
        device_target="CPU",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import mindspore as ms
import numpy as np

from src.datasets.dataset import evaluation_dataset, evaluation_preprocessing
from src.models.resnest import build_network, prepare_for_export
from src.vendored.checkpoints import load_weights
from src.vendored.device import set_up_device
from src.vendored.exporting import export_model
from src.vendored.image_options import chosen
from src.vendored.record import exported_record


def export(config: SimpleNamespace) -> None:
    """Checkpoint to file, run once and compared with the network."""
    height, width = config.height or config.eval_crop_size, config.width or config.eval_crop_size
    if height % 32 or width % 32:
        raise UserError(f"height and width are multiples of 32, got {height} and {width}")
    config.file_name = config.file_name or config.net_name
    set_up_device(config.device_target, config.device_id)
    preprocessing = chosen(config, evaluation_preprocessing(height, width))
    evaluation = None
    if config.precision == "int8":
        if not config.calibration:
            raise UserError("precision int8: which images? --calibration FOLDER, as for evaluation")
        config.test_batch_size = config.batch_size
        config.eval_root = config.calibration
        evaluation = evaluation_dataset(config, config.known_classes, preprocessing=preprocessing)
    network = build_network(config)
    load_weights(network, config.checkpoint_path, ema=config.ema_weights)
    shape = (config.batch_size, 3, height, width)
    export_model(
        prepare_for_export(network),
        ms.Tensor(np.zeros(shape, np.float32)),
        config,
        exported_record(config, RECORDED, "resnest", preprocessing),
        evaluation=evaluation,
    )


if __name__ == "__main__":
    run(export, CONFIG)
