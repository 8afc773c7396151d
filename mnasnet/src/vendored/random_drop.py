# Copied from utils/vendored/random_drop.py by `make vendor`: change it there.
"""Dropout and stochastic depth whose draws follow from (seed, rank, place, batch) alone, so that a
resumed run draws what an uninterrupted one would; MindSpore's operators draw from generators that
begin anew in each process.
"""

from __future__ import annotations

import itertools

import mindspore as ms
import numpy as np
from mindspore import nn, ops

BITS = 24  # of a draw, which is a whole number below 2 ** BITS
numbers = itertools.count()  # of the cells made; names of parameters have to differ


class RandomDrop(nn.Cell):
    """Features (N, ...), each set to 0 with `probability` in training, the others divided by what
    is left of 1 (arXiv:1207.0580); the same features otherwise.

    `whole_images` drops all features of an image together: put after a residual branch, that is
    stochastic depth (arXiv:1603.09382). `place_drops` says where the draws begin.
    """

    def __init__(self, probability: float = 0.0, whole_images: bool = False):
        super().__init__()
        self.probability, self.whole_images = probability, whole_images
        self.key = 0
        # Batches so far. Hidden from nn.Cell: a checkpoint has the weights' names alone, and says
        # how far the run was.
        zero = ms.Tensor(0, ms.int32)
        batches = ms.Parameter(zero, name=f"drop_batches_{next(numbers)}", requires_grad=False)
        object.__setattr__(self, "batches", batches)

    def construct(self, x):
        if not self.training or self.probability == 0:
            return x
        batch = ops.assign_add(self.batches, 1)
        shape = (x.shape[0],) + (1,) * (x.ndim - 1) if self.whole_images else x.shape
        first = scrambled(batch * word(0x9E3779B9) + word(self.key))
        drawn = ops.bitwise_and(scrambled(first + up_to(shape)), word(2**BITS - 1))
        kept = drawn >= word(round(self.probability * 2**BITS))
        share = kept.astype(x.dtype) / (1 - self.probability)
        return x * ops.stop_gradient(share)


@ops.constexpr
def word(value: int) -> ms.Tensor:
    """int32 () with the low 32 bits of `value`."""
    return ms.Tensor(np.array(value % 2**32, np.uint32).astype(np.int32))


@ops.constexpr
def up_to(shape: tuple) -> ms.Tensor:
    """int32 of `shape`: 0, 1, 2 ..."""
    return ms.Tensor(np.arange(np.prod(shape), dtype=np.int32).reshape(shape))


def scrambled(x: ms.Tensor) -> ms.Tensor:
    """int32 to int32 of the same shape, one to one, each bit hanging on all: the end of MurmurHash3
    (Austin Appleby, public domain), whose arithmetic wraps.
    """
    x = _folded(x, 16) * word(0x85EBCA6B)
    x = _folded(x, 13) * word(0xC2B2AE35)
    return _folded(x, 16)


def _folded(x, bits):
    """x ^ (x >> bits), of words without sign."""
    low = ops.bitwise_and(ops.bitwise_right_shift(x, word(bits)), word(2 ** (32 - bits) - 1))
    return ops.bitwise_xor(x, low)


def set_drop_path(network: nn.Cell, largest: float) -> None:
    """Give the residual branches of `network` their probabilities: l / L times `largest` to the
    l-th of L, in the order in which they were made (arXiv:1603.09382, section 3, with 1 - p_L for
    `largest`).
    """
    branches = [drop for drop in _drops(network) if drop.whole_images]
    for number, drop in enumerate(branches, 1):
        drop.probability = largest * number / len(branches)


def place_drops(network: nn.Cell, seed: int, rank: int, done: int) -> None:
    """Let `network`, not compiled yet, draw what follows `done` batches of training in the process
    `rank`.
    """
    for place, drop in enumerate(_drops(network)):
        drop.key = int(np.random.SeedSequence([seed, rank, place]).generate_state(1)[0])
        drop.batches.set_data(ms.Tensor(done, ms.int32))


def _drops(network):
    return [cell for _, cell in network.cells_and_names() if isinstance(cell, RandomDrop)]
