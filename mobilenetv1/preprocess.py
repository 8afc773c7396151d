"""Prepare what C++ inference reads: labels for ImageNet; labels and preprocessed batches for
CIFAR-10.

    python preprocess.py --dataset imagenet2012 --data_path /data/val --result_path preprocessed
    python preprocess.py --dataset cifar10 --data_path /data/cifar --mindir_path mobilenetv1.mindir

CIFAR-10 batches have the shape of the MindIR's input:
RESULT_PATH/00_data/mobilenetv1_data_bs{N}_{i}.bin, float32.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
from types import SimpleNamespace

from src.cifar import require_batches
from src.model_utils.config import load_config
from src.vendored.inputs import require_images, require_mindir


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    if config.dataset == "cifar10":
        require_mindir(config.mindir_path)
        require_batches(config.data_path, do_train=False)
    else:
        require_images(config.data_path)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "data set",
        "local data",
        "class names",
        "data pipeline",
        "mindir",
        "preparing data",
        description=__doc__,
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

import io
import os
import tempfile
from pathlib import Path

import mindspore.dataset as ds
import numpy as np

from src.dataset import create_dataset1
from src.vendored.device import set_up_device
from src.vendored.exported import mindir_input_shape
from src.vendored.files import atomic_write, make_folder
from src.vendored.results import write_labels

LABEL_BYTES = 256  # the classes that a label byte can tell apart


def prepare_cifar10(config: SimpleNamespace) -> None:
    """Write batches and `cifar10_label_ids.npy` (batches, N) int32; images that fill no batch
    are padded, label -1.
    """
    set_up_device("CPU")
    batch_size, _, *image_size = mindir_input_shape(config.mindir_path)
    dataset = create_dataset1(
        config.data_path,
        do_train=False,
        batch_size=batch_size,
        image_size=tuple(image_size),
        class_num=LABEL_BYTES,
        drop_remainder=False,
        workers=config.num_workers,
    )
    result = make_folder(config.result_path)
    data = result / "00_data"
    if data.exists():
        raise UserError(f"{data}: already there; remove it, or choose another --result_path")
    try:
        with tempfile.TemporaryDirectory(prefix=".unfinished_", dir=result) as beside:
            labels = write_batches(dataset, batch_size, make_folder(Path(beside, data.name)))
            os.rename(Path(beside, data.name), data)
    except OSError as error:
        raise UserError(f"{data}: cannot be written ({error.strerror}); make room") from None
    content = io.BytesIO()
    np.save(content, labels, allow_pickle=False)
    atomic_write(result / "cifar10_label_ids.npy", content.getvalue())
    print(f"{'=' * 20} export bin files finished {'=' * 20}")


def write_batches(dataset: ds.Dataset, batch_size: int, folder: Path) -> np.ndarray:
    """Write the batches of `dataset` to `folder`; their labels, int32 (batches, batch_size)."""
    labels = []
    for images, ids in dataset.create_tuple_iterator(num_epochs=1, output_numpy=True):
        missing = batch_size - len(ids)
        images = np.concatenate([images, np.zeros((missing, *images.shape[1:]), np.float32)])
        path = folder / f"mobilenetv1_data_bs{batch_size}_{len(labels)}.bin"
        path.write_bytes(images.tobytes())
        labels.append(np.concatenate([ids, np.full(missing, -1, np.int32)]))
    return np.array(labels, np.int32)


def prepare_imagenet(config: SimpleNamespace) -> None:
    """Write `imagenet_label.json`: {image: class index}."""
    label_file = Path(make_folder(config.result_path), "imagenet_label.json")
    number = write_labels(config.data_path, label_file, config.mindir_path, config.class_names)
    print(f"[INFO] Completed! Total {number} data.")


def prepare(config: SimpleNamespace) -> None:
    """Prepare the data set that `--dataset` names."""
    if config.dataset == "cifar10":
        prepare_cifar10(config)
    else:
        prepare_imagenet(config)


if __name__ == "__main__":
    run(prepare, CONFIG)
