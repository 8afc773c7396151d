# Copied from utils/vendored/epochs.py by `make vendor`: change it there.
"""Training data, epoch by epoch: what one brings hangs on the seed, its number and the rank, so
that a run goes on in the middle as if it had never ended.
"""

from collections.abc import Callable

import mindspore.dataset as ds
import numpy as np

from .image_source import refuse_undecodable

# Batches that wait in each of two pipelines in a row: together as many as usual in one.
WAITING = 8

Change = Callable[[tuple[np.ndarray, ...], np.random.Generator], tuple[np.ndarray, ...]]


class Epochs:
    """Iterated once, the batches of one epoch (tuples of arrays); iterated again, of the next.

    The order is drawn from (seed, epoch). `create(order)` gives a MindSpore pipeline of whole
    batches of the images numbered `order` (int64), in that order; what it draws itself is drawn
    anew from (seed, epoch, rank, first step), each epoch and after each checkpoint within.
    `change`, where it is set, makes another batch of each, and draws from (seed, epoch, rank,
    step).
    """

    def __init__(
        self,
        create: Callable[[np.ndarray], ds.Dataset],
        images: int,
        batch_size: int,
        seed: int,
        rank: int = 0,
        ranks: int = 1,
    ):
        self.create, self.images, self.batch_size = create, images, batch_size
        self.seed, self.rank, self.ranks = seed, rank, ranks
        self.steps = -(-images // ranks) // batch_size
        self.change: Change | None = None
        self.go_on(0)

    def go_on(self, step: int, every: int = 0) -> None:
        """Let the next batch be that after `step` steps of all epochs; `every`: steps between
        checkpoints within an epoch, 0 without.
        """
        self.step, self.every = step, every

    def __iter__(self):
        step = self.step
        epoch, first = divmod(step, self.steps)
        self.step = end = step - first + self.steps
        share = epoch_order(self.images, self.seed, epoch, self.rank, self.ranks)
        while step < end:
            stop = min(end, step - step % self.every + self.every) if self.every else end
            own = share[(step - end) % self.steps * self.batch_size :]
            yield from self._batches(own[: (stop - step) * self.batch_size], step)
            step = stop

    def _batches(self, order, step):
        epoch, first = divmod(step, self.steps)
        drawn = np.random.SeedSequence([self.seed, epoch, self.rank, first]).generate_state(1)
        ds.config.set_seed(int(drawn[0]))
        pipeline = self.create(order)
        batches = pipeline.create_tuple_iterator(num_epochs=1, output_numpy=True, do_copy=False)
        try:
            for at, batch in enumerate(batches, first):
                yield self._changed(tuple(batch), (epoch, self.rank, at))
        except RuntimeError as error:
            refuse_undecodable(pipeline, error)
            raise
        finally:
            batches.release()

    def _changed(self, batch, place):
        if not self.change:
            return batch
        return self.change(batch, np.random.default_rng([self.seed, *place]))


def epoch_order(images: int, seed: int, epoch: int, rank: int = 0, ranks: int = 1) -> np.ndarray:
    """The numbers (int64) of the images that `rank` of `ranks` reads in `epoch`, in their order.

    All shares have the same size, a few images being in two of them where they must.
    """
    order = np.random.default_rng([seed, epoch]).permutation(images)
    return np.resize(order, -(-images // ranks) * ranks)[rank::ranks]


def epochs_of(
    create: Callable[[np.ndarray], ds.Dataset],
    images: int,
    batch_size: int,
    seed: int,
    rank: int,
    ranks: int,
) -> ds.GeneratorDataset:
    """The data set of a training run; its `source` are the Epochs of these arguments."""
    ds.config.set_prefetch_size(WAITING)
    columns = create(np.arange(batch_size)).get_col_names()
    source = Epochs(create, images, batch_size, seed, rank, ranks)
    dataset = ds.GeneratorDataset(source, columns, python_multiprocessing=False)
    # The source has no length, as the first epoch of a resumed run may be shorter than that.
    dataset.dataset_size = source.steps
    return dataset
