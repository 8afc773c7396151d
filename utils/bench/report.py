"""What benchmarks measured, as tables and a picture: part of `make tables`.

    python utils/bench/report.py

Results in .bench/FOLDER/results.json take the place of those of the same folder on the same kind of
machine in docs/benchmarks.json; of all that stands there are made .bench/benchmarks/tables, for
BENCHMARKS.md, and docs/benchmarks.png.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import goals
from measure import ROOT
from work import start, write_table

KINDS = {"amx": "AVX-512 and AMX", "avx512": "AVX-512", "other": "no AVX-512"}
KEPT = ROOT / "docs/benchmarks.json"
PICTURE = ROOT / "docs/benchmarks.png"
BASE = "PyTorch"


def kind_of_machine() -> str:
    """The key of KINDS that this machine is of."""
    flags = Path("/proc/cpuinfo").read_text()
    if "amx_bf16" in flags:
        return "amx"
    return "avx512" if "avx512f" in flags else "other"


def cell(results: dict, what: str, name: str) -> str:
    """Milliseconds, and in brackets the ratio to PyTorch."""
    found = results["times"].get(what, {}).get(name)
    if not found:
        return "fails" if name in results["missing"] else "–"
    return f"{number(found['ms'])} ({found['ratio']:.2f})"


def number(value: float) -> str:
    """With as many digits as mean something."""
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def calls(results: dict) -> list[str]:
    """What was called: forward-1, ..., step."""
    return list(results["times"])


def title(what: str, results: dict) -> str:
    """A call, as a column is headed."""
    if what == "step":
        return f"training step, batch {results['step_batch']}, ms"
    return f"prediction, batch {what.split('-')[1]}, ms"


def megabytes(results: dict, name: str) -> str:
    """The most memory of an engine's processes."""
    found = [values[name] for values in results["memory"].values() if name in values]
    return f"{max(found):.0f}" if found else "–"


def largest_difference(results: dict, name: str) -> str:
    """Of an engine's outputs from MindSpore's."""
    found = results["differences"].get(name)
    return f"{max(found.values()):.0e}" if found and name != "MindSpore" else "–"


def engines_of(results: dict) -> list[str]:
    """The names of all that were timed or failed."""
    names = [name for times in results["times"].values() for name in times]
    return list(dict.fromkeys([*names, *results["missing"]]))


def write_folder(work: Path, results: dict) -> None:
    """The table `measured` of one folder: a row for each engine."""
    header = [f"at {results['size']}, {os.cpu_count()} threads"]
    header += [title(what, results) for what in calls(results)]
    header += ["difference of outputs", "memory, MB"]
    rows = [
        [
            name,
            *(cell(results, what, name) for what in calls(results)),
            largest_difference(results, name),
            megabytes(results, name),
        ]
        for name in engines_of(results)
    ]
    rows.append([results["machine"], *[""] * (len(header) - 1)])
    write_table(work, "measured", header, rows)


def merge(kept: dict, found: list[tuple[str, dict]]) -> dict:
    """{kind: {folder: results}}, with the results `found` in place of older ones."""
    merged = {kind: dict(kept.get(kind, {})) for kind in KINDS}
    for folder, results in found:
        merged[results["kind"]][folder] = results
    return merged


def write_kind(work: Path, kind: str, folders: dict[str, dict]) -> None:
    """The tables of one kind of machine: one for each call, a row for each folder."""
    names = list(dict.fromkeys(n for results in folders.values() for n in engines_of(results)))
    whats = sorted({what for results in folders.values() for what in calls(results)})
    for what in whats:
        able = [n for n in names if any(n in r["times"].get(what, {}) for r in folders.values())]
        rows = [
            [f"[{folder}]({folder}), {results['size']}", *(cell(results, what, n) for n in able)]
            for folder, results in sorted(folders.items())
            if what in results["times"]
        ]
        write_table(work, f"{kind}-{what}", ["", *able], rows)
    for what in ("data", "evaluation"):
        rows = [rate_row(f, r, what) for f, r in sorted(folders.items()) if what in r["images"]]
        header = ["images a second", "MindSpore", BASE, "MindSpore's time over PyTorch's"]
        write_table(work, f"{kind}-{what}", header, rows)
    rows = [
        [folder, *(megabytes(results, name) for name in names)]
        for folder, results in sorted(folders.items())
    ]
    write_table(work, f"{kind}-memory", ["MB", *names], rows)
    write_table(work, f"{kind}-goals", *goals.table(folders))
    rows = [machine_row(folder, results) for folder, results in sorted(folders.items())]
    header = ["", "first step of training, s", "at the second start, s (share)"]
    header += ["matrix product, GFLOP/s", "machine", "this run, s"]
    write_table(work, f"{kind}-machine", header, rows)


def machine_row(folder: str, results: dict) -> list[str]:
    """What a training needs to its first step, and what the machine is."""
    cold, warm = results["first_step"]
    times = [f"{cold:.1f}", f"{warm:.1f} ({warm / cold:.2f})"]
    return [
        folder,
        *times,
        f"{results['product']:.0f}",
        results["machine"],
        f"{results['seconds']:.0f}",
    ]


def rate_row(folder: str, results: dict, what: str) -> list[str]:
    """Images a second in MindSpore and PyTorch, and the ratio of their times for one."""
    found = results["images"][what]
    rates = {name: values["images"] * 1000 / values["ms"] for name, values in found.items()}
    if BASE not in rates:
        return [folder, number(rates["MindSpore"]), "–", "–"]
    # Where one drops a last batch that is not full, the calls are not of equally many images.
    ratio = found["MindSpore"]["ratio"] * found[BASE]["images"] / found["MindSpore"]["images"]
    return [folder, *(number(rates[name]) for name in ("MindSpore", BASE)), f"{ratio:.2f}"]


def draw(folders: dict[str, dict], path: Path) -> None:
    """The ratios to PyTorch, a panel for each call, a group of bars for each folder."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    whats = sorted({what for results in folders.values() for what in calls(results)})
    engines = list(dict.fromkeys(name for r in folders.values() for name in engines_of(r)))
    figure, panels = pyplot.subplots(
        len(whats), 1, figsize=(10, 3.2 * len(whats)), squeeze=False, layout="constrained"
    )
    for panel, what in zip(panels[:, 0], whats):
        some = {f: r for f, r in sorted(folders.items()) if what in r["times"]}
        names = [name for name in engines if any(name in r["times"][what] for r in some.values())]
        width = 0.85 / len(names)
        for number, name in enumerate(names):
            bars = [
                (place + (number - len(names) / 2 + 0.5) * width, r["times"][what][name]["ratio"])
                for place, r in enumerate(some.values())
                if name in r["times"][what]
            ]
            panel.bar(*zip(*bars), width, label=name, color=f"C{engines.index(name)}")
        panel.axhline(1, color="black", linewidth=0.8)
        panel.set_xticks(range(len(some)), some)
        panel.set_ylabel("time over PyTorch's")
        panel.set_title(f"prediction, batch {what[8:]}" if what != "step" else "training step")
        panel.legend(fontsize="x-small", ncols=3)
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    """Merge, write, draw."""
    kept = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
    found = [
        (path.parent.name, json.loads(path.read_text()))
        for path in sorted((ROOT / ".bench").glob("*/results.json"))
    ]
    merged = merge(kept, found)
    if not found:
        return
    KEPT.write_text(json.dumps(merged, indent=1) + "\n")
    for kind, folders in merged.items():
        if folders:
            write_kind(ROOT / ".bench/benchmarks", kind, folders)
    draw(merged[found[-1][1]["kind"]], PICTURE)


if __name__ == "__main__":
    start(main)
