# Copied from utils/vendored/accuracy.py by `make vendor`: change it there.
"""Accuracy as counts: right answers and images, added over batches and over the ranks of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .image_source import refuse_undecodable
from .launch import UserError
from .ranks import add_over_ranks

if TYPE_CHECKING:
    import mindspore.dataset as ds
    from mindspore import nn

    from .images import ImageTree
    from .report import Judgements

TOP = 5


class Counts(NamedTuple):
    """`top1` and `top5` right answers among `images`, and the sum of their losses.

    With fewer than 5 classes top5 counts them all. `per_second` leaves out the first batch, in
    which a graph is compiled, unless there is no other.
    """

    top1: int
    top5: int
    images: int
    loss: float = 0.0
    per_second: float = 0.0

    def accuracies(self) -> tuple[float, float]:
        """(top-1, top-5) accuracy, 0 to 1."""
        return self.top1 / self.images, self.top5 / self.images


def count_correct(
    predict: Callable[[np.ndarray], np.ndarray],
    dataset: ds.Dataset,
    batch_size: int | None = None,
    losses: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    paths: Sequence[str] = (),
    judgements: Judgements | None = None,
) -> Counts:
    """Counts of `predict` over the batches of `dataset`: images (N, 3, H, W), labels (N,).

    `predict` maps float32 images to logits, both NumPy; with a `batch_size` smaller batches are
    filled up with zeros, whose logits are dropped. `losses` maps logits and labels to losses (N,).
    `paths` are those of the images, in order, to name one; `judgements` (see report) gets each
    image's. Raises UserError where logits are not
    finite, are fewer than a label needs, and for images that cannot be decoded.
    """
    top1 = top5 = images = 0
    loss, first, started = 0.0, None, time.perf_counter()
    batches = dataset.create_tuple_iterator(num_epochs=1, output_numpy=True)
    try:
        for batch, labels in batches:
            logits = _padded(predict, batch, batch_size)
            _check_logits(logits, labels, paths[images : images + len(labels)])
            hits = top_hits(logits, labels)
            top1, top5 = top1 + int(hits[:, 0].sum()), top5 + int(hits.sum())
            loss += float(losses(logits, labels).sum()) if losses else 0.0
            images += len(labels)
            if judgements:
                judgements.add(logits, labels)
            first = first or (time.perf_counter(), len(labels))
    except RuntimeError as error:
        refuse_undecodable(dataset, error)
        raise
    since, uncounted = first if images > first[1] else (started, 0)
    per_second = (images - uncounted) / (time.perf_counter() - since)
    return Counts(top1, top5, images, loss, per_second)


def _padded(predict, images, batch_size):
    if batch_size is None or len(images) == batch_size:
        return predict(images)
    filled = np.zeros((batch_size, *images.shape[1:]), np.float32)
    filled[: len(images)] = images
    return predict(filled)[: len(images)]


def _check_logits(logits, labels, paths):
    finite = np.isfinite(logits).all(axis=tuple(range(1, logits.ndim)))
    if not finite.all():
        name = paths[int(finite.argmin())] if len(paths) else "an image"
        raise UserError(
            f"{name}: the outputs for it are not finite numbers; check the model's weights"
        )
    if logits.ndim != 2 or labels.max(initial=0) >= logits.shape[1]:
        raise UserError(
            f"the model's outputs have the shape {logits.shape}, too few for class"
            f" {labels.max(initial=0)}; is it a model of these classes?"
        )


def top_hits(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """bool (N, up to 5): whether the label is the best of `logits` (N, C), the second, ..."""
    return np.argsort(-logits, axis=1, kind="stable")[:, :TOP] == labels[:, None]


def network_predict(network: nn.Cell, trains: bool = False) -> Callable[[np.ndarray], np.ndarray]:
    """`predict` for count_correct from a Cell, which trains besides or does nothing else."""
    import mindspore as ms

    from .cpu_operators import use_cpu_kernels

    use_cpu_kernels(network, only_predicts=not trains)
    return lambda images: network(ms.Tensor(images)).astype(ms.float32).asnumpy()


def evaluate_while_training(
    network: nn.Cell, held_out: tuple[ds.Dataset, ImageTree], batch_size: int, ranks: int
) -> Callable[[], dict[str, float]]:
    """A function that gives {"top1": , "top5": }, 0 to 1, of `network` on `held_out`, this rank's
    (batches, ImageTree), shared over `ranks`.
    """
    dataset, tree = held_out

    def evaluate():
        network.set_train(False)
        counts = count_correct(
            network_predict(network, True), dataset, batch_size, paths=tree.paths
        )
        network.set_train(True)
        top1, top5 = sum_over_ranks(counts, ranks).accuracies()
        return {"top1": top1, "top5": top5}

    return evaluate


def sum_over_ranks(counts: Counts, ranks: int) -> Counts:
    """`counts` summed over the processes of a distributed run."""
    if ranks == 1:
        return counts
    # Float32 holds whole numbers up to 2 ** 24 only.
    parts = [value % 4096 for value in counts[:3]] + [value // 4096 for value in counts[:3]]
    total = add_over_ranks([*parts, counts.loss, counts.per_second])
    whole = [int(low) + 4096 * int(high) for low, high in zip(total[:3], total[3:6])]
    return Counts(*whole, float(total[6]), float(total[7]))


def smoothed_losses(smooth_factor: float) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function from logits (N, C) and labels (N,) to smoothed cross entropies (N,), float64.

    The target is 1 - smooth_factor for the label's class, smooth_factor / (C - 1) for the others.
    """

    def losses(logits, labels):
        logits = logits.astype(np.float64)
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_probability = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        right = log_probability[np.arange(len(labels)), labels]
        others = log_probability.sum(axis=1) - right
        return -(1 - smooth_factor) * right - smooth_factor / (logits.shape[1] - 1) * others

    return losses
