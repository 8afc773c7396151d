# Copied from utils/vendored/cpu_operators.py by `make vendor`: change it there.
"""Networks on the kernels of cpu_kernels, where these have been built."""

from __future__ import annotations

from collections import Counter

import mindspore as ms
from mindspore import nn, ops

from .cpu_cells import (
    Convolution,
    ConvolutionNorm,
    MaxPool,
    NoNorm,
    Norm,
    TrainingNorm,
    has_onednn,
)
from .cpu_kernels import has_bfloat16, library
from .launch import UserError


def use_cpu_kernels(
    network: nn.Cell, bfloat16: bool = False, only_predicts: bool = False
) -> nn.Cell:
    """`network` itself, its convolutions, maximum pools and batch norms, and a ReLU or ReLU6 that
    follows a norm, computed by the kernels; as it is on other devices, in PyNative mode, and where
    the kernels have not been built.

    What follows what is seen in a SequentialCell, and said by other cells in IN_A_ROW: tuples of
    names of attributes that `construct` calls one on the result of the other, and nowhere else.
    A cell with kernels for the whole of it has a method predict_by(path of the library).

    Parameters keep their names and values, results are the same but for rounding. To be called
    after to_float and before the network is; not for what is exported, in which only MindSpore's
    operators may be. With `bfloat16`, convolutions that train multiply in it (require_bfloat16).
    With `only_predicts`, a norm that follows a convolution is computed with it; then the network
    has no gradients, and one mode.
    """
    kernels = library()
    # In PyNative mode, MindSpore 2.10 gives an ops.Custom the shapes that another had for the same
    # inputs, whatever its own function says: convolutions at other strides came out wrong.
    is_compiled = ms.get_context("mode") != ms.PYNATIVE_MODE
    if ms.get_context("device_target") != "CPU" or not is_compiled or not kernels.is_file():
        return network
    path = str(kernels)
    cells = [cell for _, cell in network.cells_and_names()]
    activations = _take_activations(cells)
    if only_predicts:
        for cell in cells:
            if hasattr(cell, "predict_by") and has_onednn() and not _has_own_type(cell):
                cell.predict_by(path)
        _take_norms(cells, activations, path)
    for cell in cells:
        if isinstance(cell, (Convolution, MaxPool, Norm, NoNorm)) or _has_own_type(cell):
            continue
        for name, own in list(vars(cell).items()):
            if isinstance(own, ops.Conv2D):
                setattr(cell, name, Convolution(own, path, bfloat16))
            elif isinstance(own, ops.MaxPool) and own.format == "NCHW":
                setattr(cell, name, MaxPool(own, path))
            elif isinstance(own, ops.BatchNorm):
                kind = TrainingNorm if own.is_training else Norm
                setattr(cell, name, kind(own, path, activations.get(cell, nn.Identity())))
    return network


def _take_activations(cells):
    """{a BatchNorm2d, or a cell with an ops.BatchNorm in a row: the ReLU or ReLU6 that followed it,
    and is the norm's kernel's from now on}
    """
    found = {}
    for owner, name, norm, activation, _ in _neighbours(cells):
        if isinstance(norm, ops.BatchNorm):
            norm = owner
        elif not _is_plain_norm(norm):
            continue
        if type(activation) in (nn.ReLU, nn.ReLU6):
            found[norm] = activation
            _replace(owner, name, nn.Identity())
    return found


def _take_norms(cells, activations, path):
    """Have a convolution do what the norm after it did, with its activation."""
    for _, _, convolution, norm, uses in _neighbours(cells):
        is_plain = type(convolution) is nn.Conv2d and isinstance(convolution.conv2d, ops.Conv2D)
        is_own = uses == 1 and _is_plain_norm(norm) and not norm.use_batch_statistics
        if is_plain and not convolution.has_bias and is_own:
            activation = activations.get(norm, nn.Identity())
            both = ConvolutionNorm(convolution.conv2d, path, Norm(norm.bn_infer, path, activation))
            convolution.conv2d = both
            both.use_parameters(norm)
            norm.bn_infer = norm.bn_train = NoNorm()


def _neighbours(cells):
    """(cell, name or place of the second in it, the first, the second, how often that is used) for
    those in a row of which the first is used once.
    """
    uses = Counter(child for cell in cells for child in cell.cells())
    for cell in cells:
        declared = getattr(cell, "IN_A_ROW", ())
        rows = [[(name, getattr(cell, name)) for name in names] for names in declared]
        if type(cell).construct is nn.SequentialCell.construct:
            rows.append(list(enumerate(cell)))
        for row in rows:
            for (_, first), (name, second) in zip(row, row[1:]):
                holder = first if isinstance(first, nn.Cell) else cell
                if uses[first] <= 1 and not _has_own_type(holder):
                    yield cell, name, first, second, uses[second]


def _replace(cell, name, other):
    if isinstance(name, int):
        cell[name] = other
    else:
        setattr(cell, name, other)


def _is_plain_norm(cell):
    return type(cell) is nn.BatchNorm2d and isinstance(cell.bn_infer, ops.BatchNorm)


def require_bfloat16() -> None:
    """Raise UserError where convolutions cannot multiply in bfloat16."""
    if ms.get_context("device_target") != "CPU":
        raise UserError("--cpu_bfloat16 is for --device_target CPU; leave it out")
    if not has_bfloat16() or not has_onednn():
        raise UserError("this processor does not multiply in bfloat16; leave --cpu_bfloat16 out")
    if not library().is_file():
        raise UserError(
            "--cpu_bfloat16 wants the CPU kernels; in the model folder: python -m"
            " src.vendored.cpu_kernels"
        )


def _has_own_type(cell):
    """Whether to_float chose one: then MindSpore casts the inputs of its operators in `cell`."""
    return any(cell.get_flags().get(name) for name in ("fp16", "bf16", "fp32"))
