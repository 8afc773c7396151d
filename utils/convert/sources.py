"""Whose weights the folders can take: what names/FOLDER.py is made of."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

NAMES = Path(__file__).resolve().parent / "names"
# What programs put before all names, as the folders know it of checkpoints.
PREFIXES = ("module.", "model.", "network.", "backbone.")
# BatchNorm's parameters, MindSpore's names and PyTorch's.
TORCH_BATCH_NORM = (
    (r"\.gamma$", ".weight"),
    (r"\.beta$", ".bias"),
    (r"\.moving_mean$", ".running_mean"),
    (r"\.moving_variance$", ".running_var"),
)
# Options of images that stand for (x - 127.5) / 127.5.
MINUS_ONE_TO_ONE = {"mean": "127.5,127.5,127.5", "std": "127.5,127.5,127.5"}

Rules = tuple[tuple[str, Any], ...]


class Source(NamedTuple):
    """Weights of one origin for one folder.

    `marker` is a tensor that no others have. `rules`, (pattern, replacement) of re.sub, one after
    the other, make a parameter's name the tensor's. `options` tells from the tensors, {name:
    array}, the options of the folder that make its network and its preprocessing the same
    function. `build` gives the source's own network for these options: a torch.nn.Module, or in
    the layout 'keras' a Keras model. `left` is a pattern of tensors that have no place in the
    folder's network. `halves` is one of parameters that are each one half, by its group 2, of the
    tensor's rows. `rolled` are those whose first row, the background's, is the last here.
    `biases` says that convolutions have biases, which the batch norm after them takes up.
    """

    title: str
    marker: str
    rules: Rules
    options: Callable[[dict], dict]
    build: Callable[[dict], Any]
    layout: str = "torch"
    left: str = r"num_batches_tracked$"
    halves: str = ""
    rolled: tuple[str, ...] = ()
    biases: bool = False
    class_names: tuple[str, ...] = ()


class Published(NamedTuple):
    """Weights that exist: their `name` and `file`, whose they are, top-1 and top-5 on ImageNet in
    per cent as `reported_by` someone, None where nobody did; `build` gives their network.
    """

    name: str
    file: str
    source: Source
    top1: float | None
    top5: float | None
    reported_by: str
    build: Callable[[], Any]


def tables_of(folder: str) -> ModuleType:
    """names/FOLDER.py: its SOURCES, its PUBLISHED, its `build_network`, and PART: what the names of
    that network begin with in a checkpoint of the folder.
    """
    return import_module(f"names.{folder}")


def folders() -> list[str]:
    """The folders that have such a file."""
    return sorted(path.stem for path in NAMES.glob("[!_]*.py"))


def first_installed(*builders: Callable[[], Any]) -> Any:
    """What the first of `builders` gives whose package is installed. Raises the last one's
    ModuleNotFoundError.
    """
    for number, build in enumerate(builders, 1):
        try:
            return build()
        except ModuleNotFoundError:
            if number == len(builders):
                raise
    return None
