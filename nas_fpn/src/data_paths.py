"""Where the data of a run lie, and whether they are there: without MindSpore."""

from __future__ import annotations

import os
from types import SimpleNamespace

from src.vendored.launch import UserError

TRAINING = "retinanet.mindrecord"  # documented prefix


def annotation_path(config: SimpleNamespace, is_training: bool) -> str:
    """Path of the annotation file of the training or the validation images."""
    split = config.train_data_type if is_training else config.val_data_type
    return os.path.join(config.coco_root, config.instances_set.replace("{}", split))


def training_records(config: SimpleNamespace) -> str:
    """The first of the MindRecord files that train.py reads."""
    return os.path.join(config.mindrecord_dir, f"{TRAINING}0")


def require_records(path: str) -> None:
    """Raise UserError where there is no MindRecord file `path`."""
    if not os.path.isfile(path):
        raise UserError(f"{path}: no such MindRecord file; create_data.py writes it")


def require_annotations(path: str) -> None:
    """Raise UserError where there is no annotation file `path` that can be read."""
    options = "see --coco_root, --instances_set and --anno_path"
    try:
        open(path, "rb").close()
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path or '--anno_path'}: no such annotation file; {options}") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder, not an annotation file; {options}") from None
    except OSError as error:
        raise UserError(f"{path}: this annotation file cannot be read: {error.strerror}") from None
