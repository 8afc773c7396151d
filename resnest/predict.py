"""Say what is on photos, by a checkpoint of ResNeSt, or an ONNX or MINDIR file of it.

    python predict.py --model X.ckpt --photos photo.jpg holidays
    python predict.py --model resnest50.onnx --photos holidays --csv answers.csv --pictures seen
    python predict.py --model X.ckpt --photos holidays --pictures seen --grad_cam True

Folders are searched at any depth. Photos are turned upright as their EXIF says; damaged ones are
named and passed over, and then the exit code is 1.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from src.config import load_config
from src.datasets.dataset import evaluation_preprocessing
from src.models.resnest import CLASSIFIER, build_network
from src.vendored.classifying import classify_photos
from src.vendored.image_options import chosen
from src.vendored.using import MODEL_NAMES


def predict() -> None:
    """The likeliest classes of each photo, on the terminal and in the files asked for."""
    config = load_config(
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
    )
    classify_photos(
        config,
        build_network,
        CLASSIFIER[0],
        (config.eval_crop_size, config.eval_crop_size),
        lambda *size: chosen(config, evaluation_preprocessing(*size)),
    )


if __name__ == "__main__":
    run(predict)
