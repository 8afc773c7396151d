"""Evaluate an exported MobileNetV1, ONNX or MINDIR, on the preprocessing of eval.py.

    python eval_onnx.py --onnx_url mobilenetv1.onnx --dataset_path /data/cifar --device_target CPU

Batch and image size are the file's. GPU asks for onnxruntime's CUDA provider, CPU and Ascend for
its CPU provider.

Without flags it takes the newest ONNX file of the current folder, and the images of the newest
training run in it.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from types import SimpleNamespace

from src.data_path import held_out_path, require_data
from src.model_utils.config import load_config
from src.vendored.inputs import require_exported
from src.vendored.left_behind import left_behind


def held_out(run: dict) -> dict:
    """The data set and the evaluation images of a training run of these settings."""
    keys = ("dataset", "dataset_path", "eval_dataset_path")
    return {
        "dataset": run["dataset"],
        "eval_dataset_path": held_out_path(SimpleNamespace(**{key: run[key] for key in keys})),
    }


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_exported(config.onnx_path)
    require_data(config, config.eval_dataset_path or config.dataset_path, do_train=False)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "data set",
        "data",
        "evaluation data",
        "class names",
        "report",
        "batches",
        "data pipeline",
        "exported model",
        "device",
        description=__doc__,
        record_of="onnx_path",
        require=require_inputs,
        **left_behind(["onnx_path", "onnx_url"], ["dataset_path", "eval_dataset_path"], held_out),
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

from src.dataset import evaluation_dataset
from src.vendored.accuracy import count_correct
from src.vendored.exported import classifier_outputs, first_output, open_model
from src.vendored.preprocessing import recorded_preprocessing
from src.vendored.report import Judgements, finish_report


def evaluate(config: SimpleNamespace) -> None:
    """Top-1 and top-5 accuracy over all images, in eval.py's form."""
    model = open_model(config.onnx_path, config.device_target, config.device_id)
    batch_size, _, config.height, config.width = model.shape
    config.batch_size = batch_size or config.batch_size
    config.class_num = classifier_outputs(config.onnx_path, model)
    preprocessing = recorded_preprocessing(config.onnx_path, model.shape[2:])
    dataset, tree = evaluation_dataset(config, config.known_classes, preprocessing=preprocessing)
    judgements = Judgements()
    predict = first_output(model)
    counts = count_correct(predict, dataset, batch_size, paths=tree.paths, judgements=judgements)
    top1, top5 = counts.accuracies()
    scores = {"top_5_accuracy": top5, "top_1_accuracy": top1}
    print(f"result: {scores} ckpt={config.onnx_path}")
    finish_report(config.report, judgements, tree, counts)
    print(f"evaluated {counts.images} images", flush=True)


if __name__ == "__main__":
    run(evaluate, CONFIG)
