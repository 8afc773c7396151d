"""Where MindSpore's time goes, by kind of operator: `make profile-FOLDER`.

    python utils/bench/operator_times.py CACHE WORK FOLDER

The network predicts one image and takes a training step, as in `make bench-FOLDER`, under
MindSpore's own profiler. Writes forward.md and step.md into WORK/profile/FOLDER/tables. Operators
of small networks take part of their time at the same time, so that the sum may be over that of a
run.
"""

from __future__ import annotations

import csv
import importlib
import json
import re
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

from measure import run
from mindspore_side import create_calls
from prepare import make_photos
from work import machine, make_work_folder, start, write_table

KINDS = ("forward", "step")
RUNS = 5
SIDE = "--side"  # the process that is profiled


def side(folder: str, kind: str) -> None:
    """Profile the first call of `kind`; KIND.json: milliseconds of a run, without the profiler."""
    call = next(iter(create_calls(folder, kind).values()))
    import mindspore as ms

    call()
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    Path(f"{kind}.json").write_text(json.dumps(statistics.median(times)))
    profiler = ms.Profiler(output_path=kind, start_profile=False)
    profiler.start()
    for _ in range(RUNS):
        call()
    profiler.stop()
    profiler.analyse()


def rows_of(place: Path, kind: str) -> list[list]:
    """A row for each kind of operator, the longest first, and one for all."""
    (found,) = (place / kind).rglob("cpu_op_detail_info_*.csv")
    calls, times = Counter(), Counter()
    with found.open(newline="") as file:
        for row in csv.DictReader(file):
            name = row["op_type"]
            if name == "Custom":  # A kernel of this repository, in a Cell of its kind.
                # MindSpore names the cell of most, not of all.
                *_, cell = ["a kernel", *re.findall(r"-(\w+)/", row["full_op_name"])]
                name = f"{cell}{' backward' if 'Gradients/' in row['full_op_name'] else ''}, own"
            calls[name] += int(row["op_occurrences"])
            times[name] += float(row["op_total_time(ms)"])
    total = sum(times.values())
    rows = [
        [name, f"{calls[name] / RUNS:.0f}", f"{ms / RUNS:.2f}", f"{ms / total:.1%}"]
        for name, ms in times.most_common()
    ]
    whole = json.loads((place / f"{kind}.json").read_text())
    return [
        *rows,
        ["all operators", "", f"{total / RUNS:.2f}", ""],
        ["a run", "", f"{whole:.2f}", ""],
    ]


def main(cache: str, work: str, folder: str) -> None:
    """Both tables of a folder."""
    if cache == SIDE:
        side(work, folder)
        return
    benchmark = importlib.import_module(folder)
    place = make_work_folder(Path(work, "profile", folder))
    getattr(benchmark, "make_data", make_photos)(Path(cache).resolve(), place)
    run([sys.executable, Path(__file__).with_name("mindspore_side.py"), folder, "write"], place)
    for kind in KINDS:
        run([sys.executable, Path(__file__).resolve(), SIDE, folder, kind], place)
        header = ["operator", "calls", "ms", "share of operators"]
        rows = [*rows_of(place, kind), [machine(), "", "", ""]]
        write_table(place, kind, header, rows)


if __name__ == "__main__":
    start(main)
