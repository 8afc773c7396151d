"""CIFAR-10's binary files: which of a folder are for training, and their records."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from src.vendored import doctor
from src.vendored.images import ImageTree
from src.vendored.launch import UserError, printable
from src.vendored.listing import contents_below, files_called
from src.vendored.splits import EVALUATION, TRAINING

if TYPE_CHECKING:
    import mindspore.dataset as ds

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
RECORD = 1 + 3 * 32 * 32  # a label byte, then the red, green and blue planes
TRAINING_FOLDERS = ("cifar-10-batches-bin", *TRAINING)
EVALUATION_FOLDERS = ("cifar-10-verify-bin", *EVALUATION)
TEST_BATCH = "test_batch.bin"  # beside the training batches in the published archive


def find_batches(path: str, do_train: bool) -> tuple[list[Path], str]:
    """(the files *.bin to train or to evaluate on, what was chosen or left out as text).

    They lie in `path`, or in a folder below it that is called as a split is. A test_batch.bin
    beside other files is for evaluation, and alone so. No files: there are none.
    """
    if do_train:
        folder = _split(path, TRAINING_FOLDERS)
    else:
        folder = _split(path, EVALUATION_FOLDERS)
        # The published archive has all batches in one folder.
        whole = _split(path, TRAINING_FOLDERS)
        if not _binary_files(folder) and _test_batch(_binary_files(whole)):
            folder = whole
    files = _binary_files(folder)
    test = _test_batch(files)
    if test and len(files) > 1:
        if do_train:
            files.remove(test)
            return files, f"note: {printable(str(test))} is for evaluation: not trained on"
        return [test], f"images: {printable(str(test))}, without the training batches beside it"
    return files, f"images: {printable(folder)}" if folder != str(path) else ""


def _split(path, names):
    below = [os.path.join(path, name) for name in names]
    return next((folder for folder in below if _binary_files(folder)), str(path))


def _test_batch(files):
    return next((path for path in files if path.name.lower() == TEST_BATCH), None)


def _binary_files(folder):
    return files_called(folder, ".bin") if os.path.isdir(folder) else []


def read_records(
    path: str, do_train: bool, class_num: int, rank: int = 0, ranks: int = 1
) -> CifarRecords:
    """The CifarRecords at `path`, as find_batches finds them; prints what was chosen.

    Raises UserError where there are none.
    """
    files, told = require_batches(path, do_train)
    if told:
        print(told, flush=True)
    return CifarRecords(files, class_num, rank, ranks)


def require_batches(path: str, do_train: bool) -> tuple[list[Path], str]:
    """find_batches; raises UserError where there are none."""
    files, told = find_batches(path, do_train)
    if not files:
        raise UserError(
            f"{path or 'the data path'}: expected CIFAR-10 binary files (*.bin, {RECORD} bytes a"
            f" record) in it, found {_instead(path)}"
        )
    return files, told


def _instead(path):
    """What is at `path`, where no batches are."""
    if os.path.isfile(path):
        return "a file (give its folder)"
    if not os.path.isdir(path):
        return "no such folder"
    deeper = [folder for folder, _ in contents_below(str(path)) if _binary_files(folder)]
    if deeper:
        return f"folders in folders (give {deeper[0]})"
    if any(Path(path).glob("**/data_batch_1")):
        return "the version for Python: the binary version is wanted"
    return "none"


def held_out_batches(path: str, flag: str) -> str:
    """`path`, where it has batches to evaluate on besides those to train on, or the folder of such
    batches beside it.

    Raises UserError where there are none; `flag` names another place.
    """
    trained = find_batches(path, do_train=True)[0]
    held_out = find_batches(path, do_train=False)[0]
    if held_out and held_out != trained:
        return path
    above = os.path.dirname(os.path.abspath(path))
    beside = _split(above, EVALUATION_FOLDERS)
    if beside not in (above, os.path.abspath(path)):
        return beside
    raise UserError(
        f"images to evaluate on are wanted: --{flag} FOLDER; neither {path} nor the folder"
        f" above has one of {', '.join(EVALUATION_FOLDERS)}, or {TEST_BATCH} beside other batches"
    )


def note_identical_records(training_path: str, held_out_path: str) -> int:
    """Print how many images of the held-out batches are in the training batches too, if any.

    Returns their number.
    """
    trained, held_out = (
        [
            record[1:].tobytes()
            for path in find_batches(folder, do_train)[0]
            for record in np.fromfile(path, np.uint8).reshape(-1, RECORD)
        ]
        for folder, do_train in ((training_path, True), (held_out_path, False))
    )
    known = set(trained)
    same = sum(record in known for record in held_out)
    if same:
        print(f"note: {same} of {len(held_out)} held-out images are training images too")
    return same


def has_batches(path: str) -> bool:
    """Whether CIFAR-10's files lie at `path`."""
    return any(find_batches(path, do_train)[0] for do_train in (True, False))


def check_batches(
    path: str, against: str, pipeline: Callable[[CifarRecords, np.ndarray], ds.Dataset]
) -> None:
    """The data doctor of the files at `path`: those to evaluate on where there are others to train
    on, `against`, else those to train on.

    `pipeline` maps records and the numbers of some to the data set that an evaluation reads, to
    time it. Raises UserError where a run would fail.
    """
    records = read_records(path, not against, len(CLASS_NAMES))
    doctor.print_counts(records.as_tree(path, CLASS_NAMES))
    if os.path.isdir(against):
        require_batches(against, do_train=True)
        note_identical_records(against, path)
    doctor.time_pipeline(pipeline(records, np.arange(min(len(records), doctor.TIMED))))
    print("a run would find nothing wrong with these images")


class CifarRecords:
    """The records of `files`, mapped from disk: image uint8 (32, 32, 3), label int32 ().

    MindSpore's Cifar10Dataset takes files of exactly 10,000 records; this one takes any whole
    number. With `rank` and `ranks` only each `ranks`-th from `rank` on is there. Raises UserError
    for a file of another size, and for labels from `class_num` on.
    """

    def __init__(self, files: list[Path], class_num: int, rank: int = 0, ranks: int = 1):
        for path in files:
            size = path.stat().st_size
            if size == 0 or size % RECORD:
                raise UserError(
                    f"{path}: {size} bytes are no whole number of {RECORD}-byte CIFAR-10 records"
                )
        self.paths, self.rank, self.ranks = files, rank, ranks
        self.files = [np.memmap(path, np.uint8, "r").reshape(-1, RECORD) for path in files]
        for path, records in zip(files, self.files):
            if records[:, 0].max() >= class_num:
                raise UserError(
                    f"{path}: label {records[:, 0].max()} is over the network's {class_num} classes"
                )
        self.ends = np.cumsum([len(records) for records in self.files])

    def __len__(self):
        return len(range(self.rank, int(self.ends[-1]), self.ranks))

    def __getitem__(self, index):
        file, row = self._place(index)
        record = self.files[file][row]
        image = np.ascontiguousarray(record[1:].reshape(3, 32, 32).transpose(1, 2, 0))
        return image, np.array(record[0], np.int32)

    def as_tree(self, folder: str, class_names: list) -> ImageTree:
        """The share as an ImageTree in order, whose paths are files and places there, from 0."""
        places = [self._place(index) for index in range(len(self))]
        names = [f"{self.paths[file]}, record {row}" for file, row in places]
        labels = [self.files[file][row, 0] for file, row in places]
        return ImageTree(str(folder), list(class_names), names, np.array(labels, np.int32))

    def _place(self, index):
        index = self.rank + index * self.ranks
        file = int(np.searchsorted(self.ends, index, side="right"))
        return file, index - int(self.ends[file]) + len(self.files[file])
