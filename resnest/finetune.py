"""From your photos, in class folders, to a trained and exported classifier.

    python finetune.py --dataset_path photos --pre_trained X.ckpt
    python predict.py --model finetuned/resnest.onnx --photos new_photo.jpg
    python finetune.py --dataset_path photos --pre_trained X.ckpt --freeze_features

The classifier is new, the rest starts from X.ckpt, whose network, image size and preprocessing are
taken. Of each class a fifth is held out, unless there are the folders train and val.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from types import SimpleNamespace

from src.config import RECORDED, load_config
from src.vendored.inputs import require_checkpoint, require_photos


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_photos(config.dataset_path)
    if config.pre_trained:
        require_checkpoint(config.pre_trained)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "network",
        "images",
        "fine-tuning",
        "averages",
        "device",
        description=__doc__,
        record_of="pre_trained",
        device_target="CPU",
        require=require_inputs,
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

from src.datasets.dataset import evaluation_preprocessing
from src.models.resnest import CLASSIFIER, build_network, prepare_for_export
from src.vendored.finetuning import finetune_classifier
from src.vendored.image_options import chosen


def finetune(config: SimpleNamespace) -> None:
    """Photos to checkpoint and ONNX file in config.output."""
    documented = evaluation_preprocessing(config.eval_crop_size, config.eval_crop_size)
    finetune_classifier(
        config,
        build_network,
        prepare_for_export,
        CLASSIFIER,
        "num_classes",
        chosen(config, documented),
        RECORDED,
        "resnest",
    )


if __name__ == "__main__":
    run(finetune, CONFIG)
