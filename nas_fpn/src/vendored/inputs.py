# Copied from utils/vendored/inputs.py by `make vendor`: change it there.
"""What a script is given, looked at before MindSpore is imported, which takes seconds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from .device import require_launcher
from .launch import UserError

FETCHING = ("enable_modelarts", "run_modelarts", "is_model_arts")
DISTRIBUTED = ("run_distribute", "distribute")
EXPORTED = (".onnx", ".mindir")
OTHER_FORMATS = {
    b"PK\x03\x04": "PyTorch's (.pth) or a zip file; utils/convert turns weights into checkpoints",
    b"\x80": "a Python pickle (.pth); utils/convert turns weights into checkpoints",
    b"\x89HDF": "an HDF5 file (Keras)",
    b"\xff\xd8": "a JPEG image",
    b"\x89PNG": "a PNG image",
}


def look_at_inputs(
    config: SimpleNamespace, require: Callable[[SimpleNamespace], None] | None
) -> None:
    """Let `require(config)` raise UserError for what is missing of the files that `config` names.

    Another device than the first CPU may not be there, which MindSpore says, and first. A job that
    fetches its files has to be begun.
    """
    values = vars(config)
    is_cpu = values.get("device_target", "CPU") == "CPU" and not values.get("device_id")
    if not is_cpu or any(values.get(key) for key in FETCHING):
        return
    if any(values.get(key) for key in DISTRIBUTED):
        require_launcher()
    if require:
        require(config)
    if values.get("teacher"):
        require_teacher(config.teacher)


def require_checkpoint(path: str | Path) -> None:
    """Raise UserError where `path` is no file, or one of another format than MindSpore's."""
    if os.path.isdir(path):
        raise UserError(f"{path}: a folder, not a checkpoint file; give one of the files in it")
    if not os.path.isfile(path):
        raise UserError(
            f"{path}: no such checkpoint file; give the path of one that training saved"
        )
    try:
        with open(path, "rb") as file:
            start = file.read(64)
    except PermissionError:
        raise UserError(f"{path}: no permission to read this file") from None
    kind = next((text for magic, text in OTHER_FORMATS.items() if start.startswith(magic)), None)
    if kind is None and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 32:
        kind = "a safetensors file; utils/convert turns weights into checkpoints"
    if kind is None and str(path).endswith((".onnx", ".mindir", ".air", ".om")):
        kind = "an exported model; it holds no checkpoint"
    if kind is None and not str(path).endswith(".ckpt"):
        raise UserError(f"{path}: MindSpore wants checkpoints called *.ckpt; rename it")
    if kind:
        raise UserError(f"{path}: not a MindSpore checkpoint but {kind}")


def require_model(path: str) -> None:
    """Raise UserError where `path` is neither an exported file that is there nor a checkpoint."""
    (require_exported if path.endswith(EXPORTED) else require_checkpoint)(path)


def require_exported(path: str) -> None:
    """Raise UserError where the exported model `path` is not there."""
    if not os.path.isfile(path):
        raise UserError(
            f"{path or 'the exported model'}: no such file; export.py writes one (--file_format"
            " ONNX or MINDIR)"
        )


def require_teacher(path: str) -> None:
    """Raise UserError where `path` is not an ONNX file that is there."""
    if not path.endswith(".onnx"):
        raise UserError(
            f"{path}: a teacher is an ONNX file; export.py makes one of a checkpoint (--file_format"
            " ONNX)"
        )
    require_exported(path)


def require_mindir(path: str) -> None:
    """Raise UserError where the MindIR file `path` is not there."""
    if not os.path.isfile(path):
        raise UserError(f"{path or 'the MindIR'}: no such file; export.py writes one")


def require_images(path: str) -> None:
    """Raise UserError where there is no folder `path`, which is to hold class folders."""
    if not os.path.isdir(path):
        expected = f"{str(path).rstrip('/')}/<class>/<image>.jpg"
        raise UserError(f"{path or 'the data path'}: no such folder; expected {expected}")


def require_photos(path: str) -> None:
    """Raise UserError where `path`, photos in class folders to train on, is not named or there."""
    if not path:
        raise UserError("which photos? --dataset_path FOLDER (--help lists all flags)")
    require_images(path)
