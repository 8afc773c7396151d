"""Evaluate an exported FishNet99, ONNX or MINDIR, on the preprocessing of eval.py.

    python eval_onnx.py --onnx_path FishNet99.onnx --val_data_path /data/val --device_type='CPU'

Batch and image size are the file's. GPU asks for onnxruntime's CUDA provider, CPU and Ascend for
its CPU provider.

Without flags it takes the newest ONNX file of the current folder, and the images of the newest
training run in it.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, printable, run

# isort: split
from types import SimpleNamespace

from src.config import load_config
from src.vendored.inputs import require_exported, require_images
from src.vendored.left_behind import left_behind
from src.vendored.splits import held_out_split


def held_out(run: dict) -> dict:
    """The evaluation images of a training run of these settings."""
    path = run["val_data_path"] or held_out_split(run["data_path"], "val_data_path")
    return {"val_data_path": path}


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_exported(config.onnx_path)
    require_images(config.val_data_path)


def read_settings() -> SimpleNamespace:
    """Those of the command line, over the defaults."""
    return load_config(
        "evaluation data",
        "report",
        "batches",
        "data pipeline",
        "random numbers",
        "exported model",
        "device",
        description=__doc__,
        aliases={"dataset_path": "val_data_path"},
        require=require_inputs,
        **left_behind(["onnx_path", "onnx_url"], ["val_data_path", "dataset_path"], held_out),
    )


if __name__ == "__main__":
    CONFIG = run(read_settings)

from src.dataset import evaluation_dataset
from src.vendored.accuracy import count_correct
from src.vendored.exported import classifier_outputs, first_output, open_model
from src.vendored.preprocessing import recorded_preprocessing
from src.vendored.record import read_record
from src.vendored.report import Judgements, finish_report
from src.vendored.training import set_seeds


def evaluate(config: SimpleNamespace) -> None:
    """Top-1 and top-5 accuracy over all images, in eval.py's form."""
    set_seeds(config.seed)
    model = open_model(config.onnx_path, config.device_target, config.device_id)
    batch_size, _, config.image_height, width = model.shape
    config.batch_size = batch_size or config.batch_size
    if config.image_height != width:
        raise UserError(
            f"{config.onnx_path}: its input {model.shape} is not square; export with --image_size"
        )
    config.num_classes = classifier_outputs(config.onnx_path, model)
    preprocessing = recorded_preprocessing(config.onnx_path, model.shape[2:])
    names = read_record(config.onnx_path)[0]["class_names"]
    dataset, tree = evaluation_dataset(config, names, preprocessing=preprocessing)
    judgements = Judgements()
    predict = first_output(model)
    counts = count_correct(predict, dataset, batch_size, paths=tree.paths, judgements=judgements)
    top1, top5 = counts.accuracies()
    scores = {"top_1_accuracy": top1, "top_5_accuracy": top5}
    print(f"model {printable(config.onnx_path)}'s accuracy is {scores}")
    finish_report(config.report, judgements, tree, counts)
    print(f"evaluated {counts.images} images", flush=True)


if __name__ == "__main__":
    run(evaluate, CONFIG)
