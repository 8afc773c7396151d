"""MindRecord files to batches: augmented and matched with the anchors for training, as they are
for evaluation.
"""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import mindspore.dataset as ds
import numpy as np
from mindspore.dataset import vision

from src.box_utils import AnchorEncoder, covered
from src.class_names import check_record_classes, record_columns
from src.data_paths import require_records
from src.images import decode
from src.random_crop import random_crop
from src.scale_jitter import take_window
from src.vendored.device import parallel_workers
from src.vendored.epochs import epochs_of
from src.vendored.image_options import chosen
from src.vendored.launch import UserError
from src.vendored.preprocessing import Preprocessing

MEAN = tuple(255 * value for value in (0.485, 0.456, 0.406))
STD = tuple(255 * value for value in (0.229, 0.224, 0.225))


def resize(image: np.ndarray, config: SimpleNamespace, scale: float = 1.0) -> np.ndarray:
    """`image` at `scale` times the network's size, bilinear.

    With `keep_ratio` its longer side is that, the rest is filled with the mean.
    """
    height, width = (round(scale * side) for side in config.img_shape)
    if not config.keep_ratio:
        return cv2.resize(image, (width, height))
    longer = max(image.shape[:2])
    # In whole numbers, as in the C++ program.
    rows, columns = (
        max((2 * side * height + longer) // (2 * longer), 1) for side in image.shape[:2]
    )
    filled = np.full((height, width, 3), np.round(chosen_preprocessing(config).mean), np.uint8)
    filled[:rows, :columns] = cv2.resize(image, (columns, rows))
    return filled


def _decode(data, file_name=None):
    """RGB uint8 (H, W, 3) from the bytes of an image file, as MindRecord gives them: an array of
    kind S.
    """
    name = "an image" if file_name is None else file_name.tobytes().decode()
    return decode(data.tobytes(), f"{name} in the MindRecord files")


class TrainSample:
    """An image's bytes and annotation (N, 5) to its image, cropped and flipped by chance, and all
    anchors' targets.

    What is drawn depends on the sample's seed alone, not on the thread that works on it or on what
    it did before; without `augment` the whole image is kept as it is.
    """

    def __init__(self, config: SimpleNamespace):
        self.config = config
        self.encode = AnchorEncoder(config)

    def __call__(
        self,
        data: np.ndarray,
        annotation: np.ndarray,
        seed: np.ndarray,
        file_name: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """image uint8 (S, S, 3), box (A, 4) float32, label (A,) int32, num_match (1,) int32; `seed`
        is uint32 (1,).
        """
        generator = np.random.RandomState(seed)
        image, boxes = _decode(data, file_name), annotation.astype(np.float32)
        # Files of other programs have boxes beyond their image; what has no area left matches none.
        boxes[:, :4] = boxes[:, :4].clip(0, np.tile(image.shape[:2], 2))
        if self.config.augment:
            image, boxes = random_crop(image, boxes, generator)
        boxes[:, :4] /= np.tile(covered(image.shape[:2], self.config), 2)
        image, boxes = self._resize(image, boxes, generator)
        if self.config.augment and generator.rand() < 0.5:
            image = cv2.flip(image, 1)
            boxes[:, [1, 3]] = 1 - boxes[:, [3, 1]]
        return (image, *self.encode(boxes))

    def _resize(self, image, boxes, generator):
        jitter = self.config.scale_jitter
        if not jitter:
            return resize(image, self.config), boxes
        image = resize(image, self.config, generator.uniform(1 - jitter, 1 + jitter))
        return take_window(image, boxes, self.config.img_shape[0], MEAN, generator)


class EvaluationSample:
    """An image's id and bytes to its id, the image at the network's size and its original shape.

    With `visualize` the original image is kept too.
    """

    def __init__(self, config: SimpleNamespace):
        self.config = config
        self.columns = ["img_id", "image", "image_shape"] + ["original"] * bool(config.visualize)

    def __call__(
        self, img_id: np.ndarray, data: np.ndarray, *file_name: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """Columns as named, then the file name where there is one."""
        image = _decode(data, *file_name)
        shape = np.array(image.shape[:2], np.float32)
        original = [image] if self.config.visualize else []
        return (img_id, resize(image, self.config), shape, *original, *file_name)


def evaluation_preprocessing(config: SimpleNamespace) -> Preprocessing:
    """Normalised RGB, the whole image resized."""
    return Preprocessing(tuple(config.img_shape), MEAN, STD, padded=config.keep_ratio)


def chosen_preprocessing(config: SimpleNamespace) -> Preprocessing:
    """`evaluation_preprocessing` with the colours that `config` says."""
    return chosen(config, evaluation_preprocessing(config))


def create_retinanet_dataset(
    config: SimpleNamespace,
    mindrecord_file: str,
    batch_size: int,
    device_num: int = 1,
    rank: int = 0,
    is_training: bool = True,
    preprocessing: Preprocessing | None = None,
) -> ds.Dataset:
    """Batches from `mindrecord_file` (the first of the eight) with image float32 (N, 3, S, S),
    normalised.

    Training: image, box (N, A, 4) float32, label (N, A) int32, num_match (N, 1) int32; shuffled,
    whole batches only, this rank's share; the seed of it all is the config's. Evaluation: img_id
    (N, 1) int32, image, image_shape (N, 2) float32: original height, width; file_name where the
    files have it; with `visualize`, original: RGB uint8 (N, H, W, 3). `preprocessing` takes the
    place of `evaluation_preprocessing`. Raises UserError where there is no such file, its labels do
    not fit or it does not fill a batch.
    """
    require_records(mindrecord_file)
    workers = parallel_workers(config.workers)
    try:
        if is_training:
            places = _places_by_id(mindrecord_file, config.num_classes, workers)
        images = ds.MindDataset(mindrecord_file, shuffle=False).get_dataset_size()
    except RuntimeError:
        raise UserError(
            f"{mindrecord_file}: not a whole set of MindRecord files of boxes; remove all eight,"
            " and create_data.py writes them anew"
        ) from None
    wanted = batch_size * device_num if is_training else 1
    if images < wanted:
        raise UserError(
            f"{mindrecord_file}: {images} images do not fill a batch of {wanted}; lower"
            " --batch_size"
        )
    if not is_training:
        preprocessing = preprocessing or chosen_preprocessing(config)
        return _evaluation_batches(config, mindrecord_file, batch_size, workers, preprocessing)
    check_record_classes(config, mindrecord_file)
    return epochs_of(
        lambda order: _training_batches(
            config, mindrecord_file, batch_size, workers, places[order]
        ),
        images,
        batch_size,
        config.seed,
        rank,
        device_num,
    )


def _training_batches(config, mindrecord_file, batch_size, workers, places):
    """Batches of the rows at `places`; each has a seed, drawn from the pipeline's."""
    columns = ["image", "annotation", *_named(mindrecord_file)]
    rows = ds.MindDataset(
        mindrecord_file,
        columns,
        num_parallel_workers=workers,
        sampler=ds.SubsetSampler(places.tolist()),
    )
    drawn = np.random.default_rng(ds.config.get_seed())
    seeds = drawn.integers(2**32, size=(len(places), 1), dtype=np.uint32)
    seeds = ds.GeneratorDataset(seeds, ["seed"], shuffle=False, python_multiprocessing=False)
    targets = ["image", "box", "label", "num_match"]
    data = ds.zip((rows, seeds)).map(
        TrainSample(config),
        [*columns[:2], "seed", *columns[2:]],
        targets,
        num_parallel_workers=workers,
    )
    jitter = vision.RandomColorAdjust(brightness=0.4, contrast=0.4, saturation=0.4)
    normalise = chosen_preprocessing(config).normalise()
    operations = [*([jitter] if config.augment else []), *normalise]
    data = data.map(operations, "image", num_parallel_workers=workers).project(targets)
    return data.batch(batch_size, drop_remainder=True)


def _evaluation_batches(config, mindrecord_file, batch_size, workers, preprocessing):
    sample, named = EvaluationSample(config), _named(mindrecord_file)
    columns = ["img_id", "image", *named]
    data = ds.MindDataset(
        mindrecord_file, columns, num_parallel_workers=workers, shuffle=False
    ).map(sample, columns, sample.columns + named, num_parallel_workers=workers)
    data = data.map(preprocessing.normalise(), "image", num_parallel_workers=workers)
    return data.batch(batch_size)


def _named(mindrecord_file):
    """The column of file names, where the files have it."""
    return [name for name in ("file_name",) if name in record_columns(mindrecord_file)]


def _places_by_id(mindrecord_file, num_classes, workers):
    """Where the rows are, in the order of their images' ids: MindSpore writes them into the eight
    files by chance, on which training is not to hang. Raises UserError unless all labels are from 1
    to `num_classes` - 1.
    """
    rows = ds.MindDataset(
        mindrecord_file, ["img_id", "annotation"], num_parallel_workers=workers, shuffle=False
    )
    ids = []
    for image_id, boxes in rows.create_tuple_iterator(num_epochs=1, output_numpy=True):
        ids.append(image_id.item())
        for label in (boxes[:, 4].min(initial=1), boxes[:, 4].max(initial=1)):
            if not 0 < label < num_classes:
                raise UserError(
                    f"{mindrecord_file}: a box has label {label}, but num_classes is {num_classes}:"
                    f" labels are from 1 to {num_classes - 1}"
                )
    return np.argsort(ids, kind="stable")
