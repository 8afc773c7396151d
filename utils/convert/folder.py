"""A folder's own network and record, for options that its scripts take as flags."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from command import Failure

ROOT = Path(__file__).resolve().parents[2]


def activate(folder: str) -> None:
    """Let `src` be the package of `folder`, and bench's networks be found."""
    sys.path.insert(0, str(ROOT / folder))
    sys.path.append(str(ROOT / "utils/bench"))  # Last: it has a resnest.py of its own.
    import_module("src.vendored.launch")  # sets the environment that MindSpore reads


def network_of(module: str, config_module: str, options: dict) -> tuple[Any, dict]:
    """(network, options of its record) of the folder whose modules these are. Raises Failure where
    it does not take `options`.
    """
    settings = import_module(config_module)
    arguments = [text for key, value in options.items() for text in (f"--{key}", str(value))]
    command, sys.argv = sys.argv, [sys.argv[0], *arguments]
    try:
        config = settings.load_config("network", "images", "device", device_target="CPU")
    except ValueError as error:
        raise Failure(f"the folder does not take these weights' options: {error}") from None
    finally:
        sys.argv = command
    network = import_module(module).build_network(config).set_train(False)
    recorded = {key: getattr(config, key) for key in settings.RECORDED if hasattr(config, key)}
    return network, recorded


def save(parameters: dict[str, np.ndarray], path: Path, record: dict) -> None:
    """Write `parameters` and `record` as the checkpoint `path`, whole or not at all. Raises
    Failure.
    """
    import mindspore as ms

    entries = [{"name": name, "data": ms.Tensor(value)} for name, value in parameters.items()]
    try:
        import_module("src.vendored.checkpoints").save_checkpoint(entries, path, record)
    except ValueError as error:  # the folder's own line
        raise Failure(str(error)) from None
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise Failure(f"{path}: cannot be written ({reason})") from None
