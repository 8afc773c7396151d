"""Accuracy from the result files of the C++ program and the labels of create_imagenet2012_label.py.

python postprocess.py --result_path=./result_Files --label_path=./imagenet_label.json
"""

import json
from pathlib import Path

import numpy as np

from src.vendored.launch import UserError, parse_flags, run


def read_labels(path):
    """{image name up to its first dot: class index} from a label file.

    Raises UserError if it is none.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such label file; create_imagenet2012_label.py writes one")
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
        labels = {name.split(".")[0]: index for name, index in labels.items()}
    except (AttributeError, ValueError):
        raise UserError(
            f"{path}: not a label file; create_imagenet2012_label.py writes one"
        ) from None
    if not labels or not all(type(index) is int and index >= 0 for index in labels.values()):
        raise UserError(
            f"{path}: no class index for each image; create_imagenet2012_label.py writes such a"
            " file"
        )
    return labels


def read_logits(folder, names):
    """float32 (N, classes): for each of `names` the file `folder`/<name>_0.bin.

    Raises UserError for what is wrong.
    """
    if not folder.is_dir():
        raise UserError(
            f"{folder}: no such folder; scripts/run_infer_310.sh writes the results of the C++"
            " program"
        )
    found = {path.name for path in folder.iterdir()}
    expected = [f"{name}_0.bin" for name in names]
    missing, stray = sorted(set(expected) - found), sorted(found - set(expected))
    if missing:
        raise UserError(
            f"{folder}: {len(missing)} of {len(expected)} result files are missing, such as"
            f" {missing[0]}; run the C++ program over all images first"
        )
    if stray:
        raise UserError(
            f"{folder / stray[0]}: no image of the label file has this result; remove it, or label"
            " again"
        )
    rows = []
    for name in expected:
        values = np.fromfile(folder / name, np.float32)
        size = (folder / name).stat().st_size
        if size == 0 or size % 4 or values.size != (rows[0] if rows else values).size:
            raise UserError(
                f"{folder / name}: {size} bytes, expected 4 for each class, and as many as "
                f"{expected[0]}; run the C++ program again"
            )
        if not np.isfinite(values).all():
            raise UserError(
                f"{folder / name}: not all logits are finite numbers; check the exported model"
            )
        rows.append(values)
    return np.stack(rows)


def main():
    """Print the number of images and their top-1 and top-5 accuracy in the documented form."""
    flags = parse_flags(
        {"result_path": "", "label_path": ""},
        {"result_path": "folder of <image name>_0.bin, float32 logits", "label_path": "label file"},
    )
    if not all(flags.values()):
        raise UserError(
            "which results and labels? --result_path FOLDER --label_path FILE, both are required"
        )
    labels = read_labels(Path(flags["label_path"]))
    logits = read_logits(Path(flags["result_path"]), list(labels))
    if max(labels.values()) >= logits.shape[1]:
        raise UserError(
            f"{flags['label_path']}: class {max(labels.values())} is not among the"
            f" {logits.shape[1]} logits in {flags['result_path']}; label the images it was run over"
        )
    ranked = np.argsort(-logits, axis=1, kind="stable")
    hits = ranked[:, :5] == np.array(list(labels.values()))[:, None]
    top1, top5 = float(hits[:, 0].mean()), float(hits.any(axis=1).mean())
    print(f"Total data: {len(labels)}, top1 accuracy: {top1}, top5 accuracy: {top5}.")


if __name__ == "__main__":
    run(main)
