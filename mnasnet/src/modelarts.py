"""ModelArts: images and checkpoints come from object storage before a job, checkpoints go there
after it. A server's first process copies, for all of them.
"""

import os
from types import SimpleNamespace

from src.vendored.modelarts import sync_data


def fetch_images(config: SimpleNamespace) -> str:
    """The folder below cache_path to which the images at data_url were copied."""
    folder = os.path.join(config.cache_path, "data")
    sync_data(config.data_url, folder)
    return folder


def fetch_checkpoint(config: SimpleNamespace) -> str:
    """The path of mnasnet.ckpt, copied from train_url to below cache_path."""
    folder = os.path.join(config.cache_path, "ckpt")
    sync_data(config.train_url, folder)
    return os.path.join(folder, "mnasnet.ckpt")
