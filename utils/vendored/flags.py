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
from types import SimpleNamespace

from .launch import UserError

NEAR = 0.7  # similarity from which on another flag is likely what was meant
LARGEST_INTEGER = 2**31 - 1
KNOWN_CLASSES = "known_classes"  # a model's, up to a thousand names, among a script's settings
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
    found, others = parser.parse_known_args()
    if others and not others[0].startswith("-"):
        raise UserError(f"'{others[0]}' has no flag in front of it (--help lists all)")
    if others:
        raise UserError(unknown(f"flag '{others[0].split('=')[0]}'", others[0], known))
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


def unknown(what: str, name: str, known: list[str]) -> str:
    """What to say of `what`, such as a flag, called `name`: the nearest of those `known`."""
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


def select(settings: dict, groups: tuple[str, ...], **defaults: object) -> dict:
    """The `groups` of `settings` in that order, with a script's own `defaults` {key: value}."""
    return {
        title: {key: (defaults.get(key, row[0]), *row[1:]) for key, row in settings[title].items()}
        for title in groups
    }


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
