"""Evaluate a MnasNet checkpoint: loss, top-1 and top-5 accuracy.

python eval.py --device_id 0 --dataset_path /data/imagenet/val --checkpoint_path X.ckpt      #
Ascend python eval.py --dataset_path /data/imagenet/val --checkpoint_path X.ckpt
--device_target="GPU"     # or CPU
"""

# Before MindSpore, which reads the environment that this sets.
from src.vendored.launch import UserError, run, set_up_device

# isort: split
import mindspore as ms
from mindspore.train import Model

from src import modelarts
from src.config import load_config
from src.dataset import evaluation_dataset
from src.loss import CrossEntropySmooth
from src.metrics import evaluation_metrics, smooth_factor
from src.models.mnasnet import build_network
from src.vendored.checkpoint import load_weights


def evaluate():
    """Every image counts, unless --drop_remainder True leaves out the last, smaller batch."""
    config = load_config()
    ms.set_seed(1)
    if config.run_modelarts:
        modelarts.fetch_images(config)
        modelarts.fetch_checkpoint(config)
    if not config.checkpoint_path:
        raise UserError("which checkpoint? --checkpoint_path FILE (--help lists all flags)")
    set_up_device(config.device_target, config.device_id)
    dataset = evaluation_dataset(config, config.dataset_path)
    network = build_network(config)
    load_weights(network, config.checkpoint_path)
    loss = CrossEntropySmooth(True, "mean", smooth_factor(config), config.class_num)
    model = Model(network, loss, metrics=evaluation_metrics(config))
    result = {
        name: float(value) for name, value in model.eval(dataset, dataset_sink_mode=False).items()
    }
    batches = dataset.get_dataset_size()
    images = (
        batches * config.batch_size
        if config.drop_remainder
        else dataset.children[0].get_dataset_size()
    )
    print("result:", result, "ckpt=", config.checkpoint_path)
    print(f"evaluated {images} images", flush=True)


if __name__ == "__main__":
    run(evaluate)
