"""Export a NAS-FPN checkpoint as MINDIR, ONNX or AIR, and check what was written.

    python export.py --file_name retinanet_nasfpn --file_format MINDIR --checkpoint_path X.ckpt

The input is (export_batch_size, 3, height, width) float32, normalised RGB. The outputs are boxes
(N, anchors, 4) as [y1, x1, y2, x2] in 0..1 and scores (N, anchors, num_classes), before non-maximum
suppression.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from types import SimpleNamespace

from src.model_utils.config import RECORDED, load_config, show_config
from src.vendored.inputs import require_checkpoint


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_checkpoint(config.checkpoint_path)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "network",
        "images",
        "aspect ratio",
        "checkpoint",
        "averages",
        "export",
        "device",
        "profiling",
        "modelarts",
        description=__doc__,
        record_of="checkpoint_path",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import os

import mindspore as ms
import numpy as np

from src.class_names import configured_labels
from src.dataset import chosen_preprocessing
from src.model_utils.moxing_adapter import moxing_wrapper
from src.retinanet_nasfpn import build_network, prepare_for_export
from src.vendored.checkpoints import load_weights
from src.vendored.device import set_up_device
from src.vendored.exporting import export_model
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
    show_config(config)
    # What other programs saved holds no names.
    config.known_classes = config.known_classes or configured_labels(config)
    network = build_network(config)
    load_weights(network, config.checkpoint_path, ema=config.ema_weights)
    shape = (config.export_batch_size, 3, *config.img_shape)
    preprocessing = chosen_preprocessing(config)
    export_model(
        prepare_for_export(network),
        ms.Tensor(np.zeros(shape, np.float32)),
        config,
        exported_record(config, RECORDED, "nas_fpn", preprocessing),
        ("boxes", "scores"),
    )


if __name__ == "__main__":
    run(export, CONFIG)
