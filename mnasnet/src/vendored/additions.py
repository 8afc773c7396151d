# Copied from utils/vendored/additions.py by `make vendor`: change it there.
"""What training does beside the optimiser where it is asked to: to gradients before a step, to
averages of the weights after it.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Collection, Iterator
from types import SimpleNamespace

import mindspore as ms
from mindspore import nn, ops

from .launch import UserError

AVERAGE = "ema"  # what names of averages begin with, while training


class Additions(nn.Optimizer):
    """`optimizer` after the means of `accumulate` gradients, cut to the norm `clip` (0: not), and
    before averages of `weights` with the decay `decay` (0: none).

    Clipping is by the norm of all gradients together (arXiv:1211.5063, section 3.2); the averages
    are a = decay a + (1 - decay) w after each step of the optimiser, and begin as the weights.
    Gradients come multiplied by the optimiser's loss scale.
    """

    def __init__(
        self,
        optimizer: nn.Optimizer,
        weights: list[ms.Parameter],
        accumulate: int = 1,
        clip: float = 0.0,
        decay: float = 0.0,
    ):
        nn.Cell.__init__(self, auto_prefix=False)  # Rates and decay are the optimiser's.
        self.optimizer, self.parameters = optimizer, optimizer.parameters
        self.loss_scale = optimizer.loss_scale
        self.accumulate, self.clip, self.share = accumulate, clip * optimizer.loss_scale, 1 - decay
        self.map = ops.HyperMap()
        if accumulate > 1:
            zero = ms.Tensor([0], ms.int32)
            self.count = ms.Parameter(zero, name="accumulated_steps", requires_grad=False)
            self.sums = self.parameters.clone("accumulated", "zeros")
        self.averaging = decay > 0
        if self.averaging:
            self.weights = ms.ParameterTuple(weights)
            self.averages = self.weights.clone(AVERAGE)

    @property
    def global_step(self) -> ms.Parameter:
        """int32 (1,): steps of the optimiser."""
        return self.optimizer.global_step

    def construct(self, gradients):
        if self.accumulate == 1:
            return self.update(gradients)
        self.map(_add, self.sums, gradients)
        ops.assign_add(self.count, 1)
        if self.count % self.accumulate == 0:
            self.update(self.map(ops.partial(_multiply, 1.0 / self.accumulate), self.sums))
            self.map(_clear, self.sums)
        return True

    def update(self, gradients: tuple[ms.Tensor, ...]) -> bool:
        """One step of the optimiser."""
        if self.clip > 0:
            gradients = ops.clip_by_global_norm(gradients, self.clip)
        self.optimizer(gradients)
        if self.averaging:
            self.map(ops.partial(_approach, self.share), self.averages, self.weights)
        return True


_add = ops.MultitypeFuncGraph("add")
_multiply = ops.MultitypeFuncGraph("multiply")
_clear = ops.MultitypeFuncGraph("clear")
_approach = ops.MultitypeFuncGraph("approach")


@_add.register("Tensor", "Tensor")
def _add_to(total, gradient):
    return ops.assign_add(total, gradient)


@_multiply.register("Number", "Tensor")
def _multiply_by(factor, total):
    return total * factor


@_clear.register("Tensor")
def _set_to_zero(total):
    return ops.assign(total, ops.zeros_like(total))


@_approach.register("Number", "Tensor", "Tensor")
def _approach_by(share, average, weight):
    return ops.assign(average, average + share * (weight - average))


def with_additions(
    optimizer: nn.Optimizer, network: nn.Cell, config: SimpleNamespace
) -> nn.Optimizer:
    """`optimizer` with what `config` asks for in accumulate_steps, clip_norm and ema_decay; itself
    where that is nothing.
    """
    additions = (config.accumulate_steps, config.clip_norm, config.ema_decay)
    if additions == (1, 0, 0):
        return optimizer
    return Additions(optimizer, list(network.get_parameters()), *additions)


@contextlib.contextmanager
def averaged_weights(optimizer: nn.Optimizer) -> Iterator[None]:
    """Within it the network has the averages of its weights, if `optimizer` takes any."""
    pairs = []
    if getattr(optimizer, "averaging", False):
        pairs = list(zip(optimizer.weights, optimizer.averages))
    _swap(pairs)
    try:
        yield
    finally:
        _swap(pairs)


def _swap(pairs):
    # Assigned in place: a parameter of a graph with branches does not follow `set_data`.
    for one, other in pairs:
        kept = ms.Tensor(one.asnumpy().copy())
        ops.assign(one, other)
        ops.assign(other, kept)


def of_averages(
    evaluate: Callable[[], dict[str, float]], optimizer: nn.Optimizer
) -> Callable[[], dict[str, float]]:
    """`evaluate`, of the averages of the weights if `optimizer` takes any."""

    def evaluate_averages():
        with averaged_weights(optimizer):
            return evaluate()

    return evaluate_averages


def freeze(network: nn.Cell, beginnings: str, start: str) -> None:
    """Keep the parameters of `network` as they are whose names begin with one of `beginnings`, a
    text with commas; the statistics of BatchNorm, too. `start` is where weights come from. Raises
    UserError where that is nowhere, and where no name begins so.
    """
    wanted = tuple(word.strip() for word in beginnings.split(",") if word.strip())
    if not wanted:
        return
    if not start:
        raise UserError(f"--freeze {beginnings} keeps random weights; give --pre_trained too")
    # A detector within its loss is called `network`, which nobody means.
    names = {p.name.removeprefix("network."): p for p in network.get_parameters()}
    for word in wanted:
        if not any(name.startswith(word) for name in names):
            nearest = difflib.get_close_matches(word, names, n=3, cutoff=0.0)
            raise UserError(
                f"freeze: no parameter's name begins with '{word}' (nearest: {', '.join(nearest)})"
            )
    frozen = {p.name for name, p in names.items() if name.startswith(wanted)}
    keep_parameters(network, frozen)
    if not network.trainable_params():
        raise UserError(f"freeze: '{beginnings}' leaves nothing to train")
    print(f"frozen: {len(frozen)} of {len(names)} parameters", flush=True)


def keep_parameters(network: nn.Cell, names: Collection[str]) -> None:
    """Leave the parameters called `names` out of training, statistics of BatchNorm too."""
    for parameter in network.get_parameters():
        if parameter.name in names:
            parameter.requires_grad = False
    for _, cell in network.cells_and_names():
        if isinstance(cell, nn.BatchNorm2d) and cell.moving_mean.name in names:
            cell.use_batch_statistics = False
