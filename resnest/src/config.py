"""The documented settings, and how a script reads them and flags of its own from the command
line.
"""

from types import SimpleNamespace

from src.vendored.launch import UserError, parse_flags

SCHEDULERS = ["cosine_annealing", "exponential"]
# key: (default, meaning[, limit: a list of choices, or the smallest and largest value])
SETTINGS = {
    "net_name": ("resnest50", "network", ["resnest50", "resnest101", "resnest200", "resnest269"]),
    "root": (
        "/home/mindspore/dataset/imagenet_original",
        "data set: train/<class>/<image> and val/<class>/<image> in it",
    ),
    "num_classes": (1000, "classes that the network tells apart", {"min": 2}),
    "base_size": (
        224,
        "documented beside crop_size; a random crop needs no size before it",
        {"min": 1},
    ),
    "crop_size": (224, "side of the training images, a multiple of 32", {"min": 32}),
    "eval_crop_size": (
        256,
        "side of the images in evaluation, cropped from 5/4 of it; a multiple of 32",
        {"min": 32},
    ),
    "label_smoothing": (
        0.1,
        "share of probability that the loss gives to the other classes",
        {"min": 0, "max": 0.99},
    ),
    "batch_size": (64, "images a step on each device", {"min": 1, "max": 64}),
    "test_batch_size": (64, "images a step in evaluation, on each device", {"min": 1}),
    "last_gamma": (
        True,
        "start the last batch norm of each block at 0, so that blocks start as their shortcuts",
    ),
    "final_drop": (
        1.0,
        "probability of keeping a feature before the classifier: 1 drops none",
        {"min": 0, "max": 1},
    ),
    "attention_bias": (
        False,
        "biases in the split attention, as in the weights published for PyTorch",
    ),
    "epochs": (
        270,
        "passes over the training set; max_epoch and T_max follow where only this is given",
        {"min": 1},
    ),
    "start_epoch": (0, "epochs already done, which the schedule leaves out", {"min": 0}),
    "num_workers": (
        64,
        "workers of the data pipeline; no more than the machine has cores are used",
        {"min": 1},
    ),
    "lr": (0.025, "learning rate for one device, multiplied by the number of devices", {"min": 0}),
    "lr_scheduler": ("cosine_annealing", " or ".join(SCHEDULERS), SCHEDULERS),
    "lr_epochs": (
        "30,60,90,120,150,180,210,240,270",
        "exponential: epochs from which lr is multiplied by lr_gamma",
    ),
    "lr_gamma": (0.1, "exponential: the factor", {"min": 0}),
    "eta_min": (0.0, "cosine_annealing: rate at epoch T_max", {"min": 0}),
    "T_max": (270, "cosine_annealing: epochs to eta_min", {"min": 1}),
    "max_epoch": (270, "epochs that the schedule covers", {"min": 1}),
    "warmup_epochs": (5, "epochs over which the rate rises from 0", {"min": 0}),
    "weight_decay": (0.0001, "L2 penalty", {"min": 0}),
    "momentum": (0.9, "of the optimiser", {"min": 0, "max": 1}),
    "is_dynamic_loss_scale": (
        0,
        "1: the loss scale follows overflows, from 65536; 0: it stays at loss_scale",
        [0, 1],
    ),
    "loss_scale": (
        1024.0,
        "the loss is multiplied by this for float16 gradients, which are divided by it again",
        {"min": 1},
    ),
    "disable_bn_wd": (True, "no weight decay on batch norm and biases"),
    "device_target": ("Ascend", "Ascend, GPU or CPU", ["Ascend", "GPU", "CPU"]),
    "device_id": (0, "which device, from 0", {"min": 0}),
    "outdir": ("output", "folder of what is written"),
    "run_distribute": (False, "one of several processes, started by a script or msrun"),
}
ALIASES = {"dataset_path": "root", "class_num": "num_classes", "image_size": "eval_crop_size"}
config_train = SimpleNamespace(**{key: setting[0] for key, setting in SETTINGS.items()})


def load_config(flags, aliases, argv=None):
    """SETTINGS and a script's own `flags`, of the same form, as attributes; `aliases` are {other
    flag: key}.

    Raises UserError for an unknown flag, a wrong type, a value out of range and values that do not
    fit each other.
    """
    settings = {**SETTINGS, **flags}
    limits = {key: setting[2] for key, setting in settings.items() if len(setting) > 2}
    config = SimpleNamespace(
        **parse_flags(
            {key: setting[0] for key, setting in settings.items()},
            {key: setting[1] for key, setting in settings.items()},
            limits,
            {**ALIASES, **aliases},
            argv,
        )
    )
    for key in ("crop_size", "eval_crop_size"):
        if getattr(config, key) % 32:
            raise UserError(f"{key} is a multiple of 32, got {getattr(config, key)}")
    for key in ("max_epoch", "T_max"):
        if getattr(config, key) == SETTINGS[key][0]:
            setattr(config, key, config.epochs)
    if config.epochs > config.max_epoch:
        raise UserError(
            f"epochs is {config.epochs}, but the schedule covers max_epoch = {config.max_epoch}"
        )
    if not all(epoch.strip().isdigit() for epoch in config.lr_epochs.split(",")):
        raise UserError(f"lr_epochs is a list of epochs such as 30,60,90, got '{config.lr_epochs}'")
    return config
