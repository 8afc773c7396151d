"""The data layout before a run and its record during it: metrics.csv, curves.png, the score on
held-out data.
"""

import csv
import io
import itertools
import math
import os
import time
from pathlib import Path

from .launch import UserError, write_whole

try:
    from mindspore.train import Callback
except ImportError:  # Labels and accuracies are also wanted on a board that has no MindSpore.
    Callback = object

# What the pipelines read too.
IMAGE_SUFFIXES = [".jpg", ".jpeg", ".png", ".bmp", ".JPG", ".JPEG", ".PNG", ".BMP"]
SMALL_FILE = 4096  # bytes; where a JPEG's header may be cut


def check_class_folders(path, class_num, batch_size=1):
    """The sorted class names of the image tree `path`/<class>/<image>.

    `class_num` is how many classes the network knows; `batch_size` how many images a batch needs.
    Raises UserError that says which tree was expected and which was found.
    """
    if not os.path.isdir(path):
        raise UserError(f"{path}: no such folder; expected {path.rstrip('/')}/<class>/<image>.jpg")
    folders = [
        entry for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith(".")
    ]
    if not folders:
        found = (
            "images directly in it (give the folder above)" if _images(path) else "no folders in it"
        )
        raise UserError(f"{path}: expected {path}/<class>/<image>.jpg, found {found}")
    images = sum(_images(folder.path) for folder in folders)
    if not images:
        inner = [
            folder.path
            for folder in folders
            if any(entry.is_dir() for entry in os.scandir(folder.path))
        ]
        found = (
            f"folders in folders (give one below, such as {inner[0]})"
            if inner
            else "class folders without images"
        )
        raise UserError(f"{path}: expected {path}/<class>/<image>.jpg, found {found}")
    classes = sorted(folder.name for folder in folders)
    if len(classes) > class_num:
        raise UserError(
            f"{path}: {len(classes)} class folders, but the network has {class_num} classes"
            " (--class_num)"
        )
    check_batch_size(path, images, batch_size)
    return classes


def check_batch_size(path, images, batch_size):
    """Raise UserError where `images` images at `path` do not fill one batch of `batch_size`."""
    if batch_size > images:
        raise UserError(
            f"{path}: {images} images are fewer than one batch of {batch_size}; lower --batch_size"
        )


def _images(folder):
    found = [entry for entry in os.scandir(folder) if entry.name.endswith(tuple(IMAGE_SUFFIXES))]
    for entry in found:
        # MindSpore does not survive a JPEG that ends between its frame header and the scan that
        # follows (FF DA).
        if (
            entry.stat().st_size < SMALL_FILE
            and entry.name.lower().endswith((".jpg", ".jpeg"))
            and b"\xff\xda" not in Path(entry.path).read_bytes()
        ):
            raise UserError(
                f"{entry.path}: this image cannot be decoded; repair it or remove it from the"
                " data set"
            )
    return len(found)


def put_aside(directory, prefix):
    """Move what an earlier run left in `directory` to earlier.1, or 2, ..., in it."""
    names = (f"{prefix}-*.ckpt", "metrics.csv", "curves.png", "config.yaml")
    files = [path for name in names for path in Path(directory).glob(name)]
    folder = next(
        path for n in itertools.count(1) if not (path := Path(directory, f"earlier.{n}")).exists()
    )
    for path in files:
        os.renames(path, folder / path.name)
    if files:
        print(f"kept from an earlier run: {folder}", flush=True)


class RunRecord(Callback):
    """Each epoch a row of `metrics.csv` (epoch, step, loss, lr, images/s, score) and `curves.png`,
    in `directory`.

    The loss is the epoch's mean, or its last step's where an epoch runs at once. `evaluate()` gives
    the score on held-out data ({name: value}, the first counts; {}: not now), each `eval_interval`
    epochs; `save_best(network)` keeps the best. Rows of an earlier run up to `start_epoch` are
    kept.
    """

    def __init__(
        self,
        directory,
        learning_rates,
        batch_size,
        score="top1",
        evaluate=None,
        eval_interval=1,
        save_best=None,
        start_epoch=0,
    ):
        super().__init__()
        self.directory, self.learning_rates, self.batch_size = (
            Path(directory),
            learning_rates,
            batch_size,
        )
        self.evaluate, self.eval_interval, self.save_best = evaluate, eval_interval, save_best
        self.header = ["epoch", "step", "loss", "lr", "images_per_second", score]
        self.directory.mkdir(parents=True, exist_ok=True)
        table = self.directory / "metrics.csv"
        earlier = (
            csv.DictReader(table.read_text().splitlines()) if start_epoch and table.exists() else []
        )
        self.rows = [row for row in earlier if int(row["epoch"]) <= start_epoch]

    def on_train_epoch_begin(self, run_context):
        self.losses, self.started = [], time.perf_counter()

    def on_train_step_end(self, run_context):
        outputs = run_context.original_args().net_outputs
        loss = outputs[0] if isinstance(outputs, (tuple, list)) else outputs
        self.losses.append(float(loss.asnumpy().mean()))
        if not math.isfinite(self.losses[-1]):
            step = run_context.original_args().cur_step_num
            raise UserError(
                f"step {step}: the loss is {self.losses[-1]}; lower the learning rate, or check the"
                " labels"
            )

    def on_train_epoch_end(self, run_context):
        parameters = run_context.original_args()
        epoch, steps = parameters.cur_epoch_num, parameters.batch_num
        speed = steps * self.batch_size / (time.perf_counter() - self.started)
        score = ""
        scores = self.evaluate() if self.evaluate and epoch % self.eval_interval == 0 else {}
        if scores:
            score = next(iter(scores.values()))
            print(f"epoch: {epoch} evaluation: {scores}", flush=True)
            earlier = [float(row[self.header[-1]]) for row in self.rows if row[self.header[-1]]]
            if self.save_best and score > max(earlier, default=float("-inf")):
                self.save_best(parameters.train_network)
        rate = self.learning_rates[epoch * steps - 1]
        self.rows.append(
            dict(
                zip(
                    self.header,
                    (
                        epoch,
                        epoch * steps,
                        f"{sum(self.losses) / len(self.losses):.6g}",
                        f"{rate:.6g}",
                        f"{speed:.2f}",
                        score,
                    ),
                )
            )
        )
        self._write()

    def _write(self):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(
            [self.header, *(row.values() for row in self.rows)]
        )
        write_whole(self.directory / "metrics.csv", text.getvalue())
        write_whole(self.directory / "curves.png", draw_curves(self.rows, self.header[-1]))


def draw_curves(rows, score):
    """PNG bytes: loss and `score` over epochs, from the rows of metrics.csv."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    for axes, name in zip(figure.subplots(1, 2), ("loss", score)):
        points = [(int(row["epoch"]), float(row[name])) for row in rows if row[name] != ""]
        (
            axes.plot(*zip(*points), marker=".")
            if points
            else axes.text(0.5, 0.5, "not evaluated", ha="center")
        )
        axes.set(xlabel="epoch", ylabel=name)
        axes.grid(alpha=0.3)
    figure.savefig(image := io.BytesIO(), format="png", dpi=100)
    return image.getvalue()


def image_labels(path):
    """{file name: index of its class} for the tree `path`/<class>/<image>. UserError where
    result files would clash.
    """
    labels, stems = {}, set()
    for index, name in enumerate(check_class_folders(path, class_num=float("inf"))):
        for image in sorted(os.listdir(os.path.join(path, name))):
            if image.endswith(tuple(IMAGE_SUFFIXES)):
                if image.split(".")[0] in stems:
                    raise UserError(
                        f"{path}/{name}/{image}: the result of another image has this name;"
                        " rename one"
                    )
                stems.add(image.split(".")[0])
                labels[image] = index
    return labels
