# Copied from utils/vendored/resume.py by `make vendor`: change it there.
"""Where an interrupted run goes on: its checkpoint, loaded, and how far that is."""

import json
import math
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import mindspore as ms
import numpy as np

from .checkpoints import (
    PROGRESS,
    DamagedCheckpoint,
    as_trained,
    load_weights,
    read_checkpoint,
    saved_checkpoints,
)
from .earlier import finish_putting_aside, left_behind, put_aside
from .files import make_folder, remove_unfinished, replacing
from .launch import UserError, printable
from .loading import load_file
from .ranks import add_over_ranks

BOARD = "tensorboard"  # folder of TensorBoard's files beside the checkpoints


class Start(NamedTuple):
    """Where a run starts: after `epochs` epochs and `steps` of the next one, whose losses have the
    sum `loss_sum`; from the checkpoint `path`, '' where it is a new one.
    """

    epochs: int = 0
    steps: int = 0
    loss_sum: float = 0.0
    path: str = ""


def resume_training(
    resume: str,
    directory: str,
    prefix: str,
    network: ms.nn.Cell,
    optimizer: ms.nn.Optimizer,
    run: dict[str, int],
) -> Start:
    """Load weights and optimiser from the checkpoint `resume`; 'auto': the newest whole one in
    `directory`, if there is one; '': none. Returns the Start.

    `run` are the steps_per_epoch and other numbers (a dict) that decide the data of this run; what
    of them has changed is printed. From weights alone a new run starts. Raises UserError where the
    checkpoint does not fit.
    """
    path, values = _newest(directory, prefix, network) if resume == "auto" else (resume, None)
    if not path:
        return Start()
    values = as_trained(read_checkpoint(path) if values is None else values)
    load_weights(network, path, values=values)
    state = [p for p in optimizer.get_parameters() if not p.name.startswith("learning_rate")]
    absent = [parameter.name for parameter in state if parameter.name not in values]
    weights = {parameter.name for parameter in network.get_parameters()}
    if PROGRESS not in values and {parameter.name for parameter in state} <= {*absent, *weights}:
        print(f"{printable(str(path))}: holds weights alone; start at epoch 0", flush=True)
        return Start()
    if absent:
        raise UserError(
            f"{path}: no optimiser entry '{absent[0]}', so nothing to resume; load it with"
            " --pre_trained"
        )
    start = _start(path, values, run)
    for parameter in state:  # One by one: load_param_into_net would put `moments.X` into X.
        parameter.set_data(values[parameter.name])
    done = start.epochs * run["steps_per_epoch"] + start.steps
    set_steps(optimizer, done // run.get("accumulate_steps", 1))
    steps = f" and {start.steps} steps" if start.steps else ""
    print(f"resume after epoch {start.epochs}{steps}: {printable(str(path))}", flush=True)
    return start


def require_same_start(step: int, rank: int, ranks: int) -> None:
    """Raise UserError where another of the `ranks` processes does not go on after `step` steps.

    Each server has checkpoints of its own, and a kill may fall between two of them.
    """
    parts = [step % 4096, step // 4096]  # float32 holds whole numbers up to 2 ** 24 only
    if add_over_ranks(parts).tolist() != [ranks * part for part in parts]:
        raise UserError(
            f"process {rank} goes on after step {step}, another one does not; give all servers"
            " checkpoints of the same step, and --resume FILE"
        )


def set_steps(optimizer: ms.nn.Optimizer, steps: int) -> None:
    """Let the learning rate be that after `steps` steps."""
    filled = np.full(optimizer.global_step.shape, steps, np.int32)
    optimizer.global_step.set_data(ms.Tensor(filled))


def prepare_folder(
    directory: str, prefix: str, start: Start, exports: tuple[str, ...] = ()
) -> None:
    """Leave in `directory` what belongs to the run that goes on from `start`, and put the rest
    aside: all of an earlier run, its `exports` too, or what a run wrote later than `start`.
    """
    remove_unfinished(make_folder(directory))
    finish_putting_aside(directory)
    saved = saved_checkpoints(directory, prefix)
    if start.path and os.path.realpath(os.path.dirname(start.path)) == os.path.realpath(directory):
        later = [path.name for at, path in saved if at > _place(start, saved)]
        best = Path(directory, f"{prefix}-best.ckpt")
        if later and best.exists() and _is_later(best, start):
            later.append(best.name)
        put_aside(directory, later)
        return
    names = [path.name for path in Path(directory).glob(f"{prefix}-*.ckpt")]
    put_aside(directory, [*names, *exports, "metrics.csv", "curves.png", "config.yaml", BOARD])
    if start.path:  # From elsewhere: `auto` must find it, until there is a checkpoint of our own.
        for source in (Path(start.path), Path(start.path).parent / "metrics.csv"):
            if source.exists():
                with replacing(Path(directory, source.name)) as beside:
                    shutil.copyfile(source, beside)


def _newest(directory, prefix, network):
    """(path, values) of the newest checkpoint in `directory` that is whole; ('', None): none is."""
    # Asked first: meanwhile another rank may move them.
    gone = left_behind(directory)
    for _, path in reversed(saved_checkpoints(directory, prefix)):
        if path.name not in gone:
            try:
                return str(path), _read_whole(path, network)
            except UserError as error:
                if path.exists() and not isinstance(error, DamagedCheckpoint):
                    raise
                print(f"passed over: {printable(str(error))}", flush=True)
    return "", None


def _read_whole(path, network):
    values = read_checkpoint(path)
    names = {parameter.name for parameter in network.get_parameters()}
    if not names <= set(values):
        with open(path, "rb") as file:
            file.seek(-min(17, path.stat().st_size), os.SEEK_END)
            has_checksum = file.read().startswith(b"crc_num")
        if not has_checksum:  # Cut between two entries, it can be read nevertheless.
            raise DamagedCheckpoint(f"{path}: not a whole checkpoint file")
    return values


def _start(path, values, run):
    steps_per_epoch = run["steps_per_epoch"]
    if PROGRESS not in values:  # Of other programs, and of ours before they said more.
        epochs, rest = divmod(int(values["global_step"].asnumpy().item()), steps_per_epoch)
        if rest:
            raise UserError(
                f"{path}: {epochs * steps_per_epoch + rest} steps are not whole epochs of"
                f" {steps_per_epoch}; same data, same batch?"
            )
        return Start(epochs, path=path)
    before = json.loads(values[PROGRESS].asnumpy().tobytes())
    changed = [
        f"{key} {before[key]} before, {value} now"
        for key, value in run.items()
        if key in before and before[key] != value
    ]
    if changed and before["steps"]:
        raise UserError(
            f"{path}: saved within an epoch, which cannot go on with {'; '.join(changed)}: set them"
            " as they were, or resume from the end of an epoch"
        )
    if changed:
        print(f"note: the data are others than before: {'; '.join(changed)}", flush=True)
    return Start(before["epochs"], before["steps"], before["loss_sum"], path)


def _place(start, saved):
    """The place of `start` among the `saved` checkpoints, as their names have it; after its epoch,
    if it has another name.
    """
    named = {path.name: at for at, path in saved}
    return named.get(Path(start.path).name, (start.epochs, math.inf))


def _is_later(best, start):
    try:
        values = load_file(best, choice_func=lambda name: name == PROGRESS)
    except Exception:  # Of other programs: it stays.
        return False
    return json.loads(values[PROGRESS].asnumpy().tobytes())["epochs"] > start.epochs
