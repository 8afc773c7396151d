"""Kill training again and again, in every folder, and see that it ends as if nothing had happened:
`make faults`.

    python tests/faults.py WORK [FOLDER ...] [--kills 20]

Each folder is trained once without interruption. Then it is killed (SIGKILL) at random moments,
each fourth time while a checkpoint is being written, and started again with --resume auto; every
whole checkpoint on the disk, and the end, must be those of the first run to the bit. All that
again, with the newest checkpoint truncated after each kill, as power losses do; and on a file
system that fills up, or turns read-only. What is done is counted in WORK/faults.json, and goes on
there; the table is WORK/tables/faults.md.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

from faulty_training import Faults, power_loss, run_disk
from folders import NAMES, REPOSITORY

sys.path.append(str(REPOSITORY / "utils/smoke"))
from work import rows_of_page, write_table  # noqa: E402

MODES = ("kill", "power loss")
HEADER = ("folder", "kills", "while a checkpoint was written", "checkpoints truncated",
          "runs to the end, equal to the bit", "disk full", "disk read-only")  # fmt: skip
SEED = 1
PAGE = REPOSITORY / "docs/interrupted_training.md"


def run_kills(faults, mode, kills, counts, keep):
    """Kill until `counts` has so many, a quarter of them while writing, and train to the end;
    `keep` is called after each.
    """
    where, how = mode.replace(" ", "_"), ""
    while (more := too_few(counts, kills)) or how:
        draw = random.Random(f"{SEED} {faults.folder} {mode} {counts}")
        in_writing = counts["writing"] * 4 <= counts["kills"]
        how = faults.kill(where, draw, in_writing) if more else ""
        if how:
            counts["kills"] += 1
            counts["writing"] += how == "writing"
            faults.check(where)
            if mode == "power loss":
                counts["truncated"] += power_loss(faults, where, draw)
            for earlier in faults.saved(where).glob("earlier.*"):
                shutil.rmtree(earlier)
        else:
            faults.finish(where)
            counts["ends"] += 1
        keep()


def run_folder(root, folder, kills, counts, keep):
    """All faults of a folder that `counts` does not have yet."""
    faults = Faults(root, folder)
    for mode in MODES:
        run_kills(faults, mode, kills, counts[mode], keep)
    for kind in ("full", "read-only"):
        counts[kind] = run_disk(faults, kind)
        keep()


def no_counts():
    """The counts of a folder to which nothing was done yet."""
    none = {"kills": 0, "writing": 0, "truncated": 0, "ends": 0}
    return {**{mode: dict(none) for mode in MODES}, "full": "", "read-only": ""}


def row(folder, counts):
    """The row of a folder: both modes together, each fault being one kill."""
    both = {key: sum(counts[mode][key] for mode in MODES) for key in counts[MODES[0]]}
    numbers = [both[key] for key in ("kills", "writing", "truncated", "ends")]
    return [folder, *numbers, counts["full"], counts["read-only"]]


def too_few(counts, kills):
    """Whether there are to be more kills, or more of them while writing."""
    return counts["kills"] < kills or counts["writing"] * 4 < kills


def main():
    """Do what is not done yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("folders", nargs="*", default=NAMES)
    parser.add_argument("--kills", type=int, default=20)
    arguments = parser.parse_args()
    work, kills = arguments.work.resolve(), arguments.kills
    work.mkdir(parents=True, exist_ok=True)
    counted = work / "faults.json"
    done = json.loads(counted.read_text()) if counted.exists() else {}

    def keep():
        beside = counted.with_suffix(".new")
        beside.write_text(json.dumps(done, indent=1))
        os.replace(beside, counted)
        print(f"{folder}: {counts}", flush=True)

    for folder in arguments.folders:
        counts = done.setdefault(folder, no_counts())
        if any(too_few(counts[mode], kills) for mode in MODES) or not counts["read-only"]:
            with tempfile.TemporaryDirectory(prefix="faults_") as root:
                run_folder(Path(root), folder, kills, counts, keep)
    rows = [row(name, counts) for name, counts in done.items()]
    rows += [other for other in rows_of_page(PAGE, "faults") if other[0] not in done]
    write_table(work, "faults", HEADER, sorted(rows))


if __name__ == "__main__":
    main()
