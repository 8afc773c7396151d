"""What telling damaged images costs training data: the share of its pipeline's processor time.

    python tests/guard_cost.py FOLDER_OF_THE_TABLE [--only MODEL_FOLDER] [--images 400] [--turns 5]

The time in the check is measured within whole epochs, over photos of the size of ImageNet's, as a
file (baseline) and in scans (progressive); the median of the turns counts. The table is guard.md;
the exit code is 1 where the check takes over 3 % of what is spent without it.
"""

import argparse
import contextlib
import os
import runpy
import statistics
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np

from folders import (
    CLASSIFIERS,
    REPOSITORY,
    activate,
    flags_of,
    import_from,
    load_config,
    take_ctrl_c,
)
from image_files import encoded, picture

LIMIT = 0.03
SIZE = (375, 500)  # pixels: the commonest in ImageNet
QUALITY = 90  # with which a file is as long as ImageNet's are on average, 110 kB


def write_tree(root, images, progressive):
    """`images` photos in two classes; the mean length of a file."""
    content = encoded(picture(*SIZE), quality=QUALITY, progressive=progressive)
    for number in range(images):
        path = Path(root, f"{number % 2}", f"{number}.jpg")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return len(content)


def training_data(folder, tree):
    """The folder's training batches of `tree`, at their documented size."""
    activate(folder)
    groups = runpy.run_path(str(REPOSITORY / folder / "train.py"))["GROUPS"]
    take_ctrl_c()
    row = flags_of(folder)
    flags = (*row.data, f"--{row.data_key}", tree, "--class_num", "2", "--batch_size", "20")
    config = load_config(folder, groups, flags)
    with contextlib.redirect_stdout(None):
        return import_from(folder, row.dataset_module).training_dataset(config)[0]


def seconds(dataset):
    """Processor time of all threads for an epoch, in seconds."""
    started = time.process_time()
    for _ in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True):
        pass
    return time.process_time() - started


def share(folder, tree, turns):
    """(seconds an epoch without the check, the share of it that the check adds)."""
    dataset = training_data(folder, tree)
    source = import_from(folder, "src.vendored.image_source")
    check, spent = source.damage, []

    def timed(content):
        # The thread's own time: a difference of two epochs is lost in what else the machine does.
        started = time.thread_time()
        try:
            return check(content)
        finally:
            spent.append(time.thread_time() - started)

    seconds(dataset)
    taken = []
    with mock.patch.object(source, "damage", timed):
        for _ in range(turns):
            spent.clear()
            whole = seconds(dataset)
            taken.append((whole - sum(spent), sum(spent)))
    without, added = (statistics.median(column) for column in zip(*taken))
    return without, added / without


def main(arguments):
    """Measure all folders; write the table."""
    rows, worst = [], 0.0
    for progressive in (False, True):
        with tempfile.TemporaryDirectory(prefix="guard_") as tree:
            length = write_tree(tree, arguments.images, progressive)
            kind = f"{'progressive' if progressive else 'baseline'}, {length // 1000} kB"
            for folder in [arguments.only] if arguments.only else CLASSIFIERS:
                without, added = share(folder, tree, arguments.turns)
                worst = max(worst, added)
                each = 1000 * without / arguments.images
                rows.append(f"| {folder} | {kind} | {each:.2f} | {added:.1%} |")
                print(rows[-1], flush=True)
    head = ["| folder | files | ms an image | added |", "|---|---|---|---|"]
    told = f"Load {np.mean(os.getloadavg()):.1f} on {os.cpu_count()} processors."
    Path(arguments.table).mkdir(parents=True, exist_ok=True)
    Path(arguments.table, "guard.md").write_text("\n".join([*head, *rows, "", told]) + "\n")
    print(told)
    sys.exit(1 if worst > LIMIT else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--only", choices=CLASSIFIERS)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--turns", type=int, default=5)
    main(parser.parse_args())
