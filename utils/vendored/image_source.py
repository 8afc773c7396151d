"""The images of a tree as the source of a data pipeline; damaged ones are named."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

import numpy as np

from .files import read_file
from .images import ImageTree, check_batch_size
from .jpeg import damage
from .launch import UserError, passed_on

if TYPE_CHECKING:
    import mindspore.dataset as ds

RECENT = 2048  # images that a pipeline may have read ahead


class ImageFiles:
    """Random access to (content uint8 (bytes,), label int32 ()) of the images of a tree.

    Content that would end MindSpore's decoder by a signal raises UserError with the path.
    """

    def __init__(self, tree: ImageTree):
        self.paths, self.labels = tree.paths, tree.labels
        self.recent = collections.deque(maxlen=RECENT)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        path = self.paths[index]
        try:
            content = read_file(path)
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror})") from None
        wrong = damage(content)
        if wrong:
            raise UserError(
                f"{path}: this image cannot be decoded ({wrong}); repair it or remove it from the"
                " data set"
            )
        self.recent.append(path)
        return np.frombuffer(content, np.uint8), self.labels[index, ...]


def image_dataset(
    tree: ImageTree,
    shuffle: bool,
    workers: int,
    rank: int = 0,
    ranks: int = 1,
    padded: bool = True,
    order: np.ndarray | None = None,
) -> ds.GeneratorDataset:
    """A data set with the columns image (encoded, uint8) and label (int32) of this rank's share.

    Shares of all ranks have the same size where `padded`, by repeating a few images; else each
    image is in exactly one. With `order`, the images of these numbers in that order instead.
    """
    import mindspore.dataset as ds

    options = {
        "python_multiprocessing": False,
        "num_parallel_workers": max(1, min(workers // 2, 8)),
    }
    files = ImageFiles(tree)
    if order is not None:
        sampler = ds.SubsetSampler(order.tolist())
        return ds.GeneratorDataset(files, ["image", "label"], sampler=sampler, **options)
    if ranks == 1:
        return ds.GeneratorDataset(files, ["image", "label"], shuffle=shuffle, **options)
    if padded:
        return ds.GeneratorDataset(
            files, ["image", "label"], shuffle=shuffle, num_shards=ranks, shard_id=rank, **options
        )
    check_batch_size(tree.folder, len(files), ranks)
    own = list(range(rank, len(files), ranks))
    sampler = (ds.SubsetRandomSampler if shuffle else ds.SubsetSampler)(own)
    return ds.GeneratorDataset(files, ["image", "label"], sampler=sampler, **options)


def refuse_undecodable(dataset: ds.Dataset, error: RuntimeError) -> None:
    """Raise UserError with the path where the RuntimeError `error` of the pipeline `dataset` comes
    of an image: one refused when it was read, or one read not long ago that MindSpore does not
    decode by itself either.
    """
    import mindspore.dataset.vision as vision

    if passed_on(error):
        raise UserError(passed_on(error)) from None
    if "ecode" not in str(error):
        return
    while dataset.children:
        dataset = dataset.children[0]
    decode = vision.Decode()
    for path in getattr(getattr(dataset, "source", None), "recent", ()):
        try:
            decode(np.fromfile(path, np.uint8))  # What was read has passed `damage`.
        except (RuntimeError, ValueError, TypeError):
            raise UserError(
                f"{path}: this image cannot be decoded; repair it or remove it from the data set"
            ) from None
