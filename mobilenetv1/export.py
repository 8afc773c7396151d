"""Export a MobileNetV1 checkpoint as MINDIR, ONNX or AIR, and check what was written.

    python export.py --ckpt_file X.ckpt --file_name mobilenetv1 --file_format MINDIR --batch_size 1

The input is (batch_size, 3, height, width) float32; the C++ program wants batch size 1 for
ImageNet.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run, set_up_device

# isort: split
import os

import mindspore as ms
import numpy as np

from src.mobilenet_v1_fpn import build_network
from src.model_utils.config import config
from src.model_utils.moxing_adapter import moxing_wrapper
from src.vendored.checkpoint import export_model, load_weights


def prepare_modelarts():
    """Write where results are uploaded from."""
    config.file_name = os.path.join(config.output_path, config.file_name)


@moxing_wrapper(prepare_modelarts)
def export():
    """Checkpoint to file, run once and compared with the network."""
    set_up_device(config.device_target, config.device_id)
    network = build_network(config)
    load_weights(network, config.checkpoint_path)
    images = ms.Tensor(np.zeros((config.batch_size, 3, config.height, config.width), np.float32))
    path, difference = export_model(network, [images], config.file_name, config.file_format)
    checked = (
        "not run here" if difference is None else f"differs from the network by {difference:.1e}"
    )
    print(f"{path}: input {images.shape} float32; {checked}")


if __name__ == "__main__":
    run(export)
