"""The settings: documented defaults, over them the command line."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from src.modelarts import fetch_checkpoint
from src.vendored.flags import parse_flags, select
from src.vendored.image_options import SETTINGS as IMAGE_OPTIONS
from src.vendored.inputs import look_at_inputs
from src.vendored.launch import integer_variable
from src.vendored.mixing import SETTINGS as MIXING
from src.vendored.options import DROP_PATH
from src.vendored.options import SETTINGS as OPTIONS
from src.vendored.rand_augment import SETTINGS as AUGMENTATION
from src.vendored.recipes import with_recipe
from src.vendored.record import take_options
from src.vendored.report import SETTING as REPORT
from src.vendored.using import CALIBRATION, CLASSIFYING, EXPORTING, FINE_TUNING, FORMATS

BEYOND = OPTIONS | DROP_PATH | MIXING | AUGMENTATION  # of training, beside the documentation
# group: {key: (default, meaning, and where not every value will do, the choices or the range)}
# fmt: off
SETTINGS = {
    "network": {
        "class_num": (1000, "classes of the network", {"min": 2}),
        "mnasnet_b1": (False,
                       "the paper's network, as in torchvision, instead of the documented one"),
        "depth_multiplier": (1.0,
                             "factor of all channel counts but the last; the paper has 0.5, 0.75,"
                             " 1.0 and 1.3",
                             {"min": 0.01, "max": 16}),
        "bn_momentum": (0.9,
                        "part of batch norm's moving statistics kept at each step; 0.9997 in"
                        " torchvision",
                        {"min": 0, "max": 1}),
    },
    "images": {
        "image_size": (224, "side of the images", {"min": 32}),
        **IMAGE_OPTIONS,
    },
    "training data": {
        "dataset_path": ("", "training images, one folder a class, or the folder above"),
        "crop_scale": (0.08,
                       "smallest share of an image that a training crop takes",
                       {"min": 0.01, "max": 1}),
    },
    "evaluation data": {
        "eval_dataset_path": ("", "evaluation images, one folder a class, or the folder above"),
        "class_names": ("",
                        "text file of the class names, for models that do not know theirs"),
        "drop_remainder": (False,
                           "leave out the last, smaller batch, as the documented accuracies do"),
    },
    "report": {"report": REPORT},
    "batches": {
        "batch_size": (256, "images a batch, on each device", {"min": 1}),
    },
    "data pipeline": {
        "num_workers": (8, "data pipeline workers, at most one a core", {"min": 1}),
    },
    "random numbers": {
        "seed": (1, "of everything drawn by chance", {"min": 0}),
    },
    "loss": {
        "use_label_smooth": (True, "smooth the labels"),
        "label_smooth_factor": (0.1,
                                "share of a label that goes to the other classes",
                                {"min": 0, "max": 0.999}),
    },
    "training": {
        "pre_trained": ("", "checkpoint whose weights training starts from"),
        "resume": ("",
                   "checkpoint to go on from; auto: the newest of save_checkpoint_path"),
        "epoch_size": (250, "epochs of training; the documented run on GPU took 300", {"min": 1}),
        "opt": ("rmsprop", "optimiser", ["rmsprop", "sgd"]),
        "opt_eps": (0.001, "added to RMSProp's mean square", {"min": 0}),
        "momentum": (0.9, "momentum of the optimiser", {"min": 0, "max": 1}),
        "weight_decay": (1e-5, "weight decay, on everything but batch norm", {"min": 0}),
        "loss_scale": (1024.0, "fixed loss scale of mixed precision", {"min": 1}),
        "lr_init": (0.0001, "learning rate of the first step", {"min": 0}),
        "lr_max": (0.2, "learning rate at the end of the warm-up", {"min": 0}),
        "lr_end": (0.00001, "learning rate at the end", {"min": 0}),
        "warmup_epochs": (5, "epochs over which the rate rises from lr_init to lr_max",
                          {"min": 0}),
        "lr_decay_mode": ("other",
                          "how the rate falls then; other is a line, see src/lr_generator.py",
                          ["other", "poly", "cosine", "linear", "steps"]),
    },
    "saving": {
        "save_checkpoint": (True, "write checkpoints"),
        "save_checkpoint_path": ("./checkpoint", "checkpoints go to model_RANK in this folder"),
        "save_checkpoint_epochs": (1, "epochs between checkpoints", {"min": 1}),
        "save_checkpoint_steps": (0, "steps between checkpoints within epochs, 0: none there",
                                  {"min": 0}),
        "keep_checkpoint_max": (5, "how many checkpoints stay", {"min": 1}),
    },
    "evaluation while training": {
        "run_eval": (False, "evaluate while training and keep the best checkpoint"),
        "eval_interval": (1, "epochs between evaluations", {"min": 1}),
    },
    **BEYOND,
    "checkpoint": {
        "checkpoint_path": ("", "checkpoint file"),
    },
    "export": {
        "file_name": ("MNasNet", "exported file, without suffix"),
        "file_format": ("MINDIR", "exported format; AIR on Ascend only", FORMATS),
        "width": (0, "image width; 0: image_size", {"min": 0}),
        "height": (0, "image height; 0: image_size", {"min": 0}),
        **EXPORTING,
        "calibration": CALIBRATION,
    },
    "exported model": {
        "onnx_url": ("./MNasNet.onnx", "exported file to evaluate, .onnx or .mindir"),
    },
    "fine-tuning": FINE_TUNING,
    "prediction": CLASSIFYING,
    "modelarts": {
        "run_modelarts": (False, "fetch the images first, or the checkpoint; store checkpoints"),
        "data_url": ("", "where the images lie in object storage"),
        "train_url": ("", "where checkpoints lie in object storage"),
        "cache_path": ("/cache", "local folder of the copies"),
    },
    "distributed run": {
        "run_distribute": (False, "one of several processes, started by a script or by msrun"),
    },
    "device": {
        "device_target": ("Ascend", "where to run", ["Ascend", "GPU", "CPU"]),
        "device_id": (0, "which device; in distributed training the launcher decides", {"min": 0}),
    },
}
# fmt: on
RECORDED = {**SETTINGS["network"], **SETTINGS["images"]}  # what a model carries with it
TRAINED = {**RECORDED, **SETTINGS["loss"]}  # and a checkpoint, whose loss is evaluated
ALIASES = {
    "device_type": "device_target",
    "num_classes": "class_num",
    "ckpt_file": "checkpoint_path",
    "onnx_path": "onnx_url",
}
# Fine-tuning has other defaults of some.
config = SimpleNamespace(
    **{
        key: row[0]
        for title, group in SETTINGS.items()
        if title != "fine-tuning"
        for key, row in group.items()
    }
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
    given, and its class names become `known_classes`. On ModelArts that file is fetched first.
    Raises UserError for an unknown key, a wrong type or a value out of range.
    """
    defaults = {"device_id": integer_variable("DEVICE_ID", 0), **defaults}
    aliases = {**ALIASES, **(aliases or {})}
    settings = with_recipe(select(SETTINGS, groups, **defaults), aliases)
    values, given = parse_flags(settings, aliases, description=description)
    if record_of and values.get("run_modelarts"):
        values[record_of] = fetch_checkpoint(SimpleNamespace(**values))
    if record_of:
        taken = {key: row for key, row in TRAINED.items() if key in values}
        values["known_classes"] = take_options(values, given, taken, record_of)
    config = SimpleNamespace(**values)
    look_at_inputs(config, require)
    return config
