"""Accuracy from the result files of the C++ program and the labels of preprocess.py.

python postprocess.py --dataset imagenet2012 --result_dir results --label_dir imagenet_label.json
python postprocess.py --dataset cifar10 --result_dir results --label_dir cifar10_label_ids.npy
"""

from src.vendored.launch import UserError, run

# isort: split
from pathlib import Path

import numpy as np

from src.cifar import CLASS_NAMES
from src.model_utils.config import load_config
from src.vendored.accuracy import Counts, top_hits
from src.vendored.images import ImageTree
from src.vendored.record import read_record
from src.vendored.report import Judgements, finish_report
from src.vendored.results import judge_results, read_outputs


def read_batch_labels(path: str) -> np.ndarray:
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


def judge_batches(result_dir: str, label_file: str, report: str, mindir_path: str) -> Counts:
    """Counts of right answers in the files mobilenetv1_data_bs{N}_{i}_0.bin of `result_dir`; prints
    the accuracy's interval, and writes a report (see results.judge_results).

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
    top1 = top5 = 0
    columns, judgements, paths = None, Judgements(), []
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
        judgements.add(logits[real], batch[real])
        paths += [f"{name}, row {row}" for row in np.flatnonzero(real)]
    counts = Counts(top1, top5, len(paths))
    class_names = read_record(mindir_path)[0]["class_names"] or CLASS_NAMES
    tree = ImageTree(result_dir, list(class_names), paths, np.array(judgements.labels))
    finish_report(report, judgements, tree, counts)
    return counts


def main() -> None:
    """Print the accuracies in the documented form."""
    config = load_config("data set", "results", "report", "mindir", description=__doc__)
    is_imagenet = config.dataset == "imagenet2012"
    judge = judge_results if is_imagenet else judge_batches
    counts = judge(config.result_dir, config.label_dir, config.report, config.mindir_path)
    top1, top5 = counts.accuracies()
    print(f"'top1 acc': {top1}\n'top5 acc': {top5}" if is_imagenet else f"acc:  {top1}")
    print(f"evaluated {counts.images} images", flush=True)


if __name__ == "__main__":
    run(main)
