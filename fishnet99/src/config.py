"""The settings: documented defaults, over them what is documented for several devices, over that
the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from src.vendored.device import ranks_of_run
from src.vendored.flags import parse_flags, select
from src.vendored.image_options import SETTINGS as IMAGE_OPTIONS
from src.vendored.inputs import look_at_inputs
from src.vendored.launch import UserError, integer_variable
from src.vendored.mixing import SETTINGS as MIXING
from src.vendored.options import DROP_PATH
from src.vendored.options import SETTINGS as OPTIONS
from src.vendored.rand_augment import SETTINGS as AUGMENTATION
from src.vendored.recipes import DOCUMENTED, with_recipe
from src.vendored.record import take_options
from src.vendored.report import SETTING as REPORT
from src.vendored.using import CALIBRATION, CLASSIFYING, EXPORTING, FINE_TUNING, FORMATS

BEYOND = OPTIONS | DROP_PATH | MIXING | AUGMENTATION  # of training, beside the documentation
# group: {key: (default, meaning, and where not every value will do, the choices or the range)}
# fmt: off
SETTINGS = {
    "network": {
        "num_classes": (1000, "classes of the network", {"min": 2}),
        "pool_padding": ("same",
                         "padding of the stem's max pool; symmetric for weights from PyTorch",
                         ["same", "symmetric"]),
    },
    "images": {
        "image_height": (224, "image height: a multiple of 32, or up to 3 less", {"min": 29}),
        "image_width": (224, "image width, equal to image_height", {"min": 29}),
        "image_size": (0, "when not 0, sets image_height and image_width", {"min": 0}),
        **IMAGE_OPTIONS,
    },
    "training data": {
        "name": ("imagenet", "data set; part of the checkpoints' names", ["imagenet"]),
        "data_path": ("/data/ILSVRC2012_train/",
                      "training images, one folder a class, or the folder above"),
    },
    "evaluation data": {
        "val_data_path": ("/data/ILSVRC2012_val/",
                          "evaluation images, one folder a class, or the folder above"),
        "class_names": ("",
                        "text file of the class names, for models that do not know theirs"),
        "drop_remainder": (False,
                           "leave out the last, smaller batch, as the documented accuracies do"),
    },
    "report": {"report": REPORT},
    "batches": {
        "batch_size": (128, "images a batch, on each device", {"min": 1}),
    },
    "data pipeline": {
        "num_workers": (16, "data pipeline workers, at most one a core", {"min": 1}),
    },
    "random numbers": {
        "seed": (1, "of everything drawn by chance", {"min": 0}),
    },
    "training": {
        "pre_trained": ("False",
                        "weights to start from: a checkpoint, or True for that of checkpoint_path"),
        "resume": ("",
                   "checkpoint to go on from; auto: the newest of save_checkpoint_path"),
        "epoch_size": (160, "epochs of training; 110 on two GPUs unless given", {"min": 1}),
        "lr_init": (0.05, "initial learning rate; 0.05 for each device unless given", {"min": 0}),
        "T_max": (150,
                  "epochs over which the rate falls to eta_min; 100 on two GPUs unless given",
                  {"min": 1}),
        "eta_min": (0.0, "learning rate at epoch T_max", {"min": 0}),
        "warmup_epochs": (0, "epochs over which the learning rate rises from 0", {"min": 0}),
        "momentum": (0.9, "momentum of the optimiser", {"min": 0, "max": 1}),
        "weight_decay": (1e-4, "weight decay, on everything but biases and batch norm", {"min": 0}),
        "use_label_smooth": (True, "smooth the labels in training"),
        "label_smooth_factor": (0.1,
                                "share of a label that goes to the other classes",
                                {"min": 0, "max": 0.5}),
        "is_dynamic_loss_scale": (0,
                                  "1: the loss scale adapts itself; 0: it is loss_scale", [0, 1]),
        "loss_scale": (1024, "fixed loss scale of mixed precision", {"min": 1}),
    },
    "saving": {
        "save_checkpoint": (True, "write checkpoints"),
        "save_checkpoint_path": ("./", "checkpoints go to ckpt_RANK in this folder"),
        "save_checkpoint_epochs": (2, "epochs between checkpoints", {"min": 1}),
        "save_checkpoint_steps": (0, "steps between checkpoints within epochs, 0: none there",
                                  {"min": 0}),
        "keep_checkpoint_max": (25, "how many checkpoints stay", {"min": 1}),
    },
    "evaluation while training": {
        "run_eval": (False, "evaluate while training and keep the best checkpoint"),
        "eval_interval": (1, "epochs between evaluations", {"min": 1}),
    },
    **BEYOND,
    "checkpoint": {
        "checkpoint_path": ("./ckpt/train_fishnet99_imagenet-146_10009.ckpt",
                            "checkpoint file; eval.py also takes a folder of them"),
    },
    "export": {
        "file_name": ("FishNet99", "exported file, without suffix"),
        "file_format": ("MINDIR", "exported format; AIR on Ascend only", FORMATS),
        **EXPORTING,
        "calibration": CALIBRATION,
    },
    "exported model": {
        "onnx_path": ("./FishNet99.onnx", "exported file to evaluate, .onnx or .mindir"),
    },
    "fine-tuning": FINE_TUNING,
    "prediction": CLASSIFYING,
    "device": {
        "device_target": ("Ascend", "where to run", ["Ascend", "GPU", "CPU"]),
        "device_id": (0, "which device; in distributed training the launcher decides", {"min": 0}),
    },
}
# fmt: on
RECORDED = {**SETTINGS["network"], **SETTINGS["images"]}  # what a model carries with it
ALIASES = {
    "device_type": "device_target",
    "dataset_name": "name",
    "ckpt_file": "checkpoint_path",
    "class_num": "num_classes",
    "height": "image_height",
    "width": "image_width",
    "onnx_url": "onnx_path",
}
imagenet_cfg = SimpleNamespace(
    **{key: row[0] for group in SETTINGS.values() for key, row in group.items()}
)


def load_config(
    *groups: str,
    description: str | None = None,
    aliases: dict[str, str] | None = None,
    record_of: str = "",
    require: Callable[[SimpleNamespace], None] | None = None,
    **defaults: object,
) -> SimpleNamespace:
    """The settings in `groups` as attributes; `aliases` and `defaults` are the script's own.

    `record_of` names the key of a model file: what it was trained with serves where nothing else is
    given, and its class names become `known_classes`. Raises UserError for an unknown key, a wrong
    type or a value out of range, and for an image size that the network cannot halve five times.
    """
    defaults = {"device_id": integer_variable("DEVICE_ID", 0), **defaults}
    aliases = {**ALIASES, **(aliases or {})}
    settings = with_recipe(select(SETTINGS, groups, **defaults), aliases)
    values, given = parse_flags(settings, aliases, description=description)
    if "training" in groups and values.get("recipe", DOCUMENTED) == DOCUMENTED:
        devices = 1 if values.get("base_batch") else ranks_of_run()  # The rates are scaled by that.
        settings = select(settings, groups, **for_devices(values["device_target"], devices))
        values, given = parse_flags(settings, aliases, description=description)
    if record_of:
        values["known_classes"] = take_options(values, given, RECORDED, record_of)
    config = _with_square_images(SimpleNamespace(**values))
    look_at_inputs(config, require)
    return config


def _with_square_images(config):
    if not hasattr(config, "image_size"):
        return config
    if config.image_size:
        config.image_height = config.image_width = config.image_size
        config.image_size = 0
    height, width = config.image_height, config.image_width
    if height != width or -(-height // 4) % 8:
        raise UserError(
            f"image_height {height} and image_width {width}: equal multiples of 32 (or up to 3"
            " less) are wanted; set both with --image_size"
        )
    return config


def for_devices(device_target: str, devices: int) -> dict:
    """What is documented for several devices: lr_init 0.4 on eight Ascend, 0.1 on two GPUs, which
    train for less.

    Other numbers of devices follow the same rule: the rate grows with the batch of a step.
    """
    two_gpus = (device_target, devices) == ("GPU", 2)
    shorter = {"epoch_size": 110, "T_max": 100} if two_gpus else {}
    return {"lr_init": round(imagenet_cfg.lr_init * devices, 6), **shorter}
