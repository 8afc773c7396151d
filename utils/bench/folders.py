"""Parameters and multiply-adds of every folder's network, as the table of the main README: `make
count`.

    python utils/bench/folders.py WORK

What stands in a row beside the numbers comes from utils/bench/FOLDER.py: SIZE of the image, TITLE,
REPORTED by the documentation, and build_network.
"""

import importlib

from measure import network_size
from work import find_folders, start, write_table


def measure(folder: str) -> list[str]:
    """The row of a folder."""
    benchmark = importlib.import_module(folder)
    parameters, operations = network_size(folder)
    return [
        f"[{folder}]({folder})",
        benchmark.TITLE,
        f"{parameters / 1e6:.2f} M",
        f"{operations / 1e9:.2f} G at {benchmark.SIZE}",
        benchmark.REPORTED,
    ]


def main(work: str) -> None:
    """One row for each folder."""
    header = ["folder", "network, data", "parameters", "multiply-adds", "reported accuracy"]
    write_table(work, "folders", header, [measure(folder) for folder in find_folders()])


if __name__ == "__main__":
    start(main)
