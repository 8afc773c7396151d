"""ModelArts: images and checkpoints come from object storage before a job, checkpoints go there
after it.
"""

import os


def fetch_images(config, share=""):
    """Copy data_url to a local folder, of this device's own where `share` names it, and use
    that.
    """
    config.dataset_path = os.path.join(config.cache_path, "data", share)
    _copy(config.data_url, config.dataset_path)


def fetch_checkpoint(config):
    """Copy train_url to a local folder, and use mnasnet.ckpt there."""
    folder = os.path.join(config.cache_path, "ckpt")
    _copy(config.train_url, folder)
    config.checkpoint_path = os.path.join(folder, "mnasnet.ckpt")


def store_checkpoints(config):
    """Copy what training wrote to train_url."""
    _copy(config.save_checkpoint_path, config.train_url)


def _copy(source, target):
    import moxing  # which only ModelArts has

    print(f"copy {source} to {target}", flush=True)
    moxing.file.copy_parallel(source, target)
