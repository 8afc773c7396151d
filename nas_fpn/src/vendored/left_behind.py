# Copied from utils/vendored/left_behind.py by `make vendor`: change it there.
"""What an export and a training run have left in the current folder, for a script called alone."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from .flags import early_value
from .launch import UserError, printable
from .listing import files_called
from .settings_file import read_yaml

DEPTHS = ("config.yaml", "*/config.yaml", "*/*/config.yaml")  # where a run's settings lie


def left_behind(
    model: Sequence[str], data: Sequence[str], evaluation_data: Callable[[dict], dict]
) -> dict:
    """{key: value}, to be defaults: the newest ONNX file of the current folder, and the evaluation
    data of the newest run in it; prints what was taken.

    `model` and `data` are the names of the flags for these: what one of them gives is not looked
    for, nor data where a yaml file is given (--config_path). The first of `model` is the key.
    `evaluation_data` maps the settings of a run, a dict, to {key: value}.
    """
    taken = {}
    if not early_value(model, ""):
        found = _newest(files_called(".", ".onnx"))
        if found:
            print(f"the newest exported file here: {printable(str(found[0]))}", flush=True)
            taken[model[0]] = str(found[0])
    if not early_value([*data, "config_path"], ""):
        taken |= _data_of_newest_run(evaluation_data)
    return taken


def _data_of_newest_run(evaluation_data):
    for path in _newest(path for depth in DEPTHS for path in Path().glob(depth)):
        try:
            found = evaluation_data(read_yaml(path)[0])
        except KeyError:  # Settings of something else.
            continue
        except UserError as error:
            raise UserError(f"{path}, the newest run here: {error}") from None
        told = ", ".join(f"{key} {value}" for key, value in found.items())
        print(f"from the newest run here, {printable(str(path))}: {printable(told)}", flush=True)
        return found
    return {}


def _newest(paths):
    return sorted(filter(os.path.isfile, paths), key=os.path.getmtime, reverse=True)
