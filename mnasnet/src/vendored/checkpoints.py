# Copied from utils/vendored/checkpoints.py by `make vendor`: change it there.
"""Checkpoints: loaded strictly, written whole, pruned, found again."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
from collections.abc import Collection
from pathlib import Path

import mindspore as ms
import numpy as np

from .files import replacing
from .inputs import require_checkpoint
from .launch import UserError
from .loading import load_file
from .naming import AVERAGE, fit_names, take_averages
from .record import ENTRY, to_parameter

# What training adds to a checkpoint: `moments.<name>`, and scalars such as `global_step`.
PROGRESS = "progress"  # the entry that says how far training is
TRAINING_ENTRY = re.compile(
    r"(moments?|mean_square|mean_gradient|accum|stat|adam_[mv]|accumulated|trained|ema)\.|"
    r"(global_step|momentum|learning_rate.*|accumulated_steps|epoch_num|step_num|scale_sense|"
    r"current_iterator_step|last_overflow_iterator_step|"
    rf"{ENTRY}|{PROGRESS})$"
)
# Averages of weights, `ema.<name>` while training, have the weights' names in a checkpoint, as what
# is evaluated and exported; the weights that training goes on with are `trained.<name>` there.
TRAINED = "trained."


class DamagedCheckpoint(UserError):
    """A file that is not the whole of a checkpoint."""


def read_checkpoint(path: str | Path) -> dict[str, ms.Parameter]:
    """{name: Parameter} of the checkpoint file `path`.

    Raises UserError if it is missing, of another format, not readable, or too large for the free
    memory; DamagedCheckpoint if it is empty or damaged (by its checksum, if it has one).
    """
    require_checkpoint(path)
    try:
        return load_file(path, crc_check=True)
    except (ValueError, TypeError, RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or "memory" in str(error):
            raise UserError(
                f"{path}: too little free memory to load it ({os.path.getsize(path)} bytes); end"
                " other programs and try again"
            ) from None
        raise DamagedCheckpoint(
            f"{path}: not a whole checkpoint file; copy it, or train, again"
        ) from None


def read_weights(path: str | Path, ema: bool = False) -> dict[str, ms.Parameter]:
    """read_checkpoint(`path`) without what training adds; with `ema` its averages of the weights.

    A checkpoint of ours has them under the weights' names already.
    """
    values = read_checkpoint(path)
    if ema and not any(name.startswith(TRAINED) for name in values):
        values = take_averages(path, values)
    return _weights(values)


def _weights(values):
    return {name: value for name, value in values.items() if not TRAINING_ENTRY.match(name)}


def load_weights(
    network: ms.nn.Cell,
    path: str | Path,
    head: Collection[str] = (),
    values: dict[str, ms.Parameter] | None = None,
    ema: bool = False,
) -> list[str]:
    """Load the checkpoint `path` into `network`: every name and shape must fit.

    Entries of training and the record are ignored, and what programs put before all names. `head`:
    names of the classifier's parameters, skipped where the checkpoint has another class count.
    `values`: the content, if it is read already. `ema`: take the averages of the weights that the
    file holds beside them. Returns the list of names skipped. Raises UserError naming what does not
    fit and the nearest names, and weights that are no finite numbers.
    """
    values = read_weights(path, ema) if values is None else _weights(values)
    wanted = {parameter.name: parameter for parameter in network.get_parameters()}
    values = fit_names(path, values, wanted)
    check_names(path, values, wanted)
    skipped = [name for name in wanted if values[name].shape != wanted[name].shape and name in head]
    for name, parameter in wanted.items():
        if values[name].shape != parameter.shape and name not in skipped:
            raise UserError(
                f"{path}: '{name}' has shape {values[name].shape}, the network wants"
                f" {parameter.shape}; set the class count and the other network options to those"
                " it was trained with"
            )
    for name, parameter in wanted.items():
        if name not in skipped:
            if not _is_finite(values[name]):
                raise UserError(f"{path}: '{name}' holds NaN or infinite numbers; train again")
            parameter.set_data(values[name])
    return skipped


def _is_finite(value):
    # By NumPy, which takes a tenth of the time of MindSpore's own; it has no bfloat16.
    numbers = value.astype(ms.float32) if value.dtype == ms.bfloat16 else value
    return np.isfinite(numbers.asnumpy()).all()


def check_names(path: str | Path, values: dict, wanted: dict) -> None:
    """Raise UserError where the names of the checkpoint's `values` are not the `wanted` ones."""
    for name in [*wanted, *values]:
        if name not in values or name not in wanted:
            side, other = ("checkpoint", values) if name in wanted else ("network", wanted)
            nearest = difflib.get_close_matches(name, other, n=2, cutoff=0.0)
            raise UserError(
                f"{path}: the {side} has no '{name}' (nearest: {', '.join(nearest) or 'none'});"
                " is it a checkpoint of this network?"
            )


def load_pre_trained(
    network: ms.nn.Cell, path: str, head: Collection[str], ema: bool = False
) -> None:
    """Start `network` from the checkpoint `path`, printing what of it was not loaded; `ema` as in
    load_weights.
    """
    skipped = load_weights(network, path, head, ema=ema)
    print(f"loaded {path}; not loaded: {', '.join(skipped) or 'nothing'}", flush=True)


def saved_checkpoints(directory: str | Path, prefix: str) -> list[tuple[tuple[int, int], Path]]:
    """[((epoch, step), path)] of the checkpoints `<prefix>-<epoch>_<step>.ckpt` in `directory`, in
    order.
    """
    named = re.compile(re.escape(prefix) + r"-(\d+)_(\d+)\.ckpt$")
    found = [(named.match(path.name), path) for path in Path(directory).glob("*.ckpt")]
    return sorted((tuple(map(int, name.groups())), path) for name, path in found if name)


def save_checkpoint(
    network: ms.nn.Cell, path: str | Path, record: dict, progress: dict | None = None
) -> None:
    """Write `network` (weights, and optimiser where it has one), `record`, and how far training is
    (`progress`, a dict) to `path`, whole. Averages of weights take the place of the weights.
    """
    entries = {ENTRY: record} if progress is None else {ENTRY: record, PROGRESS: progress}
    entries = {name: ms.Tensor(to_parameter(entry)) for name, entry in entries.items()}
    # A full disk ends in our own line; MindSpore would log one of its own besides.
    with replacing(path) as beside, _quiet_log():
        content = _with_averages(network) if isinstance(network, ms.nn.Cell) else network
        ms.save_checkpoint(content, str(beside), append_dict=entries, crc_check=True)


def _with_averages(network):
    named = {parameter.name: parameter for parameter in network.get_parameters()}
    averaged = {name.removeprefix(AVERAGE) for name in named if name.startswith(AVERAGE)}
    if not averaged:
        return network
    names = {**{AVERAGE + name: name for name in averaged}, **{n: TRAINED + n for n in averaged}}
    return [{"name": names.get(name, name), "data": value} for name, value in named.items()]


def as_trained(values: dict[str, ms.Parameter]) -> dict[str, ms.Parameter]:
    """The `values` of a checkpoint, named as while training: weights are those it goes on with."""
    names = {name.removeprefix(TRAINED) for name in values if name.startswith(TRAINED)}
    swapped = {AVERAGE + name: values[name] for name in names}
    swapped |= {name: values[TRAINED + name] for name in names}
    return {**values, **swapped}


@contextlib.contextmanager
def _quiet_log():
    logger = ms.log._get_logger()
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
