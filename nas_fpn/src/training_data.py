"""What training reads: batches of MindRecord files, and the names of the classes in them."""

from __future__ import annotations

from types import SimpleNamespace

import mindspore.dataset as ds

from src.class_names import BACKGROUND, configured_names, record_classes
from src.data_paths import training_records
from src.dataset import create_retinanet_dataset


def training_dataset(
    config: SimpleNamespace, rank: int = 0, ranks: int = 1
) -> tuple[ds.Dataset, list[str] | None]:
    """The training images in `mindrecord_dir`: (this rank's batches, the class names in order).

    The background is the first name. Names are those of `coco_classes`; if it is empty, those in
    the MindRecord files; None where these have none either, as other programs' files.
    """
    first = training_records(config)
    dataset = create_retinanet_dataset(config, first, config.batch_size, ranks, rank)
    names = configured_names(config)
    return dataset, [BACKGROUND, *names] if names else record_classes(first) or None
