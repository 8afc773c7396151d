"""Say what is where on photos, by a checkpoint of NAS-FPN, or an ONNX or MINDIR file of it.

    python predict.py --model X.ckpt --photos photo.jpg holidays
    python predict.py --model retinanet_nasfpn.onnx --photos holidays --csv boxes.csv \\
        --pictures seen

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
        "aspect ratio",
        "prediction",
        "averages",
        "detections",
        "device",
        description=__doc__,
        aliases=MODEL_NAMES,
        record_of="model",
        device_target="CPU",
        min_score=0.3,
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

from src.prediction import detect_on_photos


def predict(config: SimpleNamespace) -> None:
    """The boxes on each photo, on the terminal and in the files asked for."""
    detect_on_photos(config)


if __name__ == "__main__":
    run(predict, CONFIG)
