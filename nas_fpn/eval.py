"""Evaluate a NAS-FPN checkpoint: COCO's metrics of its boxes on the validation images.

    python eval.py --mindrecord_dir /data/MindRecord_COCO --checkpoint_path X.ckpt \\
        --instances_set '/data/cocodataset/annotations/instances_{}.json'
    python eval.py --device_target CPU ... --visualize pictures --per_class True

The detections go to predictions.json in the current folder.
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import run, set_up_device

# isort: split
import mindspore as ms

from src.evaluation import evaluate, evaluation_dataset
from src.model_utils.config import config, show_config
from src.model_utils.moxing_adapter import moxing_wrapper, unzip_data_set
from src.retinanet_nasfpn import inference_network
from src.vendored.checkpoint import load_weights


def prepare_modelarts():
    """Take the unpacked data."""
    if config.need_modelarts_dataset_unzip:
        unzip_data_set()


@moxing_wrapper(prepare_modelarts)
def main():
    """Every validation image counts, but for those with crowd annotations."""
    show_config()
    set_up_device(config.device_target, config.device_id)
    print("Start Eval!")
    network = inference_network(config)
    print("Load Checkpoint!")
    load_weights(network, config.checkpoint_path)
    evaluate(
        lambda image: [output.asnumpy() for output in network(ms.Tensor(image))],
        evaluation_dataset(config),
        config,
    )


if __name__ == "__main__":
    run(main)
