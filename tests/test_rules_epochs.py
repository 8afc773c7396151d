"""The training data of every folder: an epoch hangs on the seed, its number and the rank alone,
whatever was read before.
"""

import contextlib
import itertools
import os
import runpy

import numpy as np
import pytest

from folders import (
    CLASSIFIERS,
    NAMES,
    REPOSITORY,
    activate,
    flags_of,
    import_from,
    load_config,
    take_ctrl_c,
)
from places import Place

BATCH = 2
places = {}


class Data:
    """Small training data of a folder, and its data sets of them."""

    def __init__(self, root, folder):
        self.folder, self.place = folder, Place(root, folder, training=4)
        self.key = flags_of(folder).data_key
        self.place.prepare_training()
        activate(folder)
        self.groups = runpy.run_path(str(REPOSITORY / folder / "train.py"))["GROUPS"]
        take_ctrl_c()

    def dataset(self, seed=1, rank=0, ranks=1):
        use = [f"--{self.key}" if word == "--dataset_path" else word for word in self.place.use]
        flags = (*use, "--batch_size", BATCH, "--seed", seed)
        training_dataset = import_from(self.folder, flags_of(self.folder).dataset_module)
        with contextlib.chdir(self.place.root):
            config = load_config(self.folder, self.groups, flags)
            return training_dataset.training_dataset(config, rank, ranks)[0]

    def batches(self, dataset, epochs=1):
        with contextlib.chdir(self.place.root):
            return [*iterate(dataset, epochs)]


def iterate(dataset, epochs):
    iterator = dataset.create_tuple_iterator(num_epochs=epochs, output_numpy=True)
    for _ in range(epochs):
        yield from map(tuple, iterator)


def is_same(batches, others):
    assert len(batches) == len(others)
    columns = zip(itertools.chain(*batches), itertools.chain(*others), strict=True)
    return all(np.array_equal(*pair) for pair in columns)


@pytest.fixture(params=NAMES)
def data(request, tmp_path_factory):
    if request.param not in places:
        places[request.param] = Data(tmp_path_factory.mktemp("epochs"), request.param)
    return places[request.param]


def test_epochs_follow_from_the_seed(data):
    whole = data.dataset()
    steps, batches = whole.get_dataset_size(), data.batches(whole, 3)
    assert len(batches) == 3 * steps
    later = data.dataset()
    later.source.go_on(2 * steps)
    assert is_same(data.batches(later), batches[2 * steps :])
    assert not is_same(batches[:steps], batches[steps : 2 * steps])
    assert not is_same(data.batches(data.dataset(seed=2)), batches[:steps])


def test_going_on_within_an_epoch(data):
    """Where checkpoints are saved within, the data are drawn anew from each on."""
    whole, later = data.dataset(), data.dataset()
    steps = whole.get_dataset_size()
    whole.source.go_on(steps, every=1)
    later.source.go_on(steps + 1, every=1)
    batches = data.batches(whole, 2)
    assert len(batches) == 2 * steps
    assert is_same(data.batches(later, 2), batches[1:])


def test_what_is_read_before_the_first_step_does_not_grow(data):
    """Nothing of what was seen is read again: neither of earlier epochs nor of the same."""
    dataset, asked = data.dataset(), []
    steps, create = dataset.get_dataset_size(), dataset.source.create
    dataset.source.create = lambda order: asked.append(len(order)) or create(order)
    for passed, within in ((0, 0), (100, 0), (100, 1)):
        asked.clear()
        dataset.source.go_on(passed * steps + within)
        with contextlib.chdir(data.place.root):
            next(iterate(dataset, epochs=1))
        assert asked == [(steps - within) * BATCH]


def test_ranks_share_an_epoch(data):
    """The order is common to all, what is drawn for an image is each one's own."""
    epochs = import_from(data.folder, "src.vendored.epochs")
    shares = [epochs.epoch_order(11, 1, 5, rank, 3) for rank in range(3)]
    assert [len(share) for share in shares] == [4, 4, 4]
    assert set(np.concatenate(shares)) == set(range(11))
    again = [epochs.epoch_order(11, 1, 6, rank, 3) for rank in range(3)]
    assert not np.array_equal(shares, again)
    one, other = data.dataset(rank=0, ranks=2), data.dataset(rank=1, ranks=2)
    other.source.create, order = one.source.create, np.arange(BATCH)
    drawn = [next(iterate_order(data, dataset, order)) for dataset in (one, other, one)]
    assert is_same(drawn[:1], drawn[2:]) and not is_same(drawn[:1], drawn[1:2])


def iterate_order(data, dataset, order):
    with contextlib.chdir(data.place.root):
        yield tuple(next(dataset.source._batches(order, 0)))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(60)])
@pytest.mark.parametrize("folder", CLASSIFIERS)
def test_a_damaged_image_is_named(tmp_path, folder, content):
    """By the line of this folder, though one pipeline hands it on to another."""
    data = Data(tmp_path, folder)
    (tmp_path / "photos/train/birch/odd name.png").write_bytes(content)
    with pytest.raises(RuntimeError) as raised:
        data.batches(data.dataset())
    line = import_from(folder, "src.vendored.launch").passed_on(raised.value)
    assert line.startswith("photos/train/birch/odd name.png: this image cannot be decoded")


@pytest.mark.skipif(os.cpu_count() < 2, reason="one core has one worker")
def test_the_same_epoch_again_and_again(data):
    """Several workers take turns in the same way each time."""
    first = data.batches(data.dataset())
    assert all(is_same(data.batches(data.dataset()), first) for _ in range(5))
