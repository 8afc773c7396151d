"""The settings: default_config.yaml, over it the yaml file of --config_path, over that the command
line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from src.box_utils import OCTAVE_SCALES, feature_sizes
from src.vendored.flags import early_value, parse_flags, select, show_config
from src.vendored.image_options import COLOURS
from src.vendored.inputs import look_at_inputs
from src.vendored.launch import UserError, integer_variable
from src.vendored.options import SETTINGS as OPTIONS
from src.vendored.recipes import recipe_file, with_recipe
from src.vendored.record import take_options
from src.vendored.settings_file import override, read_yaml, settings_from_yaml
from src.vendored.using import ANSWERS

__all__ = ["RECORDED", "load_config", "show_config"]

_config_path = Path(__file__).resolve().parents[2] / "default_config.yaml"
# fmt: off
GROUPS = {  # the keys of default_config.yaml: a script takes the groups that it uses
    "classes": ["num_classes", "coco_classes"],
    "network": ["backbone_blocks", "backbone_width", "backbone_padding", "backbone_epsilon",
                "nasfpn_input_channels", "nasfpn_out_channel",
                "nasfpn_num_outs", "nasfpn_stack_times", "nasfpn_start_level", "nasfpn_end_level",
                "extras_out_channels", "bn_momentum"],
    "images": ["image_size", "img_shape", "feature_size", "num_retinanet_boxes", "steps",
               "anchor_size", "aspect_ratios", "num_default", "prior_scaling"],
    "aspect ratio": ["keep_ratio"],
    "data set": ["dataset"],
    "records": ["mindrecord_dir"],
    "annotations": ["coco_root", "instances_set"],
    "training split": ["train_data_type"],
    "validation split": ["val_data_type"],
    "source of records": ["create_dataset", "image_dir"],
    "annotation file": ["anno_path"],
    "image sizes": ["trust_image_size"],
    "writing records": ["prefix", "is_training"],
    "batches": ["batch_size"],
    "data pipeline": ["workers"],
    "training": ["seed", "initial_weights", "augment", "scale_jitter", "match_thershold",
                 "epoch_size", "pre_trained", "pre_trained_epoch_size", "filter_weight", "resume",
                 "global_step", "lr", "lr_init", "lr_end_rate", "warmup_epochs1", "warmup_epochs2",
                 "warmup_epochs3", "warmup_epochs4", "warmup_epochs5", "momentum", "weight_decay",
                 "gamma", "alpha", "loss_scale"],
    "saving": ["save_checkpoint", "save_checkpoint_path", "save_checkpoint_epochs",
               "save_checkpoint_steps", "keep_checkpoint_max"],
    "evaluation while training": ["run_eval", "eval_interval", "scores_by_size"],
    "detections": ["min_score", "nms_thershold", "max_boxes"],
    "table by class": ["per_class"],
    "pictures": ["visualize", "visualize_score"],
    "checkpoint": ["checkpoint_path"],
    "export": ["file_name", "file_format", "export_batch_size", "opset", "dynamic_batch",
               "precision"],
    "exported model": ["onnx_path"],
    "exported network": ["mindir_path"],
    "results": ["result_path", "dataset_path"],
    "device": ["device_target", "device_id"],
    "distributed training": ["distribute"],
    "profiling": ["enable_profiling"],
    "modelarts": ["enable_modelarts", "data_url", "train_url", "checkpoint_url", "data_path",
                  "output_path", "load_path"],
    "archive of the data": ["need_modelarts_dataset_unzip", "modelarts_dataset_unzip_name"],
    "kept so that old files load": ["warmup_epochs", "finish_epoch", "mode"],
}
# fmt: on
# What a model carries with it.
RECORDED = (
    "num_classes",
    *GROUPS["network"],
    *GROUPS["images"],
    *GROUPS["aspect ratio"],
    *COLOURS,
)
ALIASES = {
    "match_threshold": "match_thershold",
    "nms_threshold": "nms_thershold",
    "mindrecord_dr": "mindrecord_dir",
    "instance_set": "instances_set",
    "ckpt_file": "checkpoint_path",
    "run_distribute": "distribute",
    "device_type": "device_target",
    "onnx_url": "onnx_path",
}
CONFIG_PATH = ("", "yaml file of settings, of which it need only hold what differs")
BY_LEVEL = ("steps", "anchor_size", "aspect_ratios", "num_default", "extras_out_channels")
LISTS = (
    (BY_LEVEL, 5, "one entry for each of 5 levels"),
    (("img_shape",), 2, "height and width"),
    (("prior_scaling",), 2, "of the centre and of the size"),
)
DERIVED = ("feature_size", "num_retinanet_boxes")


def load_config(
    *groups: str,
    description: str | None = None,
    aliases: dict[str, str] | None = None,
    record_of: str = "",
    require: Callable[[SimpleNamespace], None] | None = None,
    **defaults: object,
) -> SimpleNamespace:
    """The settings in `groups` as attributes; `aliases` and `defaults` are the script's own.

    The classes come with the network. `record_of` names the key of a model file: what it was
    trained with goes before the yaml file, and its class names become `known_classes`, and
    `coco_classes`. Raises UserError for an unknown key, a wrong type or a value out of range, and
    for an image that the pyramid cannot halve.
    """
    aliases = {**ALIASES, **(aliases or {})}
    if "network" in groups:
        groups = ("classes", *groups)
    chosen = early_value(["config_path"], "")
    settings = settings_from_yaml(_config_path, GROUPS, ALIASES) | OPTIONS
    settings["images"] |= COLOURS
    settings = override(settings, _config_path, ALIASES)
    if "recipe" in groups:
        settings = with_recipe(settings, aliases)
    if chosen:
        settings = override(settings, chosen, ALIASES)
    settings["prediction"] = ANSWERS
    device_id = integer_variable("DEVICE_ID", settings["device"]["device_id"][0])
    settings = select(settings, groups, device_id=device_id, **defaults)
    flags = {"settings": {"config_path": CONFIG_PATH}, **settings}
    values, given = parse_flags(flags, aliases, description=description)
    if record_of:
        rows = {key: row for group in settings.values() for key, row in group.items()}
        recorded = {key: row for key, row in rows.items() if key in RECORDED}
        names = take_options(values, given, recorded, record_of)
        values["known_classes"] = names
        if names and "coco_classes" in values:
            values["coco_classes"] = names
            print("class names: the model's record", flush=True)
    config = SimpleNamespace(**values)
    del config.config_path
    for path in (recipe_file() if "recipe" in groups else None, chosen):
        given |= read_yaml(path)[0].keys() if path else set()
    if "network" in groups:
        _derive_widths(config, given)
    if "images" in groups:
        _derive(config, given)
    look_at_inputs(config, require)
    return config


def _derive_widths(config, given):
    """Set the channels of the backbone's maps and of the head's input, and the strides of the
    levels, which follow from other keys. Raises UserError where something else was `given`.
    """
    blocks, width, out = config.backbone_blocks, config.backbone_width, config.nasfpn_out_channel
    if len(blocks) != 4 or not all(isinstance(count, int) and count > 0 for count in blocks):
        raise UserError(f"backbone_blocks is {blocks}: a list of 4 numbers from 1 on")
    start = config.nasfpn_start_level
    for key, follows, why in (
        ("nasfpn_input_channels", [8 * width, 16 * width, 32 * width], f"backbone_width {width}"),
        ("extras_out_channels", [out] * 5, f"nasfpn_out_channel {out}"),
        ("steps", [8 << start + level for level in range(5)], f"nasfpn_start_level {start}"),
    ):
        value = getattr(config, key, follows)
        if key in given and value != follows:
            raise UserError(f"{key} is {value}, but {why} makes it {follows}; leave it out")
        setattr(config, key, follows)


def _derive(config, given):
    """Set what follows from the image's size: the sides of the feature maps, the number of anchors.

    Raises UserError where lists do not fit, or where what was `given` is something else.
    """
    if config.image_size:
        config.img_shape = [config.image_size, config.image_size]
        config.image_size = 0
        given = ()
    for keys, length, wanted in LISTS:
        for key in [key for key in keys if key in vars(config)]:
            value = getattr(config, key)
            if not isinstance(value, list) or len(value) != length:
                raise UserError(f"{key} is {value}: a list of {length}, {wanted}")
    anchors = [len(OCTAVE_SCALES) * len(ratios) for ratios in config.aspect_ratios]
    if config.num_default != anchors:
        raise UserError(
            f"num_default is {config.num_default}, but {len(OCTAVE_SCALES)} scales of each aspect"
            f" ratio are {anchors}"
        )
    sizes = feature_sizes(config)
    number = sum(side * side * count for side, count in zip(sizes, config.num_default))
    for key, value in zip(DERIVED, (sizes, number)):
        if key in given and getattr(config, key) != value:
            raise UserError(
                f"{key} is {getattr(config, key)}, but img_shape {config.img_shape} makes it"
                f" {value}; leave it out"
            )
    config.feature_size, config.num_retinanet_boxes = sizes, number
