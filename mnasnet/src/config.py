"""The settings of training, evaluation and export: documented defaults, over them the command
line.
"""

import os
from types import SimpleNamespace

from src.vendored.launch import UserError, parse_flags

# key: default, meaning, and where not every value will do, the choices or the range
SETTINGS = {
    "class_num": (1000, "classes of the network", {"min": 2}),
    "batch_size": (256, "images a batch, on each device, in training and evaluation", {"min": 1}),
    "loss_scale": (
        1024.0,
        "the loss is multiplied by this for float16 gradients, which are divided by it again",
        {"min": 1},
    ),
    "momentum": (0.9, "momentum of the optimiser", {"min": 0, "max": 1}),
    "weight_decay": (1e-5, "L2 penalty, on everything but batch norm's gamma and beta", {"min": 0}),
    "epoch_size": (250, "epochs of training; the documented run on GPU took 300", {"min": 1}),
    "save_checkpoint": (True, "write checkpoints"),
    "save_checkpoint_epochs": (1, "epochs between checkpoints", {"min": 1}),
    "keep_checkpoint_max": (5, "how many checkpoints stay", {"min": 1}),
    "save_checkpoint_path": ("./checkpoint", "checkpoints go to model_RANK in this folder"),
    "opt": ("rmsprop", "optimiser", ["rmsprop", "sgd"]),
    "opt_eps": (0.001, "added to RMSProp's mean square", {"min": 0}),
    "warmup_epochs": (5, "epochs over which the rate rises from lr_init to lr_max", {"min": 0}),
    "lr_decay_mode": (
        "other",
        "how the rate falls then; other is a line, see src/lr_generator.py",
        ["other", "poly", "cosine", "linear", "steps"],
    ),
    "use_label_smooth": (True, "smooth the labels"),
    "label_smooth_factor": (
        0.1,
        "share of a label that goes to the other classes",
        {"min": 0, "max": 0.999},
    ),
    "lr_init": (0.0001, "learning rate of the first step", {"min": 0}),
    "lr_max": (0.2, "learning rate at the end of the warm-up", {"min": 0}),
    "lr_end": (0.00001, "learning rate at the end", {"min": 0}),
    "mnasnet_b1": (False, "the paper's network, as in torchvision, instead of the documented one"),
    "depth_multiplier": (
        1.0,
        "factor of all channel counts but the last; the paper has 0.5, 0.75, 1.0 and 1.3",
        {"min": 0.01, "max": 16},
    ),
    "bn_momentum": (
        0.9,
        "part of batch norm's moving statistics kept at each step; 0.9997 in torchvision",
        {"min": 0, "max": 1},
    ),
    "image_size": (224, "side of the images", {"min": 32}),
    "crop_scale": (
        0.08,
        "smallest share of an image that a training crop takes",
        {"min": 0.01, "max": 1},
    ),
    "dataset_path": ("", "images, in one folder a class"),
    "eval_dataset_path": ("", "images for run_eval, in one folder a class"),
    "num_workers": (8, "data pipeline workers, at most one a core", {"min": 1}),
    "drop_remainder": (
        False,
        "leave out the last, smaller batch in evaluation, as the documented accuracies do",
    ),
    "device_target": ("Ascend", "where to run", ["Ascend", "GPU", "CPU"]),
    "device_id": (0, "which device; the environment variable DEVICE_ID unless given", {"min": 0}),
    "run_distribute": (False, "data parallel training, started by the scripts"),
    "pre_trained": ("", "checkpoint whose weights training starts from"),
    "resume": (
        "",
        "auto (the newest checkpoint of save_checkpoint_path) or a checkpoint to go on from",
    ),
    "run_eval": (False, "evaluate while training and keep the best checkpoint"),
    "eval_interval": (1, "epochs between evaluations", {"min": 1}),
    "checkpoint_path": ("", "checkpoint to evaluate or export"),
    "onnx_url": ("./MNasNet.onnx", "exported file to evaluate, .onnx or .mindir"),
    "file_name": ("MNasNet", "exported file, without suffix"),
    "file_format": ("MINDIR", "exported format; AIR on Ascend only", ["AIR", "MINDIR", "ONNX"]),
    "width": (0, "width of the exported network's images; 0: image_size", {"min": 0}),
    "height": (0, "height of the exported network's images; 0: image_size", {"min": 0}),
    "run_modelarts": (False, "run on ModelArts: copy data and results from and to object storage"),
    "data_url": ("", "ModelArts: where the images lie in object storage"),
    "train_url": ("", "ModelArts: where checkpoints lie in object storage"),
    "cache_path": ("/cache", "ModelArts: local folder of the copies"),
}
ALIASES = {
    "device_type": "device_target",
    "num_classes": "class_num",
    "ckpt_file": "checkpoint_path",
    "onnx_path": "onnx_url",
}
config = SimpleNamespace(**{key: row[0] for key, row in SETTINGS.items()})


def load_config(argv=None, **defaults):
    """All keys as attributes; `defaults` are the script's own.

    Raises UserError for an unknown key, a wrong type and a value out of range.
    """
    documented = {**vars(config), "device_id": _number("DEVICE_ID", config.device_id), **defaults}
    limits = {key: row[2] for key, row in SETTINGS.items() if len(row) > 2}
    return SimpleNamespace(
        **parse_flags(
            documented, {key: row[1] for key, row in SETTINGS.items()}, limits, ALIASES, argv
        )
    )


def _number(variable, default):
    text = os.environ.get(variable) or str(default)
    if not text.isdigit():
        raise UserError(
            f"the environment variable {variable}={text} is not a number; unset it, or use the"
            " scripts"
        )
    return int(text)
