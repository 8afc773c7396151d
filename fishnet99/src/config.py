"""The settings: documented defaults, over them what is documented for several devices, over that
the command line.
"""

import os
from types import SimpleNamespace

from src.vendored.launch import UserError, parse_flags

# key: default, meaning, and where not every value will do, the choices or the range
SETTINGS = {
    "name": ("imagenet", "data set; part of the checkpoints' names", ["imagenet"]),
    "pre_trained": (
        "False",
        "start from weights: a checkpoint file, or True for the one in checkpoint_path",
    ),
    "num_classes": (1000, "classes of the network", {"min": 2}),
    "lr_init": (0.05, "initial learning rate; 0.05 for each device unless given", {"min": 0}),
    "batch_size": (128, "images a batch, on each device, in training and evaluation", {"min": 1}),
    "epoch_size": (160, "epochs of training; 110 on two GPUs unless given", {"min": 1}),
    "T_max": (
        150,
        "epochs over which the learning rate falls to eta_min; 100 on two GPUs unless given",
        {"min": 1},
    ),
    "eta_min": (0.0, "learning rate at epoch T_max", {"min": 0}),
    "warmup_epochs": (0, "epochs over which the learning rate rises from 0", {"min": 0}),
    "momentum": (0.9, "momentum of the optimiser", {"min": 0, "max": 1}),
    "weight_decay": (1e-4, "weight decay, on everything but biases and batch norm", {"min": 0}),
    "use_label_smooth": (True, "smooth the labels in training"),
    "label_smooth_factor": (
        0.1,
        "share of a label that goes to the other classes",
        {"min": 0, "max": 0.5},
    ),
    "image_height": (224, "image height: a multiple of 32, or up to 3 less", {"min": 29}),
    "image_width": (224, "image width, equal to image_height", {"min": 29}),
    "image_size": (0, "when not 0, sets image_height and image_width", {"min": 0}),
    "pool_padding": (
        "same",
        "padding of the stem's max pool; symmetric for weights from PyTorch",
        ["same", "symmetric"],
    ),
    "data_path": ("/data/ILSVRC2012_train/", "training images, one folder a class"),
    "val_data_path": ("/data/ILSVRC2012_val/", "evaluation images, one folder a class"),
    "num_workers": (16, "data pipeline workers, at most one a core", {"min": 1}),
    "drop_remainder": (
        False,
        "leave out the last, smaller batch in evaluation, as the documented accuracies do",
    ),
    "device_target": ("Ascend", "where to run", ["Ascend", "GPU", "CPU"]),
    "device_id": (0, "which device; in distributed training the launcher decides", {"min": 0}),
    "is_dynamic_loss_scale": (0, "1: the loss scale adapts itself; 0: it is loss_scale", [0, 1]),
    "loss_scale": (1024, "fixed loss scale of mixed precision", {"min": 1}),
    "keep_checkpoint_max": (25, "how many checkpoints stay", {"min": 1}),
    "save_checkpoint_epochs": (2, "epochs between checkpoints", {"min": 1}),
    "save_checkpoint_path": ("./", "checkpoints go to ckpt_RANK in this folder"),
    "resume": (
        "",
        "auto (the newest checkpoint of save_checkpoint_path) or a checkpoint to go on from",
    ),
    "run_eval": (False, "evaluate while training and keep the best checkpoint"),
    "eval_interval": (1, "epochs between evaluations", {"min": 1}),
    "checkpoint_path": (
        "./ckpt/train_fishnet99_imagenet-146_10009.ckpt",
        "checkpoint to start from, evaluate (also a folder of them) or export",
    ),
    "onnx_path": ("./FishNet99.onnx", "exported file to evaluate, .onnx or .mindir"),
    "file_name": ("FishNet99", "exported file, without suffix"),
    "file_format": ("MINDIR", "exported format; AIR on Ascend only", ["AIR", "MINDIR", "ONNX"]),
}
ALIASES = {
    "device_type": "device_target",
    "dataset_name": "name",
    "ckpt_file": "checkpoint_path",
    "class_num": "num_classes",
    "height": "image_height",
    "width": "image_width",
    "onnx_url": "onnx_path",
}
imagenet_cfg = SimpleNamespace(**{key: row[0] for key, row in SETTINGS.items()})


def rank_size():
    """Devices of a distributed run, as its launcher says in the environment variable RANK_SIZE;
    1 without it.
    """
    return _number("RANK_SIZE", 1)


def _number(variable, default):
    text = os.environ.get(variable) or str(default)
    if not text.isdigit():
        raise UserError(
            f"the environment variable {variable}={text} is not a number; unset it, or use the"
            " scripts"
        )
    return int(text)


def load_config(dataset_path, argv=None, **defaults):
    """All keys as attributes. `--dataset_path` stands for the key `dataset_path`; `defaults` are
    the script's own.

    Raises UserError for an unknown key, a wrong type or a value out of range, and for an image size
    that the network cannot halve five times.
    """
    documented = {
        **vars(imagenet_cfg),
        "device_id": _number("DEVICE_ID", imagenet_cfg.device_id),
        **defaults,
    }
    meanings = {key: row[1] for key, row in SETTINGS.items()}
    limits = {key: row[2] for key, row in SETTINGS.items() if len(row) > 2}
    aliases = {**ALIASES, "dataset_path": dataset_path}
    values = parse_flags(documented, meanings, limits, aliases, argv)
    documented.update(for_devices(values["device_target"], rank_size()))
    values = parse_flags(documented, meanings, limits, aliases, argv)
    if values["image_size"]:
        values["image_height"] = values["image_width"] = values["image_size"]
    height, width = values["image_height"], values["image_width"]
    if height != width or -(-height // 4) % 8:
        raise UserError(
            f"image_height {height} and image_width {width}: equal multiples of 32 (or up to 3"
            " less) are wanted; set both with --image_size"
        )
    return SimpleNamespace(**values)


def for_devices(device_target, device_num):
    """What is documented for several devices: lr_init 0.4 on eight Ascend, 0.1 on two GPUs, which
    train for less.

    Other numbers of devices follow the same rule: the learning rate grows with the batch of a step.
    """
    shorter = {"epoch_size": 110, "T_max": 100} if (device_target, device_num) == ("GPU", 2) else {}
    return {"lr_init": round(imagenet_cfg.lr_init * device_num, 6), **shorter}
