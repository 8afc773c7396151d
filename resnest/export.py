"""Export a ResNeSt checkpoint as MINDIR, ONNX or AIR, and check what was written.

    python export.py --device_id 0 --ckpt_file X.ckpt --net_name resnest50 --file_format MINDIR

The input is (batch_size, 3, height, width) float32, the output logits.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run, set_up_device

# isort: split
import mindspore as ms
import numpy as np

from src.config import load_config
from src.models.resnest import get_network
from src.vendored.checkpoint import export_model, load_weights

FLAGS = {
    "ckpt_file": ("", "checkpoint to export"),
    "file_name": ("", "file to write, without its suffix; net_name where this is not given"),
    "file_format": ("MINDIR", "AIR, ONNX or MINDIR", ["AIR", "ONNX", "MINDIR"]),
    "batch_size": (1, "images a prediction", {"min": 1}),
    "height": (0, "of the images, a multiple of 32; 0: eval_crop_size", {"min": 0}),
    "width": (0, "of the images, a multiple of 32; 0: eval_crop_size", {"min": 0}),
}
ALIASES = {"checkpoint_path": "ckpt_file", "pretrained_ckpt_path": "ckpt_file"}


def export():
    """Checkpoint to file, run once and compared with the network."""
    config = load_config(FLAGS, ALIASES)
    if not config.ckpt_file:
        raise UserError("which checkpoint? Give --ckpt_file")
    height, width = config.height or config.eval_crop_size, config.width or config.eval_crop_size
    if height % 32 or width % 32:
        raise UserError(f"height and width are multiples of 32, got {height} and {width}")
    set_up_device(config.device_target, config.device_id)
    network = get_network(
        config.net_name,
        num_classes=config.num_classes,
        final_drop=config.final_drop,
        attention_bias=config.attention_bias,
    )
    load_weights(network, config.ckpt_file)
    images = ms.Tensor(np.zeros((config.batch_size, 3, height, width), np.float32))
    path, difference = export_model(
        network, [images], config.file_name or config.net_name, config.file_format
    )
    checked = (
        "not run here" if difference is None else f"differs from the network by {difference:.1e}"
    )
    print(f"{path}: input {images.shape} float32; {checked}")


if __name__ == "__main__":
    run(export)
