# Copied from utils/vendored/report.py by `make vendor`: change it there.
"""What an evaluation tells beyond its accuracy: per class, confused with what, the worst images."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .drawing import drawable
from .files import atomic_write, make_folder
from .launch import UserError, printable

if TYPE_CHECKING:
    from .accuracy import Counts
    from .images import ImageTree

WORST = 20
NAMED = 25  # classes up to which the confusion matrix has names and numbers
MANY = 10_000  # images from which on the interval says little
SETTING = (
    "",
    "folder for a report: accuracy by class, confusion matrix, the images judged worst",
)


class Judgements:
    """The label, the answer and the probability of the label of each image, as they come."""

    def __init__(self):
        self.labels, self.answers, self.probabilities = [], [], []

    def add(self, logits: np.ndarray, labels: np.ndarray) -> None:
        """Add a batch: logits (N, classes), labels (N,)."""
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = shifted[np.arange(len(labels)), labels] / shifted.sum(axis=1)
        self.labels += labels.tolist()
        self.answers += logits.argmax(axis=1).tolist()
        self.probabilities += probabilities.tolist()


def finish_report(folder: str, judgements: Judgements, tree: ImageTree, counts: Counts) -> None:
    """Print the accuracy's interval, and write the report where a `folder` is asked for."""
    print_interval(counts.accuracies()[0], counts.images)
    if folder:
        write_report(folder, judgements, tree.class_names, tree.paths)


def print_interval(top1: float, images: int) -> None:
    """Print between which bounds the top-1 accuracy lies, where chance has a say in it.

    Wilson's interval of 95 % (Journal of the American Statistical Association 22, 1927).
    """
    if images >= MANY:
        return
    z = 1.96
    centre = (top1 + z * z / (2 * images)) / (1 + z * z / images)
    half = math.sqrt(top1 * (1 - top1) / images + z * z / (4 * images * images))
    half *= z / (1 + z * z / images)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    print(f"top-1 accuracy on {images} images, 95 % interval: {low:.4f} to {high:.4f}", flush=True)


def write_report(
    folder: str, judgements: Judgements, class_names: list[str], paths: list[str]
) -> None:
    """Write classes.csv, confusion.png and worst.csv to `folder`; print where they are.

    `paths` are those of the judged images in order. Raises UserError where they are not known.
    """
    labels, answers = np.array(judgements.labels), np.array(judgements.answers)
    if len(paths) != len(labels):
        raise UserError("a report wants every image, in order: leave --drop_remainder out")
    count = max(len(class_names), int(labels.max()) + 1, int(answers.max()) + 1)
    names = [printable(name) for name in class_names]
    names += [f"(output {index})" for index in range(len(names), count)]
    matrix = np.zeros((count, count), np.int64)
    np.add.at(matrix, (labels, answers), 1)
    folder = make_folder(folder)
    atomic_write(folder / "classes.csv", _table(_rows_by_class(matrix, names)))
    atomic_write(folder / "confusion.png", _picture(matrix, names))
    order = np.argsort(judgements.probabilities, kind="stable")
    worst = [index for index in order if labels[index] != answers[index]][:WORST]
    rows = [["image", "class", "answer", "probability of the class"]]
    for index in worst:
        probability = f"{judgements.probabilities[index]:.4g}"
        name, answer = names[labels[index]], names[answers[index]]
        rows.append([printable(paths[index]), name, answer, probability])
    atomic_write(folder / "worst.csv", _table(rows))
    print(f"report: {printable(str(Path(folder)))}", flush=True)


def _rows_by_class(matrix, names):
    rows = [["class", "images", "right", "accuracy", "most often taken for"]]
    for index, name in enumerate(names):
        images, right = int(matrix[index].sum()), int(matrix[index, index])
        if images == 0:
            continue
        others = matrix[index].copy()
        others[index] = 0
        taken_for = names[int(others.argmax())] if others.any() else ""
        rows.append([name, images, right, f"{right / images:.4f}", taken_for])
    return rows


def _table(rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _picture(matrix, names):
    """PNG bytes: rows are classes, columns answers, in shares of the row."""
    from matplotlib.figure import Figure

    side = min(12.0, max(4.0, 0.45 * len(names)))
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set(xlabel="answer", ylabel="class")
    if len(names) <= NAMED:
        # Not as mathematics, which two signs of a dollar would begin and end.
        words = [drawable(name, f"class {place}") for place, name in enumerate(names)]
        axes.set_xticks(range(len(names)), words, rotation=90, parse_math=False)
        axes.set_yticks(range(len(names)), words, parse_math=False)
        for row, column in zip(*matrix.nonzero()):
            colour = "white" if shares[row, column] > 0.5 else "black"
            number = str(matrix[row, column])
            axes.text(column, row, number, ha="center", va="center", color=colour, fontsize=8)
    figure.colorbar(picture, label="share of the class's images")
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=100)
    return image.getvalue()
