"""From your photos, in class folders, to a trained and exported classifier.

    python finetune.py --dataset_path photos --pre_trained X.ckpt
    python predict.py --model finetuned/resnest.onnx --photos new_photo.jpg
    python finetune.py --dataset_path photos --pre_trained X.ckpt --freeze_features

The classifier is new, the rest starts from X.ckpt, whose network, image size and preprocessing are
taken. Of each class a fifth is held out, unless there are the folders train and val.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from src.config import RECORDED, load_config
from src.datasets.dataset import evaluation_preprocessing
from src.models.resnest import CLASSIFIER, build_network, prepare_for_export
from src.vendored.finetuning import finetune_classifier
from src.vendored.image_options import chosen


def finetune() -> None:
    """Photos to checkpoint and ONNX file in config.output."""
    config = load_config(
        "network",
        "images",
        "fine-tuning",
        "averages",
        "device",
        description=__doc__,
        record_of="pre_trained",
        device_target="CPU",
    )
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
    run(finetune)
