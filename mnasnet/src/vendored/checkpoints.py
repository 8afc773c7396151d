# Copied from utils/vendored/checkpoints.py by `make vendor`: change it there.
"""Checkpoints: loaded strictly, written whole, pruned, found again."""

import contextlib
import difflib
import os
import re
from pathlib import Path

import mindspore as ms

from .files import make_folder, replacing
from .launch import UserError
from .record import ENTRY, to_parameter

# What training adds to a checkpoint: `moments.<name>`, and scalars such as `global_step`.
TRAINING_ENTRY = re.compile(
    r"(moments?|mean_square|mean_gradient|accum|stat)\.|(global_step|momentum|learning_rate.*|"
    rf"epoch_num|step_num|scale_sense|current_iterator_step|last_overflow_iterator_step|{ENTRY})$"
)
OTHER_FORMATS = {
    b"PK\x03\x04": "PyTorch's (.pth) or a zip file; utils/convert turns weights into checkpoints",
    b"\x80": "a Python pickle (.pth); utils/convert turns weights into checkpoints",
    b"\x89HDF": "an HDF5 file (Keras)",
}


def read_checkpoint(path):
    """{name: Parameter} of the checkpoint file `path`.

    Raises UserError if it is missing, empty, damaged (by its checksum, if it has one), of another
    format, not readable, or too large for the free memory.
    """
    _check_file(path)
    try:
        return ms.load_checkpoint(str(path), crc_check=True)
    except (ValueError, TypeError, RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or "memory" in str(error):
            raise UserError(
                f"{path}: too little free memory to load it ({os.path.getsize(path)} bytes); end"
                " other programs and try again"
            ) from None
        raise UserError(f"{path}: not a whole checkpoint file; copy it, or train, again") from None


def _check_file(path):
    if os.path.isdir(path):
        raise UserError(f"{path}: a folder, not a checkpoint file; give one of the files in it")
    if not os.path.isfile(path):
        raise UserError(
            f"{path or 'the checkpoint'}: no such checkpoint file; give the path of one that"
            " training saved"
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


def load_weights(network, path, head=(), values=None):
    """Load the checkpoint `path` into `network`: every name and shape must fit.

    Entries of training and the record are ignored. `head`: names of the classifier's parameters,
    skipped where the checkpoint has another class count. `values`: the content, if it is read
    already. Returns the list of names skipped. Raises UserError naming what does not fit and the
    nearest names, and weights that are no finite numbers.
    """
    values = read_checkpoint(path) if values is None else values
    values = {name: value for name, value in values.items() if not TRAINING_ENTRY.match(name)}
    wanted = {parameter.name: parameter for parameter in network.get_parameters()}
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
            if not ms.ops.isfinite(values[name].astype(ms.float32)).all():
                raise UserError(f"{path}: '{name}' holds NaN or infinite numbers; train again")
            parameter.set_data(values[name])
    return skipped


def check_names(path, values, wanted):
    """Raise UserError where the names of the checkpoint's `values` are not the `wanted` ones."""
    for name in [*wanted, *values]:
        if name not in values or name not in wanted:
            side, other = ("checkpoint", values) if name in wanted else ("network", wanted)
            nearest = difflib.get_close_matches(name, other, n=2, cutoff=0.0)
            raise UserError(
                f"{path}: the {side} has no '{name}' (nearest: {', '.join(nearest) or 'none'});"
                " is it a checkpoint of this network?"
            )


def load_pre_trained(network, path, head):
    """Start `network` from the checkpoint `path`, printing what of it was not loaded."""
    skipped = load_weights(network, path, head)
    print(f"loaded {path}; not loaded: {', '.join(skipped) or 'nothing'}", flush=True)


def saved_checkpoints(directory, prefix):
    """The checkpoints `<prefix>-<epoch>_<steps>.ckpt` in `directory`, in order of epoch."""
    named = re.compile(re.escape(prefix) + r"-(\d+)_\d+\.ckpt$")
    found = [path for path in Path(directory).glob("*.ckpt") if named.match(path.name)]
    return sorted(found, key=lambda path: int(named.match(path.name).group(1)))


def save_checkpoint(network, path, record):
    """Write `network` (weights, and optimiser where it has one) and `record` to `path`, whole."""
    # A full disk ends in our own line; MindSpore would log one of its own besides.
    with replacing(path) as beside, _quiet_log():
        ms.save_checkpoint(
            network,
            str(beside),
            append_dict={ENTRY: ms.Tensor(to_parameter(record))},
            crc_check=True,
        )


@contextlib.contextmanager
def _quiet_log():
    logger = ms.log._get_logger()
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


class SaveCheckpoint(ms.train.Callback):
    """Write `<prefix>-<epoch>_<steps>.ckpt` each `every` epochs and at the end; keep `keep`.

    The files hold weights, optimiser and `record`.
    """

    def __init__(self, directory, prefix, every, keep, record):
        super().__init__()
        self.directory, self.prefix, self.every, self.keep = directory, prefix, every, keep
        self.record = record
        make_folder(directory)

    def on_train_epoch_end(self, run_context):
        if run_context.original_args().cur_epoch_num % self.every == 0:
            self.on_train_end(run_context)

    def on_train_end(self, run_context):
        done = run_context.original_args()
        name = f"{self.prefix}-{done.cur_epoch_num}_{done.batch_num}.ckpt"
        save_checkpoint(done.train_network, Path(self.directory, name), self.record)
        written = sorted(saved_checkpoints(self.directory, self.prefix), key=os.path.getmtime)
        for path in written[: -self.keep]:
            path.unlink()

    def save_best(self, network, scores):
        """Write `network` as the best so far, with the `scores` {name: number} that say so."""
        record = {**self.record, "accuracy": {name: float(scores[name]) for name in scores}}
        save_checkpoint(network, Path(self.directory, f"{self.prefix}-best.ckpt"), record)
