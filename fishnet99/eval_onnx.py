"""Evaluate an exported FishNet99, ONNX or MINDIR, on the preprocessing of eval.py.

    python eval_onnx.py --onnx_path FishNet99.onnx --val_data_path /data/val --device_type='CPU'

Batch and image size are the file's. GPU asks for onnxruntime's CUDA provider, CPU and Ascend for
its CPU provider.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
import numpy as np

from src.config import load_config
from src.dataset import evaluation_dataset
from src.exported import open_model, predict_padded


def evaluate():
    """Top-1 and top-5 accuracy over all images, in eval.py's form."""
    config = load_config("val_data_path")
    predict, shape = open_model(config.onnx_path, config.device_target)
    config.batch_size, _, config.image_height, config.image_width = shape
    if config.image_height != config.image_width:
        raise UserError(
            f"{config.onnx_path}: its input {shape} is not square; export with --image_size"
        )
    config.num_classes = predict(np.zeros(shape, np.float32)).shape[-1]
    images = top1 = top5 = 0
    for batch, labels in evaluation_dataset(config).create_tuple_iterator(
        num_epochs=1, output_numpy=True
    ):
        logits = predict_padded(predict, batch, config.batch_size)
        hits = np.argsort(-logits, axis=1, kind="stable")[:, :5] == labels[:, None]
        images, top1, top5 = (
            images + len(labels),
            top1 + int(hits[:, 0].sum()),
            top5 + int(hits.sum()),
        )
    scores = {"top_1_accuracy": top1 / images, "top_5_accuracy": top5 / images}
    print(f"model {config.onnx_path}'s accuracy is {scores}")
    print(f"evaluated {images} images", flush=True)


if __name__ == "__main__":
    run(evaluate)
