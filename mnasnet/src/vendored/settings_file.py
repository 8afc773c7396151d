# Copied from utils/vendored/settings_file.py by `make vendor`: change it there.
"""Settings in yaml files: the folder's default_config.yaml, and others over it."""

from __future__ import annotations

from pathlib import Path

import yaml

from .flags import converted, unknown
from .launch import UserError

# What PyYAML raises, and what it lets through where a value is not of the kind it is tagged with.
NOT_YAML = (
    *(yaml.YAMLError, ValueError, LookupError, TypeError),
    *(AttributeError, OSError, RecursionError),
)


def read_yaml(path: str | Path) -> list[dict]:
    """Up to three documents of the yaml file `path` as dicts, missing ones empty: values, meanings,
    limits. Raises UserError where it is no such file.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        documents = [document or {} for document in yaml.safe_load_all(text)]
    except FileNotFoundError:
        raise UserError(f"{path}: no such yaml file") from None
    except NOT_YAML as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path}: not a yaml file ({type(error).__name__}: {reason})") from None
    if len(documents) > 3 or not all(isinstance(document, dict) for document in documents):
        raise UserError(
            f"{path}: expected up to three documents of `key: value` (values, meanings, limits)"
        )
    return (documents + [{}, {}, {}])[:3]


def settings_from_yaml(path: Path, groups: dict, aliases: dict | None = None) -> dict:
    """The settings in the three documents of the yaml file `path`, by `groups` {title: keys}.

    A key may stand in it under a name in `aliases`. One that has a range is a number, a float where
    a limit is one, whatever its value looks like. Raises UserError where a key has no value.
    """
    values, meanings, limits = read_yaml(path)
    for name, key in (aliases or {}).items():
        if name in values:
            values.setdefault(key, values[name])
    for key in [key for keys in groups.values() for key in keys]:
        if key not in values:
            raise UserError(f"{path}: no value for '{key}'; write one into it")
        if isinstance(limits.get(key), dict):
            kinds = {type(number) for number in (values[key], *limits[key].values())}
            try:
                values[key] = converted(key, values[key], 0.0 if float in kinds else 0)
            except UserError as error:
                raise UserError(f"{path}: {error}") from None
    return {
        title: {
            key: (values[key], meanings.get(key, ""), *([limits[key]] if key in limits else []))
            for key in keys
        }
        for title, keys in groups.items()
    }


def override(settings: dict, path: str | Path, aliases: dict | None = None) -> dict:
    """`settings` with the defaults that the yaml file `path` gives; keys may be in `aliases`.

    Values are checked as on the command line. Raises UserError, which names the file, for an
    unknown key, a wrong type, a value out of range, and two spellings that disagree.
    """
    aliases, given = aliases or {}, {}
    rows = {key: row for group in settings.values() for key, row in group.items()}
    for name, value in read_yaml(path)[0].items():
        key = name if name in rows else aliases.get(name)
        if key is None:
            raise UserError(f"{path}: {unknown(f'key {name!r}', str(name), [*rows, *aliases])}")
        try:
            value = _from_yaml(key, value, rows[key])
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        if given.get(key, value) != value:
            raise UserError(f"{path}: {key} stands in it twice, under two spellings, and differs")
        given[key] = value
    return {
        title: {key: (given.get(key, row[0]), *row[1:]) for key, row in group.items()}
        for title, group in settings.items()
    }


def _from_yaml(key, value, row):
    default = row[0]
    if not isinstance(default, list):
        if isinstance(value, (list, dict)):
            raise UserError(f"{key} wants one value, got {value!r}")
        return converted(key, "" if value is None else value, *row)
    kinds = {type(entry) for entry in default}
    kinds |= {int} if float in kinds else set()
    if not isinstance(value, list) or not all(type(entry) in kinds for entry in value):
        raise UserError(f"{key} wants a list like {default[:3]}, got {value!r}")
    return value
