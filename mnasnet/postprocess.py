"""Accuracy of the C++ program's result files, against the labels of create_imagenet2012_label.py.

python postprocess.py --result_path ./result_Files --label_path ./imagenet_label.json
"""

import json
from pathlib import Path

import numpy as np

from src.vendored.launch import UserError, parse_flags, run


def read_labels(path):
    """{image name up to its first dot: class index}, from a file {image name: class index}.

    Raises UserError where the file is another thing, or where two images share a name up to the
    dot.
    """
    try:
        labels = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(
            f"{path} is not a JSON file ({error}): write it with create_imagenet2012_label.py"
        ) from error
    if (
        not isinstance(labels, dict)
        or not labels
        or not all(type(index) is int for index in labels.values())
    ):
        raise UserError(
            f"{path} is not of the form {{image name: class index}}: "
            "write it with create_imagenet2012_label.py"
        )
    stems = {name.split(".")[0]: index for name, index in labels.items()}
    if len(stems) != len(labels):
        raise UserError(
            f"{path} holds images that differ only after the first dot: their results have one name"
        )
    return stems


def read_logits(path, count):
    """The float32 logits (count,) of one result file; any number where `count` is None."""
    size = path.stat().st_size
    if size == 0 or size % 4 or count not in (None, size // 4):
        wanted = "a multiple of 4" if count is None else 4 * count
        raise UserError(f"{path} has {size} bytes, not {wanted}: run the inference again")
    logits = np.fromfile(path, np.float32)
    if not np.isfinite(logits).all():
        raise UserError(f"{path} holds values that are not finite: check the model with eval.py")
    return logits


def accuracy(result_path, label_path):
    """(number of images, top1, top5), accuracies 0 to 1, over the files IMAGE_0.bin in the folder
    `result_path`.

    Raises UserError where results and labels do not cover the same images, or a file has another
    size than the rest.
    """
    labels = read_labels(label_path)
    results = {
        path.name[: -len("_0.bin")]: path for path in sorted(Path(result_path).glob("*_0.bin"))
    }
    if not results:
        raise UserError(f"no result files IMAGE_0.bin in {result_path}: run the inference first")
    for wanted, found, problem in ((labels, results, "result"), (results, labels, "label")):
        missing = sorted(set(wanted) - set(found))
        if missing:
            raise UserError(
                f"no {problem} for {len(missing)} of {len(wanted)} images, such as {missing[0]}: "
                f"{result_path} and {label_path} must come from the same folder of images"
            )
    count, top1, top5 = None, 0, 0
    for name, path in results.items():
        logits = read_logits(path, count)
        count = len(logits)
        if not 0 <= labels[name] < count:
            raise UserError(f"{name} is of class {labels[name]}, but {path} holds {count} logits")
        best = np.argsort(-logits, kind="stable")[:5]
        top1 += best[0] == labels[name]
        top5 += labels[name] in best
    return len(results), float(top1 / len(results)), float(top5 / len(results))


def main():
    """Print the number of images and their top-1 and top-5 accuracy."""
    flags = parse_flags(
        {"result_path": "./result_Files", "label_path": "./imagenet_label.json"},
        {"result_path": "folder of IMAGE_0.bin, float32 logits", "label_path": "label file"},
    )
    count, top1, top5 = accuracy(flags["result_path"], flags["label_path"])
    print(f"Total data: {count}, top1 accuracy: {top1}, top5 accuracy: {top5}.")


if __name__ == "__main__":
    run(main)
