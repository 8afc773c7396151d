"""COCO images and annotations to MindRecord files, which train.py and eval.py read.

    python create_data.py --create_dataset coco --prefix retinanet.mindrecord --is_training True
    python create_data.py --create_dataset coco --prefix retinanet_eval.mindrecord --is_training
    False

--coco_root is the folder of the data set, --mindrecord_dir the one of the files to write: eight, or
none.
"""

from src.vendored.launch import run

# isort: split
from src.mindrecord import create_mindrecord
from src.model_utils.config import load_config


def create_data() -> None:
    """Write the files, unless they are there."""
    config = load_config(
        "classes",
        "records",
        "writing records",
        "annotations",
        "training split",
        "validation split",
        "source of records",
        "annotation file",
        "image sizes",
        description=__doc__,
    )
    print("Start create dataset!")
    create_mindrecord(config, config.prefix, config.is_training)


if __name__ == "__main__":
    run(create_data)
