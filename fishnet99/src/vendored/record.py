# Copied from utils/vendored/record.py by `make vendor`: change it there.
"""What a model carries with it: its class names in order and the options it was trained with; once
it is exported also where it comes from and what becomes of an image before it.

The record is part of a checkpoint file, of an ONNX file's metadata, and lies beside a MindIR file
as FILE.json. A checkpoint without one has it in the config.yaml beside it, or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from .checkpoint_entry import read_entry
from .flags import converted
from .launch import UserError, printable
from .settings_file import read_yaml

if TYPE_CHECKING:
    from .preprocessing import Preprocessing

ENTRY = "record"  # the checkpoint's parameter, or the ONNX metadata's key
FORMAT = 1
WANTED = {
    "checkpoint_path": "checkpoint? --checkpoint_path FILE",
    "model": "model? --model FILE: a checkpoint, .onnx or .mindir",
}


def make_record(
    config: SimpleNamespace, keys: Collection[str], class_names: list[str] | None = None
) -> dict:
    """The record, a dict, of a network trained with the settings `keys` of `config`."""
    return {
        "format": FORMAT,
        "options": {key: getattr(config, key) for key in keys},
        "class_names": class_names,
    }


def exported_record(
    config: SimpleNamespace, keys: Collection[str], folder: str, preprocessing: Preprocessing
) -> dict:
    """The record of what the script of `folder` exports from config.checkpoint_path.

    It has the checkpoint's SHA-256, what images become (a Preprocessing), and the accuracy that
    training measured, where the checkpoint knows one and the options are the same.
    """
    import mindspore as ms

    record = make_record(config, keys, config.known_classes)
    trained = read_record(config.checkpoint_path)[0]
    options = {key: trained["options"].get(key) for key in keys}
    return {
        **record,
        "folder": folder,
        "preprocessing": preprocessing.described(),
        "checkpoint_sha256": _sha256(config.checkpoint_path),
        "accuracy": trained.get("accuracy") if options == record["options"] else None,
        "versions": {"mindspore": ms.__version__},
    }


def _sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def to_parameter(record: dict) -> np.ndarray:
    """uint8 (bytes,) for a checkpoint: a file that loaders without records read as before."""
    return np.frombuffer(json.dumps(record).encode(), np.uint8)


def read_record(path: str | Path) -> tuple[dict, Path]:
    """(record, where it was found) of the checkpoint, folder of checkpoints, ONNX or MindIR `path`.

    The record is {"options": {}, "class_names": None} where there is none. Raises UserError where
    it is damaged.
    """
    path = Path(path)
    if path.suffix == ".onnx" and path.is_file():
        return _checked(_in_onnx(path), path)
    if path.suffix == ".mindir":
        beside = Path(f"{path}.json")
        return _checked(beside.read_text(encoding="utf-8") if beside.is_file() else "", beside)
    if path.is_file():
        inside = read_entry(path, ENTRY).decode("utf-8", "replace")
        if inside:
            return _checked(inside, path)
    config = (path if path.is_dir() else path.parent) / "config.yaml"
    if config.is_file():
        options = read_yaml(config)[0]
        return {"options": options, "class_names": options.get("class_names")}, config
    return {"options": {}, "class_names": None}, path


def _in_onnx(path):
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception:  # Without the entry, or damaged: who opens it says what is wrong.
        return ""
    return {entry.key: entry.value for entry in model.metadata_props}.get(ENTRY, "")


def _checked(text, where):
    if not text:
        return {"options": {}, "class_names": None}, where
    try:
        record = json.loads(text)
        options, names = record["options"], record["class_names"]
        fits = isinstance(options, dict) and (
            names is None or all(isinstance(name, str) for name in names)
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        fits = False
    if not fits:
        raise UserError(f"{where}: the model's record is damaged; export or train it again")
    return record, where


def take_options(values: dict, given: set[str], settings: dict, key: str) -> list[str] | None:
    """Set in `values` what the record of the model at values[`key`] says of the settings' keys,
    unless `given` on the command line; print what was taken. Returns the class names, or None.

    `settings` are {key: (default, meaning[, limit])}. Raises UserError for values that do not fit,
    and where a model of WANTED is not named; who opens exported files says so of them.
    """
    if not values[key]:
        # A ModelArts job fetches it later.
        if key in WANTED and not values.get("enable_modelarts"):
            raise UserError(f"which {WANTED[key]} (--help lists all flags)")
        return None
    record, where = read_record(values[key])
    taken = {}
    for key, row in settings.items():
        if key in record["options"] and key not in given:
            value = record["options"][key]
            if not isinstance(row[0], list):
                try:
                    value = converted(key, value, *row)
                except UserError as error:
                    raise UserError(f"{where}: {error}") from None
            values[key] = taken[key] = value
    if taken:
        told = ", ".join(f"{key} {value}" for key, value in taken.items())
        print(f"from {printable(str(where))}: {told}", flush=True)
    return record["class_names"]
