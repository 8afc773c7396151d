"""The settings: default_config.yaml, over it the yaml file of the data set or of --config_path,
over that the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from src.vendored.flags import converted, early_value, parse_flags, select, show_config
from src.vendored.image_options import SETTINGS as IMAGE_OPTIONS
from src.vendored.inputs import look_at_inputs
from src.vendored.launch import integer_variable
from src.vendored.mixing import SETTINGS as MIXING
from src.vendored.options import SETTINGS as OPTIONS
from src.vendored.rand_augment import SETTINGS as AUGMENTATION
from src.vendored.recipes import with_recipe
from src.vendored.record import take_options
from src.vendored.settings_file import override, settings_from_yaml
from src.vendored.using import CLASSIFYING, FINE_TUNING

__all__ = ["BEYOND", "RECORDED", "load_config", "show_config"]

FOLDER = Path(__file__).resolve().parents[2]
DEFAULTS = FOLDER / "default_config.yaml"
# fmt: off
GROUPS = {  # the keys of default_config.yaml: a script takes the groups that it uses
    "data set": ["dataset"],
    "network": ["class_num", "width_multiplier", "activation", "padding", "bn_epsilon"],
    "images": ["image_size", "height", "width"],
    "data": ["dataset_path"],
    "evaluation data": ["eval_dataset_path", "drop_remainder"],
    "class names": ["class_names"],
    "batches": ["batch_size"],
    "data pipeline": ["num_workers"],
    "training": ["seed", "epoch_size", "pretrain_epoch_size", "pre_trained", "resume",
                 "flip_probability", "dropout", "loss_scale", "momentum", "weight_decay",
                 "use_label_smooth", "label_smooth_factor", "warmup_epochs", "lr_decay_mode",
                 "lr_init", "lr_max", "lr_end"],
    "saving": ["save_checkpoint", "save_checkpoint_path", "save_checkpoint_epochs",
               "save_checkpoint_steps", "keep_checkpoint_max"],
    "evaluation while training": ["run_eval", "eval_interval"],
    "checkpoint": ["checkpoint_path"],
    "export": ["file_name", "file_format", "opset", "dynamic_batch", "precision",
               "calibration"],
    "exported model": ["onnx_path"],
    "report": ["report"],
    "mindir": ["mindir_path"],
    "preparing data": ["result_path"],
    "results": ["result_dir", "label_dir"],
    "device": ["device_target", "device_id"],
    "distributed training": ["run_distribute", "device_num", "parameter_server"],
    "profiling": ["enable_profiling"],
    "modelarts": ["enable_modelarts", "data_url", "train_url", "checkpoint_url", "output_path",
                  "load_path"],
    "local data": ["data_path"],
    "archive of the data": ["need_modelarts_dataset_unzip", "modelarts_dataset_unzip_name"],
}
# fmt: on
BEYOND = OPTIONS | MIXING | AUGMENTATION  # of training, beside the documentation
# What a model carries with it.
RECORDED = (*GROUPS["data set"], *GROUPS["network"], *GROUPS["images"], *IMAGE_OPTIONS)
ALIASES = {
    "dataset_name": "dataset",
    "dateset": "dataset",
    "device_type": "device_target",
    "distribute": "run_distribute",
    "num_classes": "class_num",
    "ckpt_file": "checkpoint_path",
    "checkpoint_file": "checkpoint_path",
    "checkpoint": "checkpoint_path",
    "onnx_url": "onnx_path",
}
CONFIG_PATH = (
    "",
    "yaml file of settings, of which it need only hold what differs; unless given, that of"
    " --dataset and --device_target",
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

    What images are depends on the data set, whose group comes with theirs. `record_of` names the
    key of a model file: what it was trained with goes before the yaml files, and its class names
    become `known_classes`. Raises UserError for an unknown key, a wrong type or a value out of
    range.
    """
    aliases = {**ALIASES, **(aliases or {})}
    if "images" in groups:
        groups = ("data set", *groups)
    settings = settings_from_yaml(DEFAULTS, GROUPS, ALIASES) | BEYOND
    settings["images"] |= IMAGE_OPTIONS
    chosen = early_value(["config_path"], "")
    for path in (DEFAULTS,) if chosen else dict.fromkeys((DEFAULTS, _documented_file(settings))):
        settings = override(settings, path, ALIASES)
    if "recipe" in groups:
        settings = with_recipe(settings, aliases)
    if chosen:
        settings = override(settings, chosen, ALIASES)
    settings |= {"fine-tuning": FINE_TUNING, "prediction": CLASSIFYING}
    device_id = integer_variable("DEVICE_ID", settings["device"]["device_id"][0])
    settings = select(settings, groups, device_id=device_id, **defaults)
    flags = {"settings": {"config_path": CONFIG_PATH}, **settings}
    values, given = parse_flags(flags, aliases, description=description)
    if record_of:
        rows = {key: row for group in settings.values() for key, row in group.items()}
        recorded = {key: row for key, row in rows.items() if key in RECORDED}
        values["known_classes"] = take_options(values, given, recorded, record_of)
    config = SimpleNamespace(**values)
    del config.config_path
    if getattr(config, "image_size", 0):
        config.height = config.width = config.image_size
        config.image_size = 0
    look_at_inputs(config, require)
    return config


def _documented_file(settings):
    """The yaml file of the data set and the device."""
    early = SimpleNamespace(
        dataset=_early_choice(["dataset", "dataset_name", "dateset"], settings["data set"]),
        device_target=_early_choice(["device_target", "device_type"], settings["device"]),
    )
    if early.dataset != "imagenet2012":
        return DEFAULTS
    kind = "gpu_imagenet" if early.device_target == "GPU" else "imagenet"
    return FOLDER / f"default_config_{kind}.yaml"


def _early_choice(names, rows):
    text = early_value(names, "")
    return converted(names[0], text, *rows[names[0]]) if text else ""
