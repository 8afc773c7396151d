"""Export a MnasNet checkpoint as MINDIR, ONNX or AIR, and check what was written.

    python export.py --checkpoint_path X.ckpt --file_name MNasNet python export.py --file_format
    onnx --checkpoint_path X.ckpt --file_name MNasNet --device_target GPU

The input is (1, 3, height, width) float32. MINDIR and ONNX are the same wherever they are written;
AIR wants --device_target Ascend.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run, set_up_device

# isort: split
import mindspore as ms
import numpy as np

from src.config import load_config
from src.models.mnasnet import build_network
from src.vendored.checkpoint import export_model, load_weights


def export():
    """Checkpoint to file, run once and compared with the network."""
    config = load_config(device_target="CPU")
    if not config.checkpoint_path:
        raise UserError("which checkpoint? --checkpoint_path FILE (--help lists all flags)")
    set_up_device(config.device_target, config.device_id)
    network = build_network(config)
    load_weights(network, config.checkpoint_path)
    shape = (1, 3, config.height or config.image_size, config.width or config.image_size)
    path, difference = export_model(
        network, [ms.Tensor(np.zeros(shape, np.float32))], config.file_name, config.file_format
    )
    checked = (
        "not run here" if difference is None else f"differs from the network by {difference:.1e}"
    )
    print(f"{path}: input {shape} float32; {checked}")


if __name__ == "__main__":
    run(export)
