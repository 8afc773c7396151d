"""Say what is on photos, by a checkpoint of MobileNetV1, or an ONNX or MINDIR file of it.

    python predict.py --model X.ckpt --photos photo.jpg holidays
    python predict.py --model mobilenetv1.onnx --photos holidays --csv answers.csv --pictures seen
    python predict.py --model X.ckpt --photos holidays --pictures seen --grad_cam True

Folders are searched at any depth. Photos are turned upright as their EXIF says; damaged ones are
named and passed over, and then the exit code is 1.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from types import SimpleNamespace

from src.model_utils.config import load_config
from src.vendored.inputs import require_model
from src.vendored.photos import find_photos
from src.vendored.using import MODEL_NAMES


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    find_photos(config.photos)
    require_model(config.model)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "network",
        "images",
        "prediction",
        "averages",
        "batches",
        "device",
        description=__doc__,
        aliases=MODEL_NAMES,
        record_of="model",
        device_target="CPU",
        batch_size=16,
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

from src.mobilenet_v1_fpn import CLASSIFIER, build_network
from src.transforms import evaluation_preprocessing
from src.vendored.classifying import classify_photos
from src.vendored.image_options import chosen


def predict(config: SimpleNamespace) -> None:
    """The likeliest classes of each photo, on the terminal and in the files asked for."""
    classify_photos(
        config,
        build_network,
        CLASSIFIER[0],
        (config.height, config.width),
        lambda *size: chosen(config, evaluation_preprocessing(config.dataset, *size)),
    )


if __name__ == "__main__":
    run(predict, CONFIG)
