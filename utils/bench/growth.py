"""Time and memory against the number of images: `make growth`.

    python utils/bench/growth.py CACHE WORK [COUNT ...]

MobileNetV1-0.25 at 32 pixels, so that the network takes little of it: one step of training in a
process of its own (train.py --dry_run), evaluation, post-processing of the C++ program's files; and
NAS-FPN's COCO metrics of ten boxes an image. Images are hard links to 20 real photos of 19 classes.
Writes growth.md into WORK/benchmarks/tables.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from measure import run, use_folder
from work import ROOT, machine, make_work_folder, start, write_table

FOLDER = ROOT / "mobilenetv1"
COUNTS = (1000, 10000, 100000)
PHOTOS, CLASSES = 20, 19  # of photos.py
NETWORK = (
    *("--device_target", "CPU", "--dataset", "imagenet2012", "--class_num", CLASSES),
    *("--image_size", 32, "--width_multiplier", 0.25),
)
BOXES, SIDE = 10, 640  # an image; of an image, in pixels
METRICS = "--metrics"  # the process that computes them


def make_images(photos: Path, folder: Path, count: int) -> None:
    """`count` images, as many of each photo."""
    for photo in sorted(photos.glob("*/*")):
        (folder / photo.parent.name).mkdir(parents=True, exist_ok=True)
        for number in range(count // PHOTOS):
            os.link(photo, folder / photo.parent.name / f"{number:05d}_{photo.name}")


def make_results(images: Path, folder: Path) -> None:
    """What the C++ program leaves for each image: 19 scores."""
    folder.mkdir()
    scores = np.random.RandomState(0).randn(100, CLASSES).astype(np.float32)
    for index, image in enumerate(sorted(images.glob("*/*"))):
        scores[index % 100].tofile(folder / f"{image.stem}_0.bin")


def make_annotations(path: Path, count: int) -> None:
    """A COCO file of `count` images, each with ten boxes of three classes."""
    corners = np.random.RandomState(0).randint(0, SIDE // 2, (count * BOXES, 2)).tolist()
    box = [SIDE // 4, SIDE // 4]
    annotations = [
        {
            "id": index + 1,
            "image_id": index // BOXES + 1,
            "category_id": index % 3 + 1,
            "bbox": corner + box,
            "area": box[0] * box[1],
            "iscrowd": 0,
        }
        for index, corner in enumerate(corners)
    ]
    images = [
        {"id": index + 1, "file_name": f"{index}.jpg", "width": SIDE, "height": SIDE}
        for index in range(count)
    ]
    categories = [{"id": 1 + index, "name": f"class {index}"} for index in range(3)]
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )


def compute_metrics(path: str) -> None:
    """COCO's metrics of the annotated boxes, each moved by some pixels."""
    use_folder("nas_fpn")
    from src.annotations import read_annotations
    from src.coco_eval import CocoMetrics

    annotations, random = read_annotations(path), np.random.RandomState(0)
    with CocoMetrics(annotations, [0, 1, 2]) as metrics:
        for image in range(len(annotations.images)):
            boxes, labels, *_ = metrics.truth(image, (SIDE, SIDE))
            moved = (boxes + random.randint(0, 40, boxes.shape)).astype(np.float32)
            scores = random.rand(len(boxes)).astype(np.float32)
            metrics.add(image, (SIDE, SIDE), moved, scores, labels)
        metrics.summarize()


def measure(work: Path, script: Path, *flags: object) -> tuple[float, float]:
    """(seconds, MB at most) of a Python script in `work`. Exits with its output where it fails."""
    began = time.perf_counter()
    with open(work / "log", "w+") as log:
        command = [sys.executable, script, *flags]
        process = subprocess.Popen(list(map(str, command)), cwd=work, stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
        log.seek(0)
        if status:
            sys.exit(f"error: {script.name} failed:\n{log.read()[-2000:]}")
    return time.perf_counter() - began, used.ru_maxrss / 1024


def row_of(photos: Path, work: Path, count: int) -> list[str]:
    """A row of the table."""
    work.mkdir()
    for split in ("train", "val"):
        make_images(photos, work / split, count)
    training = ("--dataset_path", "train", "--batch_size", 16, "--dry_run", True)
    found = [measure(work, FOLDER / "train.py", *NETWORK, *training)]
    evaluation = ("--dataset_path", "val", "--checkpoint_path", "../network.ckpt")
    found.append(measure(work, FOLDER / "eval.py", *NETWORK, *evaluation))
    make_results(work / "val", work / "results")
    run([sys.executable, FOLDER / "create_imagenet2012_label.py", "--img_path=val"], work)
    results = ("--result_dir", "results", "--label_dir", "imagenet_label.json")
    found.append(measure(work, FOLDER / "postprocess.py", "--dataset", "imagenet2012", *results))
    make_annotations(work / "annotations.json", count)
    found.append(measure(work, Path(__file__).resolve(), METRICS, "annotations.json"))
    shutil.rmtree(work)
    return [f"{count:,}", *(f"{seconds:.1f} s, {megabytes:.0f} MB" for seconds, megabytes in found)]


def main(cache: str, work: str, *counts: str) -> None:
    """The table, with a row for each of `counts`."""
    if cache == METRICS:
        compute_metrics(work)
        return
    numbers = [int(count) if count.isdigit() else 0 for count in counts] or COUNTS
    if not all(number and number % PHOTOS == 0 for number in numbers):
        sys.exit(f"error: {' '.join(counts)}: not numbers of images, each a multiple of {PHOTOS}")
    place = make_work_folder(Path(work, "growth"))
    run([sys.executable, ROOT / "utils/smoke/photos.py", Path(cache).resolve(), "photos"], place)
    code = (
        "from src.vendored import launch; import mindspore as ms;"
        "from src.mobilenet_v1 import mobilenet_v1;"
        f"network = mobilenet_v1(class_num={CLASSES}, width_multiplier=0.25);"
        f"ms.save_checkpoint(network, {str(place / 'network.ckpt')!r})"
    )
    run([sys.executable, "-c", code], FOLDER)
    header = ["images", "one step of training", "evaluation", "post-processing", "COCO metrics"]
    rows = [row_of(place / "photos/val", place / str(number), number) for number in numbers]
    rows.append([machine(), *[""] * 4])
    write_table(Path(work, "benchmarks"), "growth", header, rows)


if __name__ == "__main__":
    start(main)
