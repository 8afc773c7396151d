"""Evaluate an exported MobileNetV1, ONNX or MINDIR, on the preprocessing of eval.py.

    python eval_onnx.py --onnx_url mobilenetv1.onnx --dataset_path /data/cifar --device_target CPU

Batch and image size are the file's. GPU asks for onnxruntime's CUDA provider, CPU and Ascend for
its CPU provider.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run

# isort: split
from src.dataset import evaluation_dataset
from src.model_utils.config import load_config
from src.vendored.accuracy import count_correct
from src.vendored.exported import classifier_outputs, first_output, open_model
from src.vendored.report import Judgements, finish_report


def evaluate() -> None:
    """Top-1 and top-5 accuracy over all images, in eval.py's form."""
    config = load_config(
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
    )
    model = open_model(config.onnx_path, config.device_target, config.device_id)
    batch_size, _, config.height, config.width = model.shape
    config.batch_size = batch_size or config.batch_size
    config.class_num = classifier_outputs(config.onnx_path, model)
    dataset, tree = evaluation_dataset(config, config.known_classes)
    judgements = Judgements()
    predict = first_output(model)
    counts = count_correct(predict, dataset, batch_size, paths=tree.paths, judgements=judgements)
    top1, top5 = counts.accuracies()
    scores = {"top_5_accuracy": top5, "top_1_accuracy": top1}
    print(f"result: {scores} ckpt={config.onnx_path}")
    finish_report(config.report, judgements, tree, counts)
    print(f"evaluated {counts.images} images", flush=True)


if __name__ == "__main__":
    run(evaluate)
