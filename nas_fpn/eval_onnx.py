"""Evaluate an exported NAS-FPN, ONNX or MINDIR, on the preprocessing of eval.py.

    python eval_onnx.py --onnx_path retinanet_nasfpn.onnx --mindrecord_dir /data/MindRecord_COCO \\
        --instances_set '/data/cocodataset/annotations/instances_{}.json'

The image size is the file's. GPU asks for onnxruntime's CUDA provider, CPU and Ascend for its CPU
provider.

Without flags it takes the newest ONNX file of the current folder, and the data of the newest
training run in it.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
from types import SimpleNamespace

from src.data_paths import annotation_path, require_annotations
from src.model_utils.config import load_config
from src.vendored.inputs import require_exported
from src.vendored.left_behind import left_behind

DATA = (
    *("mindrecord_dir", "coco_root", "instances_set", "val_data_type"),
    *("create_dataset", "image_dir", "anno_path"),
)
DATA_FLAGS = [*DATA, "mindrecord_dr", "instance_set"]


def data_of(run: dict) -> dict:
    """The images and annotations of a training run of these settings."""
    return {key: run[key] for key in DATA}


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_exported(config.onnx_path)
    require_annotations(annotation_path(config, is_training=False))


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "classes",
        "aspect ratio",
        "records",
        "annotations",
        "validation split",
        "source of records",
        "annotation file",
        "image sizes",
        "data pipeline",
        "detections",
        "table by class",
        "pictures",
        "exported model",
        "device",
        description=__doc__,
        record_of="onnx_path",
        require=require_inputs,
        **left_behind(["onnx_path", "onnx_url"], DATA_FLAGS, data_of),
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

from src.evaluation import evaluate, evaluation_dataset
from src.prediction import check_outputs
from src.vendored.exported import open_model
from src.vendored.preprocessing import recorded_preprocessing


def main(config: SimpleNamespace) -> None:
    """Print what eval.py prints."""
    print("Start Eval!")
    model = open_model(config.onnx_path, config.device_target, config.device_id)
    print(f"Load {config.onnx_path}!")
    check_outputs(config.onnx_path, model, config.num_classes)
    config.img_shape = list(model.shape[2:])
    preprocessing = recorded_preprocessing(config.onnx_path, model.shape[2:])
    if preprocessing and preprocessing.resized() != preprocessing.size:
        raise UserError(
            f"{config.onnx_path}: its record cuts images; a detector of this folder sees them whole"
        )
    evaluate(model.predict, evaluation_dataset(config, preprocessing), config)


if __name__ == "__main__":
    run(main, CONFIG)
