"""Where the images of a run lie, and whether they are there: without MindSpore."""

from __future__ import annotations

from types import SimpleNamespace

from src.cifar import held_out_batches, require_batches
from src.vendored.inputs import require_images
from src.vendored.splits import held_out_split


def require_data(config: SimpleNamespace, path: str, do_train: bool) -> None:
    """Raise UserError where `path` has no batches of CIFAR-10, or is no folder for class folders.

    Which of the two it is to be, `config.dataset` says.
    """
    if config.dataset == "cifar10":
        require_batches(path, do_train)
    else:
        require_images(path)


def held_out_path(config: SimpleNamespace) -> str:
    """Where the images of run_eval lie: eval_dataset_path, or the split beside the training images.

    Raises UserError where there is none.
    """
    if config.eval_dataset_path:
        return config.eval_dataset_path
    if config.dataset == "cifar10":
        return held_out_batches(config.dataset_path, "eval_dataset_path")
    return held_out_split(config.dataset_path, "eval_dataset_path")
