"""Evaluate an exported ResNeSt, ONNX or MINDIR, on the preprocessing of eval.py.

    python eval_onnx.py --onnx_path resnest50.onnx --root /data/imagenet --device_target CPU

Batch and image size are the file's. GPU asks for onnxruntime's CUDA provider, CPU and Ascend for
its CPU provider.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
import os

import numpy as np

from src.accuracy import count_correct, log_accuracy
from src.config import load_config
from src.datasets.dataset import create_dataset
from src.exported import open_model
from src.logging import get_logger, log_arguments

FLAGS = {
    "onnx_path": ("resnest50.onnx", "exported file, .onnx or .mindir"),
    "drop_remainder": (False, "leave out the last, smaller batch, as the documented accuracies do"),
}
ALIASES = dict.fromkeys(["onnx_url", "mindir_path", "file_name", "checkpoint_path"], "onnx_path")


def evaluate():
    """Top-1 and top-5 accuracy, in eval.py's form."""
    config = load_config(FLAGS, ALIASES)
    predict, shape = open_model(config.onnx_path, config.device_target)
    if shape[2] != shape[3]:
        raise UserError(
            f"{config.onnx_path}: its input {shape} is not square, evaluation's images are"
        )
    config.test_batch_size, _, config.eval_crop_size, _ = shape
    config.num_classes = predict(np.zeros(shape, np.float32)).shape[-1]
    dataset = create_dataset(config, "val", drop_remainder=config.drop_remainder)
    logger = get_logger(os.path.join(config.outdir, "valid"), 0)
    log_arguments(logger, config)
    log_accuracy(logger, *count_correct(predict, dataset, config.test_batch_size))


if __name__ == "__main__":
    run(evaluate)
