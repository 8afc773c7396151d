# Copied from utils/vendored/checkpoint.py by `make vendor`: change it there.
"""Checkpoints and exported models: loaded strictly, written whole, resumed exactly."""

import difflib
import os
import re
import tempfile
from pathlib import Path

import mindspore as ms
import mindspore.dataset as ds
import numpy as np
from mindspore.train import Callback

from .launch import UserError
from .records import write_whole

# What training adds to a checkpoint: `moments.<name>`, and scalars such as `global_step`.
TRAINING_ENTRY = re.compile(
    r"(moments?|mean_square|mean_gradient|accum|stat)\.|(global_step|momentum|learning_rate.*|"
    r"epoch_num|step_num|scale_sense|current_iterator_step|last_overflow_iterator_step)$"
)


def read_checkpoint(path):
    """{name: Parameter} of the checkpoint file `path`.

    Raises UserError if it is missing, empty or damaged.
    """
    if not os.path.isfile(path):
        raise UserError(
            f"{path}: no such checkpoint file; give the path of one that training saved"
        )
    try:
        return ms.load_checkpoint(str(path))
    except (ValueError, TypeError, RuntimeError):
        raise UserError(f"{path}: not a whole checkpoint file; copy it, or train, again") from None


def load_weights(network, path, head=()):
    """Load the checkpoint `path` into `network`: every name and shape must fit; optimiser entries
    are ignored.

    `head`: names of the classifier's parameters, skipped where the checkpoint has another class
    count. Returns the list of names skipped. Raises UserError naming what does not fit and the
    nearest names.
    """
    values = {
        name: value
        for name, value in read_checkpoint(path).items()
        if not TRAINING_ENTRY.match(name)
    }
    wanted = {parameter.name: parameter for parameter in network.get_parameters()}
    for name in [*wanted, *values]:
        if name not in values or name not in wanted:
            side, other = ("checkpoint", values) if name in wanted else ("network", wanted)
            nearest = difflib.get_close_matches(name, other, n=2, cutoff=0.0)
            raise UserError(
                f"{path}: the {side} has no '{name}' (nearest: {', '.join(nearest) or 'none'}); "
                "is it a checkpoint of this network?"
            )
    skipped = [name for name in wanted if values[name].shape != wanted[name].shape and name in head]
    for name, parameter in wanted.items():
        if values[name].shape != parameter.shape and name not in skipped:
            raise UserError(
                f"{path}: '{name}' has shape {values[name].shape}, the network wants"
                f" {parameter.shape}; set the class count and the other network options to those it"
                " was trained with"
            )
        if name not in skipped:
            parameter.set_data(values[name])
    return skipped


class SaveCheckpoint(Callback):
    """Write `<prefix>-<epoch>_<steps>.ckpt`, weights and optimiser, each `every` epochs and at
    the end; keep `keep`.
    """

    def __init__(self, directory, prefix, every, keep):
        super().__init__()
        self.directory, self.prefix, self.every, self.keep = Path(directory), prefix, every, keep
        self.directory.mkdir(parents=True, exist_ok=True)

    def on_train_epoch_end(self, run_context):
        if run_context.original_args().cur_epoch_num % self.every == 0:
            self.on_train_end(run_context)

    def on_train_end(self, run_context):
        done = run_context.original_args()
        self.save(done.train_network, f"{self.prefix}-{done.cur_epoch_num}_{done.batch_num}.ckpt")
        for path in sorted(_checkpoints(self.directory, self.prefix), key=os.path.getmtime)[
            : -self.keep
        ]:
            path.unlink()

    def save(self, network, name):
        """Write `network` to `name`: beside it first, so that a crash leaves the old file or the
        new one.
        """
        beside = self.directory / f".{name}"
        try:
            ms.save_checkpoint(network, str(beside))
        except OSError as error:
            # MindSpore's own file beside, to free the disk.
            beside.with_suffix(".tmp").unlink(missing_ok=True)
            raise UserError(
                f"{self.directory / name}: {error.strerror}; earlier checkpoints are whole"
            ) from None
        beside.chmod(0o644)
        os.replace(beside, self.directory / name)


def _checkpoints(directory, prefix):
    named = re.compile(re.escape(prefix) + r"-(\d+)_\d+\.ckpt$")
    found = [path for path in Path(directory).glob("*.ckpt") if named.match(path.name)]
    return sorted(found, key=lambda path: int(named.match(path.name).group(1)))


def resume_training(resume, directory, prefix, network, optimizer, dataset):
    """Load weights and optimiser from the checkpoint `resume` ('auto': the newest in `directory`);
    skip its data.

    Returns the number of epochs done: 0 where `resume` is empty or 'auto' finds none. The schedule
    is the config's.
    """
    found = _checkpoints(directory, prefix)
    path = resume if resume != "auto" else str(found[-1]) if found else ""
    if not path:
        return 0
    load_weights(network, path)
    values, steps = read_checkpoint(path), dataset.get_dataset_size()
    state = [
        parameter
        for parameter in optimizer.get_parameters()
        if not parameter.name.startswith("learning_rate")
    ]
    absent = [parameter.name for parameter in state if parameter.name not in values]
    if absent:
        raise UserError(
            f"{path}: no optimiser entry '{absent[0]}', so nothing to resume; load it with"
            " --pre_trained"
        )
    done, rest = divmod(int(values["global_step"].asnumpy().item()), steps)
    if rest:
        raise UserError(
            f"{path}: {done * steps + rest} steps are not whole epochs of {steps}; same data, same"
            " batch?"
        )
    for parameter in state:  # One by one: load_param_into_net would put `moments.X` into X.
        parameter.set_data(values[parameter.name])
    # Run the pipeline through what was seen: the same draws follow.
    ds.config.set_fast_recovery(False)
    dataset.set_init_step(done * steps)
    print(
        f"resume after epoch {done}: {path} (the data pipeline first runs through what was seen)",
        flush=True,
    )
    return done


def export_model(network, inputs, file_name, file_format):
    """Write `network` for `inputs` (Tensors) as MINDIR, ONNX or AIR, run the file, and return
    (path, difference).

    The difference is the largest over the outputs, relative to the network's largest absolute value
    (None for AIR, which only Ascend runs). Beyond 1e-3 nothing is kept and UserError is raised.
    """
    if file_format == "AIR" and ms.get_context("device_target") != "Ascend":
        raise UserError("AIR is written on Ascend only; choose --file_format MINDIR or ONNX here")
    path = Path(f"{file_name}.{file_format.lower()}").absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    network.set_train(False)
    # MindSpore exports to no path with blanks or quotes in it.
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder, f"model{path.suffix}")
        ms.export(
            network, *inputs, file_name=str(exported.with_suffix("")), file_format=file_format
        )
        difference = None if file_format == "AIR" else _difference(network, inputs, exported)
        if difference is not None and not difference <= 1e-3:
            raise UserError(
                f"{path}: not written: what was exported differs from the network by"
                f" {difference:.1e}"
            )
        write_whole(path, exported.read_bytes())
    return path, difference


def _difference(network, inputs, path):
    inputs = [
        ms.Tensor(np.random.RandomState(1).randn(*tensor.shape).astype(np.float32))
        for tensor in inputs
    ]
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        got = session.run(
            None,
            {node.name: tensor.asnumpy() for node, tensor in zip(session.get_inputs(), inputs)},
        )
    else:
        got = _as_list(ms.nn.GraphCell(ms.load(str(path)))(*inputs))
    return max(
        float(np.abs(a - b).max() / (np.abs(b).max() + 1e-12))
        for a, b in zip(got, _as_list(network(*inputs)))
    )


def _as_list(outputs):
    return [output.asnumpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]
