"""Evaluate an exported NAS-FPN, ONNX or MINDIR, on the preprocessing of eval.py.

    python eval_onnx.py --onnx_path retinanet_nasfpn.onnx --mindrecord_dir /data/MindRecord_COCO \\
        --instances_set '/data/cocodataset/annotations/instances_{}.json'

The image size is the file's. GPU asks for onnxruntime's CUDA provider, CPU and Ascend for its CPU
provider.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
import numpy as np

from src.evaluation import evaluate, evaluation_dataset
from src.exported import open_model
from src.model_utils.config import config


def main():
    """Print what eval.py prints."""
    print("Start Eval!")
    predict, shape = open_model(config.onnx_path, config.device_target)
    print(f"Load {config.onnx_path}!")
    if shape[0] != 1:
        raise UserError(
            f"{config.onnx_path}: takes {shape[0]} images at a time; export it with"
            " --export_batch_size 1"
        )
    config.img_shape = list(shape[2:])
    shapes = [output.shape for output in predict(np.zeros(shape, np.float32))]
    if (
        len(shapes) != 2
        or shapes[0] != (*shapes[1][:2], 4)
        or shapes[1][2:] != (config.num_classes,)
    ):
        raise UserError(
            f"{config.onnx_path}: its outputs are {shapes}, not boxes (1, anchors, 4) and scores "
            f"(1, anchors, {config.num_classes}); set --num_classes, or export it with export.py"
        )
    evaluate(predict, evaluation_dataset(config), config)


if __name__ == "__main__":
    run(main)
