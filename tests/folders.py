"""The model folders as tests see them: found by their train.py, independent, each with a package of
its own called `src`; and the few things that a test must know of each.
"""

import contextlib
import importlib
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple
from unittest import mock

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
NAMES = sorted(path.parent.name for path in REPOSITORY.glob("*/train.py"))


class Flags(NamedTuple):
    """What differs from the common flags. A folder that is not in the table has none of it."""

    network: tuple = ()  # of a network as small as the folder allows
    data: tuple = ()  # beside --dataset_path
    data_key: str = "dataset_path"  # the key that this flag sets
    network_module: str = "src.network"  # where build_network is
    config_module: str = "src.config"  # where load_config is
    dataset_module: str = "src.dataset"  # where training_dataset is
    detector: bool = False  # takes MindRecord files of boxes instead of class folders
    image_size: int = 32
    save_flag: str = "--save_checkpoint_path"  # the folder of what training writes
    saved: str = "ckpt_0"  # its folder there
    save_flags: tuple = ("--save_checkpoint_epochs", "1")
    evaluates_folders: bool = False  # eval.py takes CKPT_LOCATION, all checkpoints of a folder
    drop: tuple = ("--drop_path", "0.5")  # what training drops by chance
    result_flags: tuple = ("--result_path", "--label_path")  # of postprocess.py
    yaml_keys: tuple = ("class_num", "ckpt_file")  # number of classes, other name of the checkpoint
    heavy: bool = False  # slow to compile, and others stand for it: see slow_where_heavy


# fmt: off
TABLE = {
    "fishnet99": Flags(data_key="data_path", network_module="src.fishnet", evaluates_folders=True,
                       heavy=True),
    "mnasnet": Flags(("--depth_multiplier", "0.25"), network_module="src.models.mnasnet",
                     saved="model_0", heavy=True),
    "mobilenetv1": Flags(("--width_multiplier", "0.25"), ("--dataset", "imagenet2012"),
                         network_module="src.mobilenet_v1_fpn",
                         config_module="src.model_utils.config", drop=("--dropout", "0.5"),
                         result_flags=("--result_dir", "--label_dir"),
                         yaml_keys=("class_num", "checkpoint")),
    "nas_fpn": Flags(("--config_path", "small.yaml"), network_module="src.retinanet_nasfpn",
                     config_module="src.model_utils.config",
                     dataset_module="src.training_data", detector=True, image_size=128, saved=".",
                     yaml_keys=("num_classes", "ckpt_file")),
    "resnest": Flags(("--crop_size", "32"), data_key="root", network_module="src.models.resnest",
                     dataset_module="src.datasets.dataset",
                     save_flag="--outdir", save_flags=(), heavy=True),
}
# fmt: on
BUILDING = ("network", "images", "device")  # groups of settings that a network hangs on
CLASSIFIERS = [name for name in NAMES if not TABLE.get(name, Flags()).detector]


def flags_of(folder: str) -> Flags:
    """The row of `folder`, or the common one."""
    return TABLE.get(folder, Flags())


def slow_where_heavy(folders: list[str]) -> list:
    """`folders` as parameters of tests that take minutes where a network is heavy, and that run the
    same vendored code in all: those of the heavy ones are slow.
    """
    slow = {True: pytest.mark.slow, False: ()}
    return [pytest.param(name, marks=slow[flags_of(name).heavy]) for name in folders]


def file_of(module: str) -> str:
    """The path of `module` (such as 'src.dataset') in its folder."""
    return f"{module.replace('.', '/')}.py"


_modules = {}  # folder: {name: module} of its package `src`, while another folder's is in use
_current = None


def activate(folder: str) -> None:
    """Make `src` mean the package of `folder`. Graph mode looks modules up by name again when it
    compiles.
    """
    global _current
    if folder == _current:
        return
    _modules[_current] = take_modules()
    sys.modules.update(_modules.get(folder, {}))
    others = [str(REPOSITORY / name) for name in NAMES]
    sys.path[:] = [str(REPOSITORY / folder)] + [path for path in sys.path if path not in others]
    importlib.invalidate_caches()
    _current = folder


def take_modules() -> dict:
    """Remove the modules of `src` from those that are loaded, and return them."""
    names = [name for name in sys.modules if name == "src" or name.startswith("src.")]
    return {name: sys.modules.pop(name) for name in names}


def import_from(folder: str, module: str) -> ModuleType:
    """`module` (such as 'src.dataset') as a script in `folder` would import it, whatever was
    imported before.
    """
    activate(folder)
    imported = importlib.import_module(module)
    take_ctrl_c()
    return imported


def take_ctrl_c() -> None:
    """Undo what the folders' launch module does to SIGINT: what tests start would inherit it."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def load_config(folder: str, groups: tuple, arguments: tuple = ()):
    """The settings `groups` of `folder`, as its scripts read them from `arguments`."""
    module = import_from(folder, flags_of(folder).config_module)
    command = mock.patch.object(sys, "argv", ["script", *map(str, arguments)])
    with command, contextlib.redirect_stdout(None):
        return module.load_config(*groups)


def build_network(folder: str, *arguments):
    """The smallest network of `folder`, with the flags `arguments` beside."""
    config = load_config(folder, BUILDING, (*flags_of(folder).network, *arguments))
    return import_from(folder, flags_of(folder).network_module).build_network(config)
