"""Accuracy from the result files of the C++ program and the labels of preprocess.py.

python postprocess.py --dataset imagenet2012 --result_dir results --label_dir imagenet_label.json
python postprocess.py --dataset cifar10 --result_dir results --label_dir cifar10_label_ids.npy
"""

from src.vendored.launch import UserError, run

# isort: split
from pathlib import Path

import numpy as np

from src.model_utils.config import load_config
from src.vendored.accuracy import Counts, top_hits
from src.vendored.results import judge_results, read_outputs


def read_batch_labels(path):
    """int32 (batches, N) of the label file that preprocess.py writes for CIFAR-10."""
    writer = "preprocess.py writes one"
    try:
        with open(path, "rb") as file:
            labels = np.load(file, allow_pickle=False)
    except OSError as error:
        raise UserError(f"{path or 'the label file'}: {error.strerror}; {writer}") from None
    except (ValueError, EOFError):
        raise UserError(f"{path}: not a label file; {writer}") from None
    is_table = isinstance(labels, np.ndarray) and labels.ndim == 2 and labels.dtype == np.int32
    if not is_table or not (labels >= 0).any() or labels.min() < -1:
        raise UserError(f"{path}: not int32 class indices (batches, N), -1 for none; {writer}")
    return labels


def count_batches(result_dir, label_file):
    """Counts of right answers in the files mobilenetv1_data_bs{N}_{i}_0.bin of `result_dir`.

    Raises UserError where batches and results are not the same ones, or do not fit.
    """
    labels = read_batch_labels(label_file)
    count, batch_size = labels.shape
    names = [f"mobilenetv1_data_bs{batch_size}_{index}_0.bin" for index in range(count)]
    unknown = {path.name for path in Path(result_dir).glob("*_0.bin")} - set(names)
    if unknown:
        raise UserError(
            f"{result_dir}: {min(unknown)} is of no batch in {label_file}; prepare and predict the"
            " same images"
        )
    top1 = top5 = images = 0
    columns = None
    for name, batch in zip(names, labels):
        logits = read_outputs(Path(result_dir, name), columns, batch_size)
        columns, real = logits.shape[1], batch >= 0
        if batch.max() >= columns:
            raise UserError(
                f"{label_file}: a label is {batch.max()}, but {name} has {columns} logits: fewer"
                " classes than the labels"
            )
        hits = top_hits(logits[real], batch[real])
        top1, top5 = top1 + int(hits[:, 0].sum()), top5 + int(hits.sum())
        images += int(real.sum())
    return Counts(top1, top5, images)


def main():
    """Print the accuracies in the documented form."""
    config = load_config("data set", "results", "report", "exported network", description=__doc__)
    is_imagenet = config.dataset == "imagenet2012"
    if is_imagenet:
        labels = config.label_dir
        counts = judge_results(config.result_dir, labels, config.report, config.mindir_path)
    else:
        counts = count_batches(config.result_dir, config.label_dir)
    top1, top5 = counts.accuracies()
    print(f"'top1 acc': {top1}\n'top5 acc': {top5}" if is_imagenet else f"acc:  {top1}")
    print(f"evaluated {counts.images} images", flush=True)


if __name__ == "__main__":
    run(main)
