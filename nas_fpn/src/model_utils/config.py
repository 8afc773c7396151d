"""The configuration: default_config.yaml, over it the yaml file of --config_path, over that the
command line.
"""

import argparse
import os
import pprint
import sys
from pathlib import Path
from types import SimpleNamespace

import yaml

from src.box_utils import OCTAVE_SCALES, feature_sizes
from src.vendored.launch import UserError, parse_flags, run

_config_path = Path(__file__).resolve().parents[2] / "default_config.yaml"
ALIASES = {
    "match_threshold": "match_thershold",
    "nms_threshold": "nms_thershold",
    "mindrecord_dr": "mindrecord_dir",
    "instance_set": "instances_set",
    "ckpt_file": "checkpoint_path",
    "run_distribute": "distribute",
}
BY_LEVEL = ("steps", "anchor_size", "aspect_ratios", "num_default", "extras_out_channels")


def read_yaml(path):
    """The three documents of a yaml file as dicts: values, meanings, limits.

    Missing ones are empty.
    """
    try:
        documents = [
            document or {}
            for document in yaml.safe_load_all(Path(path).read_text(encoding="utf-8"))
        ]
    except FileNotFoundError:
        raise UserError(f"{path}: no such yaml file (--config_path)") from None
    except (yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        raise UserError(f"{path}: Failed to parse yaml ({error})") from None
    if len(documents) > 3 or not all(isinstance(document, dict) for document in documents):
        raise UserError(
            f"{path}: Failed to parse yaml: expected up to three documents of `key: value` "
            "(values, meanings, limits)"
        )
    return (documents + [{}, {}, {}])[:3]


def load_config(argv=None):
    """All keys as attributes.

    Raises UserError for an unknown key, a wrong type or a value out of range.
    """
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config_path", nargs="?", default=str(_config_path))
    chosen = parser.parse_known_args(argv)[0].config_path
    values, meanings, limits = read_yaml(_config_path)
    own, own_meanings, own_limits = read_yaml(chosen)
    lists = {key: value for key, value in values.items() if isinstance(value, list)}
    scalars = {key: value for key, value in values.items() if key not in lists}
    scalars["config_path"] = chosen
    for key in lists.keys() & own.keys():
        lists[key] = _as_list(chosen, key, own[key], lists[key])
    # Values of a yaml file are checked as flags are.
    flags = [
        f"--{key}={'' if value is None else value}"
        for key, value in own.items()
        if key not in lists
    ]
    limits.update(own_limits)
    try:
        parse_flags(scalars, {}, limits, ALIASES, flags)
    except UserError as error:
        raise UserError(f"{chosen}: {error}") from None
    if os.environ.get("DEVICE_ID"):
        flags.append(f"--device_id={os.environ['DEVICE_ID']}")
    values = parse_flags(scalars, {**meanings, **own_meanings}, limits, ALIASES, flags + argv)
    del values["config_path"]
    return _derive(SimpleNamespace(**values, **lists))


def _as_list(path, key, value, default):
    kinds = {type(entry) for entry in default}
    kinds |= {int} if float in kinds else set()
    if not isinstance(value, list) or not all(type(entry) in kinds for entry in value):
        raise UserError(f"{path}: {key} wants a list like {default[:3]}, got {value!r}")
    return value


def _derive(config):
    """What follows from the image's size: the sides of the feature maps and the number of
    anchors.
    """
    if config.image_size:
        config.img_shape = [config.image_size, config.image_size]
    for key in BY_LEVEL:
        if len(getattr(config, key)) != config.nasfpn_num_outs:
            raise UserError(
                f"{key} is {getattr(config, key)}: one entry for each of {config.nasfpn_num_outs}"
                " levels"
            )
    anchors = [len(OCTAVE_SCALES) * len(ratios) for ratios in config.aspect_ratios]
    if config.num_default != anchors:
        raise UserError(
            f"num_default is {config.num_default}, but {len(OCTAVE_SCALES)} scales of each aspect"
            f" ratio are {anchors}"
        )
    config.feature_size = feature_sizes(config)
    config.num_retinanet_boxes = sum(
        side * side * anchors for side, anchors in zip(config.feature_size, config.num_default)
    )
    return config


def show_config():
    """Print the configuration, sorted by key, as documented."""
    pprint.pprint(vars(config))
    print("Please check the above information for the configurations", flush=True)


config = run(load_config)
