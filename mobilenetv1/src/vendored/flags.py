# Copied from utils/vendored/flags.py by `make vendor`: change it there.
"""Settings as flags: documented defaults, over them a yaml file, over that the command line.

Settings are {group: {key: (default, meaning[, limit])}}, where a limit is a list of choices or
{"min": ..., "max": ...}. Lists are set by yaml files only; a tuple is of one or more words.
"""

from __future__ import annotations

import argparse
import difflib
import math
import pprint
import re
from pathlib import Path
from types import SimpleNamespace

import yaml

from .launch import UserError

NEAR = 0.7  # similarity from which on another flag is likely what was meant
LARGEST_INTEGER = 2**31 - 1
KNOWN_CLASSES = "known_classes"  # a model's, up to a thousand names, among a script's settings
# What PyYAML raises, and what it lets through where a value is not of the kind it is tagged with.
NOT_YAML = (
    *(yaml.YAMLError, ValueError, LookupError, TypeError),
    *(AttributeError, OSError, RecursionError),
)
QUOTES = "“”‘’\"'"  # documentation prints some values in curly ones


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UserError(message)


def parse_flags(
    settings: dict, aliases: dict | None = None, description: str | None = None
) -> tuple[dict, set]:
    """(values {key: value}, given: set of keys on the command line) for `settings`.

    `aliases` is {other flag: key}; `description` stands above the flags in --help. Raises UserError
    for an unknown flag, a wrong type or a value out of range.
    """
    aliases, known = aliases or {}, []
    parser = _Parser(
        allow_abbrev=False,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    for title, rows in settings.items():
        group = parser.add_argument_group(title)
        for key, row in rows.items():
            if not isinstance(row[0], (list, dict)):
                names = [key, *(name for name, to in aliases.items() if to == key)]
                _add_flag(group, key, row, names)
                known += names
    found, unknown = parser.parse_known_args()
    if unknown:
        raise UserError(_unknown(f"flag '{unknown[0].split('=')[0]}'", unknown[0], known))
    defaults = {key: row[0] for rows in settings.values() for key, row in rows.items()}
    return {**defaults, **vars(found)}, set(vars(found))


def _add_flag(group, key, row, names):
    default, meaning, *limit = row
    limit = limit[0] if limit else None
    text = f"{meaning}{_limit_text(limit)} (default: {'none' if default in ('', ()) else default})"
    # A switch may stand alone: `--run_eval` means `--run_eval True`.
    words = {bool: {"nargs": "?", "const": True}, tuple: {"nargs": "+"}}.get(type(default), {})
    group.add_argument(
        *(f"--{name}" for name in names),
        dest=key,
        type=lambda value: _checked_argument(key, value, row),
        metavar={str: "TEXT", tuple: "PATH"}.get(type(default), type(default).__name__.upper()),
        help=text.replace("%", "%%"),
        **words,
    )


def _limit_text(limit):
    if isinstance(limit, list):
        return f"; one of {', '.join(map(str, limit))}"
    if not limit:
        return ""
    if "min" in limit and "max" in limit:
        return f"; from {limit['min']} to {limit['max']}"
    return f"; at least {limit['min']}" if "min" in limit else f"; at most {limit['max']}"


def _unknown(what, name, known):
    nearest = difflib.get_close_matches(name.split("=")[0].lstrip("-"), known, n=1, cutoff=NEAR)
    hint = f": the nearest known one is --{nearest[0]}" if nearest else ""
    return f"unknown {what}{hint} (--help lists all)"


def _checked_argument(key, text, row):
    try:
        return converted(key, text, *row)
    except UserError as error:
        raise argparse.ArgumentTypeError(error) from None


def converted(
    key: str, text: object, default: object, meaning: str = "", limit: list | dict | None = None
) -> object:
    """`text` as a value of the type of `default`, within `limit`. Raises UserError."""
    del meaning
    kind, text = type(default), str(text)
    bare = text.strip().strip(QUOTES)
    try:
        if kind is bool:
            value = {"true": True, "false": False}[bare.lower()]
        elif kind in (int, float):
            value = _number(kind, bare)
        else:
            value = text
    except (KeyError, ValueError, OverflowError):
        wanted = {bool: "True or False", int: "a whole number"}.get(kind, "a number")
        raise UserError(f"{key} wants {wanted}, got '{text}'") from None
    if isinstance(limit, list):
        matching = [choice for choice in limit if str(choice).lower() == bare.lower()]
        if not matching:
            raise UserError(f"{key} is one of {', '.join(map(str, limit))}, got '{text}'")
        return matching[0]
    low, high = (limit or {}).get("min", -math.inf), (limit or {}).get("max", math.inf)
    if kind in (int, float) and not low <= value <= high:
        limits = f"between {low} and {high}" if high < math.inf else f"at {low} or above"
        raise UserError(f"{key} lies {limits}, got {text}")
    return value


def _number(kind, text):
    # Python reads digits of every script, and 1_000.
    if not re.fullmatch(r"[-+0-9.eE]{1,40}", text):
        raise ValueError(text)
    value = kind(text)
    if not math.isfinite(value) or kind is int and abs(value) > LARGEST_INTEGER:
        raise ValueError(text)
    return value


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


def select(settings: dict, groups: tuple[str, ...], **defaults: object) -> dict:
    """The `groups` of `settings` in that order, with a script's own `defaults` {key: value}."""
    return {
        title: {key: (defaults.get(key, row[0]), *row[1:]) for key, row in settings[title].items()}
        for title in groups
    }


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
            raise UserError(f"{path}: {_unknown(f'key {name!r}', str(name), [*rows, *aliases])}")
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


def show_config(config: SimpleNamespace) -> None:
    """Print the settings `config`, sorted by key, in the documented words."""
    pprint.pprint({key: value for key, value in vars(config).items() if key != KNOWN_CLASSES})
    print("Please check the above information for the configurations", flush=True)


def early_value(names: list[str], default: object) -> object:
    """The value of the first of the flags `names` that is on the command line, read before all
    others because it says which defaults they have.
    """
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument(*(f"--{name}" for name in names), dest="value", default=default)
    return parser.parse_known_args()[0].value
