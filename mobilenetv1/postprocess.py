"""Accuracy from the result files of the C++ program and the labels of preprocess.py.

python postprocess.py --dataset imagenet2012 --result_dir result_Files --label_dir
imagenet_label.json python postprocess.py --dataset cifar10 --result_dir result_Files
--label_dir cifar10_label_ids.npy
"""

import json
from pathlib import Path

import numpy as np

from src.model_utils.config import config
from src.vendored.launch import UserError, run


def read_logits(path, rows=1):
    """float32 (rows, classes) of a result file.

    Raises UserError if it is missing or its size does not fit.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such result file; run the C++ program over all images first")
    values = np.fromfile(path, np.float32)
    if values.size == 0 or path.stat().st_size % (4 * rows):
        raise UserError(
            f"{path}: {path.stat().st_size} bytes are not {rows} rows of float32; run inference"
            " again"
        )
    return values.reshape(rows, -1)


def imagenet_results():
    """(logits (n, classes), labels (n,)) of all images in the label file."""
    try:
        labels = json.loads(Path(config.label_dir).read_text(encoding="utf-8"))
        stems = {name.split(".")[0]: int(label) for name, label in labels.items()}
    except (ValueError, AttributeError, TypeError):
        raise UserError(f"{config.label_dir}: not a label file of preprocess.py") from None
    logits = [read_logits(Path(config.result_dir, f"{stem}_0.bin"))[0] for stem in stems]
    return logits, np.array(list(stems.values()))


def cifar_results():
    """As `imagenet_results`, for the batches of preprocess.py."""
    try:
        labels = np.load(config.label_dir, allow_pickle=False)
        batches, batch_size = labels.shape
    except (ValueError, EOFError):
        raise UserError(f"{config.label_dir}: not a label file of preprocess.py") from None
    paths = [
        Path(config.result_dir, f"mobilenetv1_data_bs{batch_size}_{index}_0.bin")
        for index in range(batches)
    ]
    logits = np.concatenate([read_logits(path, batch_size) for path in paths])
    real = labels.ravel() >= 0
    return logits[real], labels.ravel()[real]


def main():
    """Print the accuracies in the documented form."""
    logits, labels = imagenet_results() if config.dataset == "imagenet2012" else cifar_results()
    if len({len(row) for row in logits}) != 1 or labels.max() >= len(logits[0]):
        raise UserError(
            f"{config.result_dir}: result files differ in size, or have fewer classes than the"
            " labels"
        )
    hits = np.argsort(-np.stack(logits), axis=1, kind="stable")[:, :5] == labels[:, None]
    top1, top5 = float(hits[:, 0].mean()), float(hits.any(axis=1).mean())
    if config.dataset == "imagenet2012":
        print(f"'top1 acc': {top1}\n'top5 acc': {top5}")
    else:
        print(f"acc:  {top1}")
    print(f"evaluated {len(labels)} images", flush=True)


if __name__ == "__main__":
    run(main)
