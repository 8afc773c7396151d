"""Prepare what C++ inference reads: labels for ImageNet; labels and preprocessed batches for
CIFAR-10.

    python preprocess.py --dataset imagenet2012 --data_path /data/val --result_path
    ./preprocess_Result python preprocess.py --dataset cifar10 --data_path /data/cifar --mindir_path
    mobilenetv1.mindir

CIFAR-10 batches have the shape of the MindIR's input:
RESULT_PATH/00_data/mobilenetv1_data_bs{N}_{i}.bin, float32.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
import io
import json
import os
from pathlib import Path

import mindspore as ms
import numpy as np

from src.dataset import create_dataset
from src.exported import mindir_input_shape
from src.model_utils.config import config
from src.vendored.records import image_labels, write_whole


def prepare_cifar10():
    """Write batches and `cifar10_label_ids.npy` (batches, N) int32; images that fill no batch
    are padded, label -1.
    """
    config.batch_size, _, config.height, config.width = mindir_input_shape(config.mindir_path)
    result = Path(config.result_path)
    dataset = create_dataset(config, config.data_path, do_train=False)
    result.mkdir(parents=True, exist_ok=True)
    if (result / "00_data").exists():
        raise UserError(
            f"{result / '00_data'}: already there; remove it, or choose another --result_path"
        )
    (result / "00_data").mkdir()
    labels = []
    for index, (images, ids) in enumerate(
        dataset.create_tuple_iterator(num_epochs=1, output_numpy=True)
    ):
        missing = config.batch_size - len(ids)
        images = np.concatenate([images, np.zeros((missing, *images.shape[1:]), np.float32)])
        labels.append(np.concatenate([ids, np.full(missing, -1, np.int32)]))
        images.tofile(result / "00_data" / f"mobilenetv1_data_bs{config.batch_size}_{index}.bin")
    content = io.BytesIO()
    np.save(content, np.array(labels, np.int32), allow_pickle=False)
    write_whole(result / "cifar10_label_ids.npy", content.getvalue())
    print(f"{'=' * 20} export bin files finished {'=' * 20}")


def prepare_imagenet():
    """Write `imagenet_label.json`: {file name: class}."""
    labels = image_labels(config.data_path)
    os.makedirs(config.result_path, exist_ok=True)
    write_whole(os.path.join(config.result_path, "imagenet_label.json"), json.dumps(labels))
    print(f"[INFO] Completed! Total {len(labels)} data.")


def main():
    """Prepare the data set that `--dataset` names."""
    ms.set_device("CPU")
    if config.dataset == "cifar10":
        prepare_cifar10()
    else:
        prepare_imagenet()


if __name__ == "__main__":
    run(main)
