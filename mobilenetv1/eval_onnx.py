"""Evaluate an exported MobileNetV1 through onnxruntime, on the preprocessing of eval.py.

    python eval_onnx.py --dataset cifar10 --dataset_path /data/cifar --onnx_url mobilenetv1.onnx --device_target CPU

Batch and image size are the file's. GPU asks for onnxruntime's CUDA provider, CPU and Ascend for its CPU provider.
"""
import os

import numpy as np
import onnxruntime

from src.dataset import create_dataset, split_path
from src.model_utils.config import config
from src.vendored.launch import UserError, run


def open_session(path, device_target):
    """An onnxruntime session on `device_target`. Raises UserError if the file or the provider is not usable."""
    provider = "CUDAExecutionProvider" if device_target == "GPU" else "CPUExecutionProvider"
    if provider not in onnxruntime.get_available_providers():
        raise UserError(f"onnxruntime has no {provider} here; use --device_target CPU or install onnxruntime-gpu")
    if not os.path.isfile(path):
        raise UserError(f"{path}: no such ONNX file (--onnx_url); export.py --file_format ONNX writes one")
    try:
        return onnxruntime.InferenceSession(path, providers=[provider])
    except Exception as error:  # onnxruntime's exceptions have no common class but this.
        raise UserError(f"{path}: onnxruntime cannot load it ({error})") from None


def predict(session, images):
    """Logits (n, class_num) for images (n, 3, H, W), n up to the session's batch size: a smaller batch is filled up."""
    node = session.get_inputs()[0]
    filled = np.zeros((node.shape[0], *images.shape[1:]), np.float32)
    filled[:len(images)] = images
    return session.run(None, {node.name: filled})[0][:len(images)]


def evaluate():
    """Top-1 and top-5 accuracy over all images, in eval.py's form."""
    session = open_session(config.onnx_path, config.device_target)
    shape, classes = session.get_inputs()[0].shape, session.get_outputs()[0].shape[-1]
    if len(shape) != 4 or shape[1] != 3:
        raise UserError(f"{config.onnx_path}: its input {shape} is not (N, 3, H, W)")
    config.batch_size, _, config.height, config.width = shape
    config.class_num = classes
    dataset = create_dataset(config, split_path(config, "validation_preprocess"), do_train=False)
    images = top1 = top5 = 0
    for batch, labels in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True):
        ranked = np.argsort(-predict(session, batch), axis=1, kind="stable")[:, :5]
        hits = ranked == labels[:, None]
        images, top1, top5 = images + len(labels), top1 + hits[:, 0].sum(), top5 + hits.sum()
    print(f"result: {{'top_5_accuracy': {top5 / images}, 'top_1_accuracy': {top1 / images}}} ckpt={config.onnx_path}")
    print(f"evaluated {images} images", flush=True)


if __name__ == "__main__":
    run(evaluate)
