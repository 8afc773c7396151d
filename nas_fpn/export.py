"""Export a NAS-FPN checkpoint as MINDIR, ONNX or AIR, and check what was written.

    python export.py --file_name retinanet_nasfpn --file_format MINDIR --checkpoint_path X.ckpt

The input is (export_batch_size, 3, height, width) float32, normalised RGB. The outputs are boxes
(N, anchors, 4) as [y1, x1, y2, x2] in 0..1 and scores (N, anchors, num_classes), before non-maximum
suppression.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run, set_up_device

# isort: split
import os

import mindspore as ms
import numpy as np

from src.model_utils.config import config, show_config
from src.model_utils.moxing_adapter import moxing_wrapper
from src.retinanet_nasfpn import inference_network
from src.vendored.checkpoint import export_model, load_weights


def prepare_modelarts():
    """Write where results are uploaded from."""
    config.file_name = os.path.join(config.output_path, config.file_name)


@moxing_wrapper(prepare_modelarts)
def export():
    """Checkpoint to file, run once and compared with the network."""
    show_config()
    set_up_device(config.device_target, config.device_id)
    network = inference_network(config, for_export=True)
    load_weights(network, config.checkpoint_path)
    images = ms.Tensor(np.zeros((config.export_batch_size, 3, *config.img_shape), np.float32))
    path, difference = export_model(network, [images], config.file_name, config.file_format)
    checked = (
        "not run here" if difference is None else f"differs from the network by {difference:.1e}"
    )
    print(f"{path}: input {images.shape} float32; {checked}")


if __name__ == "__main__":
    run(export)
