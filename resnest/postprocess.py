"""Accuracy from the result files of the C++ program and the labels of create_imagenet2012_label.py.

python postprocess.py --result_path result_Files --label_path imagenet_label.json
"""

import json
from pathlib import Path

import numpy as np

from src.vendored.launch import UserError, parse_flags, run


def read_labels(path):
    """{name of the result file: class index} of the label file `path`. Raises OSError,
    UserError.
    """
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
        labels = {f"{name.split('.')[0]}_0.bin": int(label) for name, label in labels.items()}
    except (ValueError, TypeError, AttributeError):
        labels = {}
    if not labels or min(labels.values()) < 0:
        raise UserError(f"{path}: not a label file of create_imagenet2012_label.py; write it again")
    return labels


def read_logits(folder, names):
    """float32 (len(names), classes) of the result files `names` in `folder`.

    Raises UserError if they do not fit.
    """
    found = {path.name for path in folder.glob("*_0.bin")}
    for name in sorted(found.symmetric_difference(names)):
        what = "is not there" if name in names else "has no label"
        raise UserError(f"{folder / name}: this result {what}; infer and label the same images")
    rows = [(folder / name).read_bytes() for name in names]
    for name, row in zip(names, rows):
        if len(row) == 0 or len(row) % 4 or len(row) != len(rows[0]):
            raise UserError(
                f"{folder / name}: {len(row)} bytes, expected float32 logits, as many as in"
                f" {names[0]} ({len(rows[0])} bytes); run inference again"
            )
    logits = np.frombuffer(b"".join(rows), np.float32).reshape(len(names), -1)
    if not np.isfinite(logits).all():
        raise UserError(
            f"{folder / names[np.isfinite(logits).all(1).argmin()]}: logits that are no numbers"
        )
    return logits


def accuracies(result_path, label_path):
    """(top-1, top-5) accuracy, 0..1, over all images of the label file. Raises OSError,
    UserError.
    """
    labels = read_labels(label_path)
    logits = read_logits(result_path, list(labels))
    expected = np.array(list(labels.values()))
    if expected.max() >= logits.shape[1]:
        raise UserError(
            f"{label_path}: class {expected.max()}, but the network has {logits.shape[1]} classes"
        )
    hits = np.argsort(-logits, axis=1, kind="stable")[:, :5] == expected[:, None]
    return hits[:, 0].mean(), hits.any(axis=1).mean()


def main():
    """Read the flags, print the documented two lines."""
    flags = parse_flags(
        {"result_path": "", "label_path": ""},
        {"result_path": "folder of <image>_0.bin files", "label_path": "imagenet_label.json"},
    )
    for name, value in flags.items():
        if not value:
            raise UserError(f"--{name} is missing: both --result_path and --label_path are wanted")
    top1, top5 = accuracies(Path(flags["result_path"]), Path(flags["label_path"]))
    print(f"acc={top1:.4f}(TOP1)")
    print(f"acc={top5:.4f}(TOP5)")


if __name__ == "__main__":
    run(main)
