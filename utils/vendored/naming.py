"""Names of a checkpoint's parameters as a network has them, where other programs saved it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from .launch import UserError, printable

# What a cell around the network puts before all names: a loss, data parallel training, a detector.
PREFIXES = ("network.", "module.", "model.", "backbone.")
AVERAGE = "ema."  # an average of weights, where a file holds it beside what it is an average of


def fit_names(path: str | Path, values: dict, wanted: Collection[str]) -> dict:
    """`values` ({name: any}) of the checkpoint `path`, without the PREFIXES that all names have, or
    with the one that all `wanted` have, where that makes more of them fit; a line says so.
    """
    found, told = values, ""
    for candidate, change in _candidates(values, wanted):
        if len(candidate.keys() & set(wanted)) > len(found.keys() & set(wanted)):
            found, told = candidate, change
    if told:
        print(f"{printable(str(path))}: its names {told}", flush=True)
    return found


def _candidates(values: dict, wanted: Collection[str]) -> Iterator[tuple[dict, str]]:
    added = [prefix for prefix in PREFIXES if all(name.startswith(prefix) for name in wanted)]
    left_out = ""
    while values:
        dropped = f"begin with '{left_out}', which is left out" if left_out else ""
        yield values, dropped
        for prefix in added:
            change = f"{dropped}; they " if dropped else ""
            yield (
                {prefix + name: value for name, value in values.items()},
                f"{change}lack '{prefix}', which is put before them",
            )
        shared = [prefix for prefix in PREFIXES if all(name.startswith(prefix) for name in values)]
        if not shared:
            return
        values = {name[len(shared[0]) :]: value for name, value in values.items()}
        left_out += shared[0]


def take_averages(path: str | Path, values: dict) -> dict:
    """`values` of the checkpoint `path` with each average, `ema.NAME`, under NAME. Raises
    UserError where there is none.
    """
    averages = {
        name.removeprefix(AVERAGE): value
        for name, value in values.items()
        if name.startswith(AVERAGE)
    }
    if not averages:
        raise UserError(f"{path}: no entry is called '{AVERAGE}NAME'; leave out --ema_weights")
    print(f"{printable(str(path))}: {len(averages)} averages of weights taken", flush=True)
    return {**values, **averages}
