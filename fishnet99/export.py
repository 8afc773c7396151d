"""Export a FishNet99 checkpoint as MINDIR, ONNX or AIR, and check what was written.

    python export.py --ckpt_file X.ckpt
    python export.py --ckpt_file X.ckpt --file_format ONNX --image_size 224 --batch_size 1

The input is (batch_size, 3, height, width) float32. MINDIR and ONNX are the same wherever they are
written; AIR wants --device_type Ascend.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run, set_up_device

# isort: split
import mindspore as ms
import numpy as np

from src.config import load_config
from src.fishnet import fish99
from src.resizing import Upsample
from src.vendored.checkpoint import export_model, load_weights


def export():
    """Checkpoint to file, run once and compared with the network."""
    config = load_config("data_path", checkpoint_path="", batch_size=1, device_target="CPU")
    if not config.checkpoint_path:
        raise UserError("which checkpoint? --ckpt_file FILE (--help lists all flags)")
    set_up_device(config.device_target, config.device_id)
    network = fish99(config.num_classes, config.pool_padding)
    load_weights(network, config.checkpoint_path)
    for _, cell in network.cells_and_names():
        if isinstance(cell, Upsample):
            cell.by_operator = True
    images = ms.Tensor(
        np.zeros((config.batch_size, 3, config.image_height, config.image_width), np.float32)
    )
    path, difference = export_model(network, [images], config.file_name, config.file_format)
    checked = (
        "not run here" if difference is None else f"differs from the network by {difference:.1e}"
    )
    print(f"{path}: input {images.shape} float32; {checked}")


if __name__ == "__main__":
    run(export)
