"""Evaluate an exported MnasNet, ONNX or MINDIR, on the preprocessing of eval.py.

    python eval_onnx.py --dataset_path /data/imagenet/val --onnx_url MNasNet.onnx
    python eval_onnx.py --dataset_path /data/val --onnx_url MNasNet.onnx --device_target="Ascend"

Batch and image size are the file's. GPU asks for onnxruntime's CUDA provider, CPU and Ascend for
its CPU provider; the default is GPU where onnxruntime has that provider.

Without flags it takes the newest ONNX file of the current folder, and the images of the newest
training run in it.
"""
# ruff: noqa: E402  MindSpore takes seconds to import: the settings come first.

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run

# isort: split
from types import SimpleNamespace

import onnxruntime

from src.config import load_config
from src.vendored.inputs import require_exported, require_images
from src.vendored.left_behind import left_behind
from src.vendored.splits import held_out_split


def held_out(run: dict) -> dict:
    """The evaluation images of a training run of these settings."""
    path = run["eval_dataset_path"] or held_out_split(run["dataset_path"], "eval_dataset_path")
    return {"eval_dataset_path": path}


def require_inputs(config: SimpleNamespace) -> None:
    """What has to be there, in the order in which it is used."""
    require_exported(config.onnx_url)
    require_images(config.eval_dataset_path)


def default_device() -> str:
    """GPU where onnxruntime has it."""
    has_gpu = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    return "GPU" if has_gpu else "CPU"


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
        aliases={"dataset_path": "eval_dataset_path"},
        device_target=default_device(),
        require=require_inputs,
        **left_behind(["onnx_url", "onnx_path"], ["eval_dataset_path", "dataset_path"], held_out),
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
    """Top-1 and top-5 accuracy over all images, as documented."""
    set_seeds(config.seed)
    model = open_model(config.onnx_url, config.device_target, config.device_id)
    batch_size, _, config.image_size, width = model.shape
    config.batch_size = batch_size or config.batch_size
    if config.image_size != width:
        raise UserError(
            f"{config.onnx_url}: its input {model.shape} is not square; export with --image_size"
        )
    config.class_num = classifier_outputs(config.onnx_url, model)
    preprocessing = recorded_preprocessing(config.onnx_url, model.shape[2:])
    names = read_record(config.onnx_url)[0]["class_names"]
    dataset, tree = evaluation_dataset(config, names, preprocessing=preprocessing)
    judgements = Judgements()
    predict = first_output(model)
    counts = count_correct(predict, dataset, batch_size, paths=tree.paths, judgements=judgements)
    top1, top5 = counts.accuracies()
    print(f"Top1-Acc: {top1:.4f}\nTop5-Acc: {top5:.4f}")
    finish_report(config.report, judgements, tree, counts)
    print(f"evaluated {counts.images} images", flush=True)


if __name__ == "__main__":
    run(evaluate, CONFIG)
