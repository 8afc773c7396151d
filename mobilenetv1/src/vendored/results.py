# Copied from utils/vendored/results.py by `make vendor`: change it there.
"""What C++ inference leaves: a label file, and for each image its outputs as float32 files."""

from __future__ import annotations

import collections
import json
import os
from pathlib import Path

import numpy as np

from .accuracy import Counts, top_hits
from .classes import names_for_labels
from .files import atomic_write
from .flags import parse_flags
from .images import ImageTree, read_image_tree
from .launch import UserError
from .record import read_record
from .report import SETTING as REPORT
from .report import Judgements, finish_report
from .result_names import result_names, stem
from .splits import EVALUATION, find_split

LABEL_SETTINGS = {
    "images": {
        "img_path": ("", "images, one folder a class, or the folder above"),
        "mindir_path": ("", "exported network, whose class names lie beside it"),
        "class_names": ("", "text file of the class names, in the order of the outputs"),
    }
}

LABEL_ALIASES = {"dataset_path": "img_path", "data_path": "img_path"}
RESULT_SETTINGS = {
    "results": {
        "result_path": ("", "folder of <image name>_0.bin, float32 logits"),
        "label_path": ("", "label file of create_imagenet2012_label.py"),
    },
    "report": {
        "report": REPORT,
        "mindir_path": ("", "exported network, whose class names lie beside it"),
    },
}


def label_images(description: str) -> None:
    """Write imagenet_label.json into the current folder, as the command line says."""
    flags, _ = parse_flags(LABEL_SETTINGS, LABEL_ALIASES, description=description)
    if not flags["img_path"]:
        raise UserError("which images? --img_path FOLDER is required")
    print("[WARNING] Create imagenet label. Currently only use for Imagenet2012!")
    number = write_labels(
        flags["img_path"], "imagenet_label.json", flags["mindir_path"], flags["class_names"]
    )
    print(f"[INFO] Completed! Total {number} data.")


def judge_as_told(description: str) -> Counts:
    """Counts of the results and labels that the command line names; see judge_results."""
    flags, _ = parse_flags(RESULT_SETTINGS, description=description)
    if not (flags["result_path"] and flags["label_path"]):
        raise UserError("which results and labels? --result_path FOLDER --label_path FILE")
    return judge_results(**flags)


def write_labels(
    image_folder: str, label_file: str | Path, mindir_path: str = "", class_names: str = ""
) -> int:
    """Write {image: class index} of the tree `image_folder` to the JSON file `label_file`.

    An image is called by its file name, or by its path below the folder where another image's name
    is the same up to the first dot: see result_names. Classes are those of the record beside
    `mindir_path` or of the text file `class_names`; without these, the folders or ImageNet's.
    Returns how many images.
    """
    folder = find_split(image_folder, EVALUATION)
    recorded = read_record(mindir_path)[0]["class_names"] if mindir_path else None
    tree = read_image_tree(folder, lambda found: names_for_labels(found, recorded, class_names))
    stems = collections.Counter(map(stem, tree.paths))
    labels = {
        os.path.basename(path) if stems[stem(path)] == 1 else os.path.relpath(path, folder): label
        for path, label in zip(tree.paths, tree.labels.tolist())
    }
    atomic_write(label_file, json.dumps(labels))
    return len(labels)


def read_labels(path: str) -> dict[str, int]:
    """{name of the result files: class index} of a label file. Raises UserError if it is none."""
    writer = "create_imagenet2012_label.py writes one"
    try:
        labels = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path or 'the label file'}: {error.strerror}; {writer}") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path}: not a label file; {writer}") from None
    if not isinstance(labels, dict) or not labels:
        raise UserError(f"{path}: not {{image: class index}}; {writer}")
    wrong = [name for name, index in labels.items() if type(index) is not int or index < 0]
    if wrong:
        raise UserError(
            f"{path}: '{wrong[0]}' has the class {labels[wrong[0]]!r}, no index from 0; {writer}"
        )
    return dict(zip(result_names(list(labels)), labels.values()))


def read_outputs(
    path: str | Path, columns: int | None = None, rows: int | None = None
) -> np.ndarray:
    """float32 (rows, columns) of a result file; one row where `columns` is None.

    Raises UserError if it is missing, of the wrong size, or holds NaN or infinite numbers.
    """
    again = "run the C++ program again, over all images"
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path}: no such result file ({error.strerror}); {again}") from None
    count = columns or len(content) // 4 // (rows or 1)
    wanted = 4 * count * (rows or 1)
    if not content or len(content) % (4 * max(count, 1)) or (rows and len(content) != wanted):
        raise UserError(f"{path}: {len(content)} bytes are not rows of {count} float32; {again}")
    values = np.frombuffer(content, np.float32).reshape(-1, count)
    if not np.isfinite(values).all():
        raise UserError(f"{path}: holds NaN or infinite numbers; check the exported model")
    return values


def count_results(
    result_path: str, label_path: str, judgements: Judgements | None = None
) -> Counts:
    """Counts of right answers in the files IMAGE_0.bin of `result_path`, by a label file.

    `judgements` (see report) gets each image's, in the order of the label file.

    Raises UserError where images and results are not the same ones, or do not fit.
    """
    labels, folder = read_labels(label_path), Path(result_path)
    if not result_path or not folder.is_dir():
        raise UserError(
            f"{result_path or '--result_path'}: no such folder of result files; the C++ program"
            " writes it"
        )
    found = {path.name[: -len("_0.bin")] for path in folder.glob("*_0.bin")}
    for missing, what in ((labels.keys() - found, "result"), (found - labels.keys(), "label")):
        if missing:
            raise UserError(
                f"{folder}: {len(missing)} images have no {what}, such as {min(missing)}; label and"
                " predict the same images"
            )
    top1 = top5 = 0
    columns = None
    for name, label in labels.items():
        path = folder / f"{name}_0.bin"
        logits = read_outputs(path, columns, rows=1)
        columns = logits.shape[1]
        if label >= columns:
            raise UserError(
                f"{label_path}: '{name}' is of class {label}, but {path} has {columns} logits"
            )
        hits = top_hits(logits, np.array([label]))
        if judgements:
            judgements.add(logits, np.array([label]))
        top1, top5 = top1 + int(hits[0, 0]), top5 + int(hits.sum())
    return Counts(top1, top5, len(labels))


def judge_results(
    result_path: str, label_path: str, report: str = "", mindir_path: str = ""
) -> Counts:
    """count_results, the accuracy's interval, and a report (see there) in the folder `report`.

    Class names are those of the record beside `mindir_path`; without it, the labels' numbers.
    """
    judgements = Judgements()
    counts = count_results(result_path, label_path, judgements)
    names = read_record(mindir_path)[0]["class_names"] if mindir_path else None
    names = names or [str(index) for index in range(max(judgements.labels) + 1)]
    images = list(read_labels(label_path))
    tree = ImageTree(result_path, names, images, np.array(judgements.labels))
    finish_report(report, judgements, tree, counts)
    return counts
