# Copied from utils/vendored/launch.py by `make vendor`: change it there.
"""What every script needs: flags from documented defaults, errors in one line, whole files, the
device, the group.

Imported before MindSpore, which reads the environment below when it is imported and when its first
operator runs.
"""

import argparse
import difflib
import os
import platform
import re
import sys
from pathlib import Path

if platform.machine() in ("x86_64", "AMD64"):
    # With AVX-512, MindSpore's oneDNN falls to reference convolutions, 50 to 100 times slower than
    # these kernels.
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX2")
# Errors arrive as exceptions; the log would repeat them with C++ stacks.
os.environ.setdefault("GLOG_v", "4")


class UserError(Exception):
    """Wrong input. The message says in one line what is wrong, where, and what to do."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UserError(message)


def parse_flags(defaults, meanings=None, limits=None, aliases=None, argv=None):
    """Every key of `defaults` as a flag `--key value`, of the type of its default (None counts as
    text).

    `meanings` {key: help text}, `limits` {key: list of choices or {min, max}}, `aliases` {other
    flag: key}. Returns a dict with the keys of `defaults`. Raises UserError for unknown flags,
    wrong types, values out of range.
    """
    meanings, limits, aliases = meanings or {}, limits or {}, aliases or {}
    parser = _Parser(allow_abbrev=False, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for key, default in defaults.items():
        flags = [f"--{key}"] + [f"--{alias}" for alias, target in aliases.items() if target == key]
        # A switch may stand alone: `--run_eval` means `--run_eval True`.
        extra = {"nargs": "?", "const": True} if isinstance(default, bool) else {}
        parser.add_argument(
            *flags,
            dest=key,
            default=default,
            type=lambda text, key=key: _convert(key, text, type(defaults[key]), limits.get(key)),
            metavar=_type_name(default).upper(),
            help=meanings.get(key, "see the README").replace("%", "%%"),
            **extra,
        )
    values, unknown = parser.parse_known_args(argv)
    if unknown:
        flag = unknown[0].split("=")[0]
        nearest = difflib.get_close_matches(
            flag.lstrip("-"), [*defaults, *aliases], n=1, cutoff=0.0
        )[0]
        raise UserError(
            f"unknown flag '{flag}': the nearest known one is --{nearest} (--help lists all)"
        )
    return vars(values)


def _type_name(default):
    return (
        "text"
        if default is None
        else {"str": "text"}.get(type(default).__name__, type(default).__name__)
    )


def _convert(key, text, kind, limit):
    known = {"true": True, "false": False}
    try:
        if kind is bool:
            value = known[str(text).strip().lower()]
        else:
            value = str(text) if kind in (str, type(None)) else kind(text)
    except (KeyError, ValueError):
        wanted = "True or False" if kind is bool else f"a number of type {kind.__name__}"
        raise argparse.ArgumentTypeError(f"{key} wants {wanted}, got '{text}'") from None
    if isinstance(limit, list):
        matching = [choice for choice in limit if str(choice).lower() == str(value).lower()]
        if not matching:
            raise argparse.ArgumentTypeError(
                f"{key} is one of {', '.join(map(str, limit))}, got '{text}'"
            )
        value = matching[0]
    elif limit:
        low, high = limit.get("min", float("-inf")), limit.get("max", float("inf"))
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{key} lies between {low} and {high}, got {text}")
    return value


def run(main):
    """The result of `main()`.

    Wrong input ends the program with one line on stderr and exit code 1, no traceback.
    """
    try:
        return main()
    except UserError as error:
        _fail(error)
    except KeyboardInterrupt:
        _fail("interrupted; what was written so far is whole", 130)
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        _fail(f"{error.strerror}: {error.filename or 'while writing'}")
    except RuntimeError as error:
        path = _unreadable_file(str(error))
        if path is None:
            raise
        _fail(f"{path}: this image cannot be decoded; repair it or remove it from the data set")


def _fail(message, code=1):
    print("error: " + " ".join(str(message).split()), file=sys.stderr)
    sys.exit(code)


def _unreadable_file(message):
    """The path in a data pipeline's error, or None: the path ends where a sentence begins, and
    may hold dots itself.
    """
    found = re.search(r"data files? (?:is|are): (.+)", message)
    ends = [match.start() for match in re.finditer(r"\. ", found.group(1))] if found else []
    return next(
        (found.group(1)[:end] for end in ends if os.path.exists(found.group(1)[:end])), None
    )


def write_whole(path, content):
    """Write `content` (text or bytes) to `path`: beside it first, so that a crash leaves the old
    file or the new.
    """
    path = Path(path)
    beside = path.with_name(f".{path.name}")
    beside.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(beside, path)


def set_up_device(device_target, device_id=0, distributed=False):
    """Graph mode on `device_target` (Ascend, GPU or CPU). Returns (rank, number of ranks): (0, 1)
    when not distributed.

    Distributed runs are data parallel with averaged gradients. Raises UserError where the device is
    not there.
    """
    import mindspore as ms
    from mindspore.communication import get_group_size, get_rank, init

    # Asked before the device is set: in a distributed run the scheduler would accept it and wait
    # for its workers.
    if not ms.hal.is_available(device_target):
        raise UserError(
            f"this MindSpore has no {device_target}; choose another device, or install MindSpore"
            " for it"
        )
    count = ms.hal.device_count(device_target)
    if not distributed and not 0 <= device_id < count:
        raise UserError(
            f"device_id {device_id} is out of range: {count} {device_target} device(s) here, from 0"
        )
    ms.set_context(mode=ms.GRAPH_MODE)
    if distributed and device_target != "Ascend":
        ms.set_device(device_target)  # The launcher decides which device a rank gets.
    else:
        ms.set_device(device_target, device_id)
    if not distributed:
        return 0, 1
    if (
        "MS_ROLE" not in os.environ
        and "RANK_TABLE_FILE" not in os.environ
        and "OMPI_COMM_WORLD_SIZE" not in os.environ
    ):
        raise UserError(
            "a distributed run is started by scripts/run_distribute_train*.sh or by msrun, not by"
            " python"
        )
    init()
    rank, size = get_rank(), get_group_size()
    ms.set_auto_parallel_context(
        parallel_mode=ms.ParallelMode.DATA_PARALLEL, gradients_mean=True, device_num=size
    )
    return rank, size


def parallel_workers(wanted):
    """`wanted` data-pipeline workers, or as many as this machine has cores: MindSpore refuses
    more.
    """
    return max(1, min(wanted, os.cpu_count() or 1))
