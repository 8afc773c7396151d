"""Evaluate an exported MnasNet, ONNX or MINDIR, on the preprocessing of eval.py.

    python eval_onnx.py --dataset_path /data/imagenet/val --onnx_url MNasNet.onnx python
    eval_onnx.py --dataset_path /data/imagenet/val --onnx_url MNasNet.onnx --device_target="Ascend"

Image size and classes are the file's. onnxruntime takes its CUDA provider where it has one, and its
CPU provider elsewhere and for the targets CPU and Ascend.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
import numpy as np
import onnxruntime

from src.config import load_config
from src.dataset import evaluation_dataset
from src.exported import open_model, predict_padded


def evaluate():
    """Top-1 and top-5 accuracy over all images."""
    has_gpu = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    config = load_config(device_target="GPU" if has_gpu else "CPU")
    predict, shape = open_model(config.onnx_url, config.device_target)
    config.batch_size, _, config.image_size, width = shape
    if config.image_size != width:
        raise UserError(
            f"{config.onnx_url}: its input {shape} is not square; export with --image_size"
        )
    config.class_num = predict(np.zeros(shape, np.float32)).shape[-1]
    dataset = evaluation_dataset(config, config.dataset_path)
    images = top1 = top5 = 0
    for batch, labels in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True):
        logits = predict_padded(predict, batch, config.batch_size)
        hits = np.argsort(-logits, axis=1, kind="stable")[:, :5] == labels[:, None]
        images, top1, top5 = (
            images + len(labels),
            top1 + int(hits[:, 0].sum()),
            top5 + int(hits.sum()),
        )
    print(
        f"Top1-Acc: {top1 / images:.4f}\nTop5-Acc: {top5 / images:.4f}\nevaluated {images} images",
        flush=True,
    )


if __name__ == "__main__":
    run(evaluate)
