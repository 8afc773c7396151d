"""Evaluate an exported MobileNetV1, ONNX or MINDIR, on the preprocessing of eval.py.

    python eval_onnx.py --dataset cifar10 --dataset_path /data/cifar --onnx_url mobilenetv1.onnx
    --device_target CPU

Batch and image size are the file's. GPU asks for onnxruntime's CUDA provider, CPU and Ascend for
its CPU provider.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
import numpy as np

from src.dataset import create_dataset, split_path
from src.exported import open_model, predict_padded
from src.model_utils.config import config


def evaluate():
    """Top-1 and top-5 accuracy over all images, in eval.py's form."""
    predict, shape = open_model(config.onnx_path, config.device_target)
    config.batch_size, _, config.height, config.width = shape
    config.class_num = predict(np.zeros(shape, np.float32)).shape[-1]
    dataset = create_dataset(config, split_path(config, "validation_preprocess"), do_train=False)
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
        f"result: {{'top_5_accuracy': {top5 / images}, 'top_1_accuracy': {top1 / images}}}"
        f" ckpt={config.onnx_path}"
    )
    print(f"evaluated {images} images", flush=True)


if __name__ == "__main__":
    run(evaluate)
