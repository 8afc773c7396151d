"""The configuration: default_config.yaml, over it the data set's yaml file, over that the
command line.
"""

import argparse
import os
import pprint
import sys
from pathlib import Path
from types import SimpleNamespace

import yaml

from src.vendored.launch import UserError, parse_flags, run

FOLDER = Path(__file__).resolve().parents[2]
ALIASES = {
    "dataset_name": "dataset",
    "dateset": "dataset",
    "device_type": "device_target",
    "distribute": "run_distribute",
    "ckpt_file": "checkpoint_path",
    "checkpoint_file": "checkpoint_path",
    "checkpoint": "checkpoint_path",
    "onnx_url": "onnx_path",
}


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
        raise UserError(f"{path}: not a yaml file ({error})") from None
    if len(documents) > 3 or not all(isinstance(document, dict) for document in documents):
        raise UserError(
            f"{path}: expected up to three yaml documents of `key: value` (values, meanings,"
            " limits)"
        )
    return (documents + [{}, {}, {}])[:3]


def yaml_for(dataset, device_target):
    """The documented yaml file of a data set ('cifar10' or 'imagenet2012') and device."""
    if dataset != "imagenet2012":
        return FOLDER / "default_config.yaml"
    return FOLDER / (
        "default_config_gpu_imagenet.yaml"
        if device_target == "GPU"
        else "default_config_imagenet.yaml"
    )


def load_config(argv=None):
    """All keys as attributes.

    Raises UserError for an unknown key, a wrong type or a value out of range.
    """
    argv = sys.argv[1:] if argv is None else argv
    chosen = _choose_yaml(argv)
    defaults, meanings, limits = read_yaml(FOLDER / "default_config.yaml")
    values, more_meanings, more_limits = read_yaml(chosen)
    for key, value in values.items():
        name = key if key in defaults else ALIASES.get(key, key)
        if name != key and name in values or isinstance(value, (list, dict)):
            continue
        # An older file may say `lr_init: 0`: the key is a float all the same. Keys of the user's
        # own become flags too.
        defaults[name] = float(value) if isinstance(defaults.get(name), float) else value
    defaults["device_id"] = int(os.environ.get("DEVICE_ID") or defaults["device_id"])
    values = parse_flags(
        {"config_path": str(chosen), **defaults},
        {**meanings, **more_meanings},
        {**limits, **more_limits},
        ALIASES,
        argv,
    )
    del values["config_path"]
    if values["image_size"]:
        values["height"] = values["width"] = values["image_size"]
    return SimpleNamespace(**values)


def _choose_yaml(argv):
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flags, default in (
        (["--config_path"], ""),
        (["--dataset", "--dataset_name", "--dateset"], "cifar10"),
        (["--device_target", "--device_type"], "Ascend"),
    ):
        parser.add_argument(*flags, nargs="?", default=default)
    early, _ = parser.parse_known_args(argv)
    return early.config_path or yaml_for(early.dataset, early.device_target)


def show_config():
    """Print the configuration, sorted by key, as documented."""
    pprint.pprint(vars(config))
    print("Please check the above information for the configurations", flush=True)


config = run(load_config)
