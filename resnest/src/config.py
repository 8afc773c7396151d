"""The settings: documented defaults, over them the command line."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from src.vendored.flags import parse_flags, select
from src.vendored.image_options import SETTINGS as IMAGE_OPTIONS
from src.vendored.inputs import look_at_inputs
from src.vendored.launch import UserError, integer_variable
from src.vendored.mixing import SETTINGS as MIXING
from src.vendored.options import DROP_PATH
from src.vendored.options import SETTINGS as OPTIONS
from src.vendored.recipes import with_recipe
from src.vendored.record import take_options
from src.vendored.report import SETTING as REPORT
from src.vendored.using import CALIBRATION, CLASSIFYING, EXPORTING, FINE_TUNING, FORMATS

SCHEDULERS = ["cosine_annealing", "exponential"]
NETWORKS = ["resnest50", "resnest101", "resnest200", "resnest269"]
ROOT = "/home/mindspore/dataset/imagenet_original"

BEYOND = OPTIONS | DROP_PATH | MIXING  # of training, beside the documentation
# group: {key: (default, meaning, and where not every value will do, the choices or the range)}
# fmt: off
SETTINGS = {
    "network": {
        "net_name": ("resnest50", "which network", NETWORKS),
        "num_classes": (1000, "classes of the network", {"min": 2}),
        "last_gamma": (True,
                       "start the last batch norm of each block at 0, so that blocks start as their"
                       " shortcuts"),
        "final_drop": (1.0,
                       "probability of keeping a feature before the classifier; 1 drops none",
                       {"min": 0, "max": 1}),
        "attention_bias": (False,
                           "biases in the split attention, as in the weights published for"
                           " PyTorch"),
    },
    "images": {
        "crop_size": (224, "side of the training images, a multiple of 32", {"min": 32}),
        "eval_crop_size": (256,
                           "side of the evaluation images, cropped from 5/4 of it; a multiple of"
                           " 32",
                           {"min": 32}),
        **IMAGE_OPTIONS,
    },
    "documented without effect": {
        "base_size": (224, "beside crop_size; a random crop needs no size before it"),
    },
    "training data": {
        "root": (ROOT, "training images, one folder a class, or the folder above"),
    },
    "evaluation data": {
        "eval_root": (ROOT, "evaluation images, one folder a class, or the folder above"),
        "test_batch_size": (64, "images a batch, on each device", {"min": 1}),
        "class_names": ("",
                        "text file of the class names, for models that do not know theirs"),
        "drop_remainder": (False,
                           "leave out the last, smaller batch, as the documented accuracies do"),
    },
    "report": {
        "report": REPORT,
    },
    "batches": {
        "batch_size": (64, "images a batch, on each device", {"min": 1, "max": 64}),
    },
    "data pipeline": {
        "num_workers": (64, "data pipeline workers, at most one a core", {"min": 1}),
    },
    "random numbers": {
        "seed": (1, "of everything drawn by chance", {"min": 0}),
    },
    "training": {
        "pre_trained": ("", "checkpoint whose weights training starts from"),
        "resume": ("False",
                   "checkpoint to go on from; auto: the newest of outdir; True: pre_trained if it"
                   " is given, else auto"),
        "epochs": (270, "epochs of training", {"min": 1}),
        "start_epoch": (0, "epochs already done, which the schedule leaves out", {"min": 0}),
        "lr": (0.025, "learning rate for one device, times the number of devices", {"min": 0}),
        "lr_scheduler": ("cosine_annealing", "how the rate falls", SCHEDULERS),
        "lr_epochs": ("30,60,90,120,150,180,210,240,270",
                      "exponential: epochs from which lr is multiplied by lr_gamma"),
        "lr_gamma": (0.1, "exponential: the factor", {"min": 0}),
        "eta_min": (0.0, "cosine_annealing: learning rate at epoch T_max", {"min": 0}),
        "T_max": (270,
                  "cosine_annealing: epochs to eta_min; as many as epochs unless given",
                  {"min": 1}),
        "max_epoch": (270, "epochs that the schedule covers; as many as epochs unless given",
                      {"min": 1}),
        "warmup_epochs": (5, "epochs over which the learning rate rises from 0", {"min": 0}),
        "momentum": (0.9, "momentum of the optimiser", {"min": 0, "max": 1}),
        "weight_decay": (0.0001, "weight decay", {"min": 0}),
        "disable_bn_wd": (True, "no weight decay on batch norm and biases"),
        "label_smoothing": (0.1,
                            "share of a label that goes to the other classes",
                            {"min": 0, "max": 0.99}),
        "is_dynamic_loss_scale": (0,
                                  "1: the loss scale adapts itself; 0: it is loss_scale", [0, 1]),
        "loss_scale": (1024.0, "fixed loss scale of mixed precision", {"min": 1}),
    },
    "output": {
        "outdir": ("output", "folder of what is written"),
    },
    "saving": {
        "save_checkpoint": (True, "write checkpoints"),
        "save_checkpoint_epochs": (1, "epochs between checkpoints", {"min": 1}),
        "save_checkpoint_steps": (0, "steps between checkpoints within epochs, 0: none there",
                                  {"min": 0}),
        "keep_checkpoint_max": (3, "how many checkpoints stay", {"min": 1}),
    },
    "evaluation while training": {
        "run_eval": (True, "evaluate while training and keep the best checkpoint"),
        "eval_interval": (10, "epochs between evaluations", {"min": 1}),
        "eval_start_epoch": (1, "epoch of the first evaluation", {"min": 1}),
    },
    **BEYOND,
    "checkpoint": {
        "checkpoint_path": ("./output/ckpt_0/resnest50-270_2502.ckpt", "checkpoint file"),
    },
    "export": {
        "file_name": ("", "exported file, without suffix; net_name where this is not given"),
        "file_format": ("MINDIR", "exported format; AIR on Ascend only", FORMATS),
        "height": (0, "image height, a multiple of 32; 0: eval_crop_size", {"min": 0}),
        "width": (0, "image width, a multiple of 32; 0: eval_crop_size", {"min": 0}),
        **EXPORTING,
        "calibration": CALIBRATION,
    },
    "exported model": {
        "onnx_path": ("resnest50.onnx", "exported file to evaluate, .onnx or .mindir"),
    },
    "fine-tuning": FINE_TUNING,
    "prediction": CLASSIFYING,
    "modelarts": {
        "is_model_arts": (False, "copy data_url to root first, and outdir to train_url at the end"),
        "data_url": ("", "where the images lie in object storage"),
        "train_url": ("", "where results go in object storage"),
    },
    "distributed run": {
        "run_distribute": (False, "one of several processes, started by a script or by msrun"),
    },
    "size of the run": {
        "device_num": (1, "devices of a distributed run, as many as its launcher starts",
                       {"min": 1}),
    },
    "device": {
        "device_target": ("Ascend", "where to run", ["Ascend", "GPU", "CPU"]),
        "device_id": (0, "which device; in distributed training the launcher decides", {"min": 0}),
    },
}
# fmt: on
RECORDED = {**SETTINGS["network"], **SETTINGS["images"]}  # what a model carries with it
ALIASES = {
    "device_type": "device_target",
    "class_num": "num_classes",
    "image_size": "eval_crop_size",
    "pretrained_ckpt_path": "checkpoint_path",
    "ckpt_path": "checkpoint_path",
    "ckpt_file": "checkpoint_path",
    "onnx_url": "onnx_path",
    "mindir_path": "onnx_path",
    "save_ckpt": "save_checkpoint",
    "epoch_size": "epochs",
}
config_train = SimpleNamespace(
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
    type, a value out of range and values that do not fit each other.
    """
    defaults = {"device_id": integer_variable("DEVICE_ID", 0), **defaults}
    aliases = {**ALIASES, **(aliases or {})}
    settings = with_recipe(select(SETTINGS, groups, **defaults), aliases)
    values, given = parse_flags(settings, aliases, description=description)
    if record_of:
        values["known_classes"] = take_options(values, given, RECORDED, record_of)
    config = SimpleNamespace(**values)
    if "images" in groups and (config.crop_size % 32 or config.eval_crop_size % 32):
        raise UserError(
            f"crop_size {config.crop_size} and eval_crop_size {config.eval_crop_size}: each is a"
            " multiple of 32"
        )
    if "training" in groups:
        _set_schedule(config, given)
    look_at_inputs(config, require)
    return config


def _set_schedule(config, given):
    """The schedule covers all epochs unless `given`; resume is a path, auto or empty."""
    for key in {"max_epoch", "T_max"} - given:
        setattr(config, key, config.epochs)
    if config.epochs > config.max_epoch:
        raise UserError(
            f"epochs is {config.epochs}, but the schedule covers max_epoch = {config.max_epoch}"
        )
    if not all(epoch.strip().isdecimal() for epoch in config.lr_epochs.split(",")):
        raise UserError(f"lr_epochs is a list of epochs such as 30,60,90, got '{config.lr_epochs}'")
    choices = {"false": "", "true": config.pre_trained or "auto"}
    config.resume = choices.get(config.resume.lower(), config.resume)


def require_processes(config: SimpleNamespace, ranks: int) -> None:
    """Raise UserError where device_num contradicts the number of processes, `ranks`."""
    if config.device_num not in (1, ranks):
        raise UserError(
            f"device_num is {config.device_num}, but {ranks} processes run; start them by a script"
            " or by msrun"
        )
