"""Trainable parameters and multiply-adds of a folder's network, as utils/bench/FOLDER.py builds it.

    python utils/bench/network_size.py FOLDER

In a process of its own for each folder, as every folder calls its package `src`.
"""

import importlib
import os
import tempfile

from measure import use_folder
from multiply_adds import count
from work import start


def main(folder: str) -> None:
    """Print both numbers in one line."""
    benchmark = importlib.import_module(folder)
    use_folder(folder)
    import mindspore as ms
    import numpy as np

    network = benchmark.build_network().set_train(False)
    images = ms.Tensor(np.zeros((1, 3, benchmark.SIZE, benchmark.SIZE), np.float32))
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)  # MindSpore exports to no path with blanks, so the name is relative.
        ms.export(network, images, file_name="network", file_format="ONNX")
        operations = count("network.onnx")
    print(sum(parameter.size for parameter in network.trainable_params()), operations)


if __name__ == "__main__":
    start(main)
