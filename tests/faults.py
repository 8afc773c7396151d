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
import contextlib
import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from folders import NAMES, REPOSITORY, flags_of
from places import Place

sys.path.append(str(REPOSITORY / "utils/smoke"))
from work import write_table  # noqa: E402

MODES = ("kill", "power loss")
HEADER = ("folder", "kills", "while a checkpoint was written", "checkpoints truncated",
          "runs to the end, equal to the bit", "disk full", "disk read-only")  # fmt: skip
EPOCHS = 3
SEED = 1


class Faults:
    """Training of `folder` in the empty folder `root`, and the same without any fault."""

    def __init__(self, root, folder):
        self.root, self.folder = root, folder
        is_detector = flags_of(folder).detector
        self.place = Place(root, folder, training=8 if is_detector else 4, evaluation=1)
        self.place.prepare_training()
        self.flags = (*self.place.use, "--batch_size", 2, "--epoch_size", EPOCHS)
        self.flags += (*self.place.flags.save_flags, "--save_checkpoint_steps", 4)
        self.flags += ("--keep_checkpoint_max", 100)
        started = time.monotonic()
        with self.train("reference") as process:
            assert process.wait() == 0, self.log.read_text()
        self.seconds = time.monotonic() - started
        self.reference = self.saved("reference")
        self.sizes = [path.stat().st_size for path in self.reference.glob("*.ckpt")]

    @property
    def log(self):
        return self.root / "log"

    def saved(self, where):
        return self.root / where / self.place.flags.saved

    @contextlib.contextmanager
    def train(self, where):
        """A process that trains in `where`; it does not outlive the block."""
        script = REPOSITORY / self.folder / "train.py"
        flags = (*self.flags, self.place.flags.save_flag, where, "--resume", "auto")
        command = [sys.executable, script, *flags]
        with open(self.log, "wb") as log:
            process = subprocess.Popen(
                list(map(str, command)), cwd=self.root, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def await_write(self, process, where, writes=1):
        """Wait until the checkpoint number `writes` from now is being written."""
        seen = set()
        while len(seen) < writes and process.poll() is None:
            seen |= self.unfinished(where)
            time.sleep(0.0005)

    def unfinished(self, where):
        names = os.listdir(self.saved(where)) if self.saved(where).exists() else []
        return {n for n in names if n.startswith(".unfinished_") and n.endswith(".ckpt")}

    def kill(self, where, draw, in_writing):
        """Start, and kill at a random moment. Returns 'writing' where a checkpoint was being
        written, 'killed' else, and '' where training had ended before.
        """
        before = self.unfinished(where)
        with self.train(where) as process:
            if in_writing:
                self.await_write(process, where, draw.randint(1, 3))
                time.sleep(draw.uniform(0, max(self.sizes) / 1e9))
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(draw.uniform(0, self.seconds))
            process.kill()
            if process.wait() == -signal.SIGKILL:
                return "writing" if self.unfinished(where) - before else "killed"
        assert self.has_ended(process.returncode), self.log.read_text()
        return ""

    def has_ended(self, code):
        """Whether training has, in this run or just before the last one was killed."""
        return code == 0 or "nothing left to train" in self.log.read_text()

    def checkpoints(self, where):
        names = re.compile(r".*-(\d+)_(\d+)\.ckpt")
        found = [(names.fullmatch(path.name), path) for path in self.saved(where).glob("*.ckpt")]
        return [path for _, path in sorted((tuple(map(int, n.groups())), p) for n, p in found if n)]

    def check(self, where):
        """Every checkpoint is that of the reference."""
        for path in self.checkpoints(where):
            assert path.read_bytes() == (self.reference / path.name).read_bytes(), path

    def finish(self, where):
        """Train to the end, which must be that of the reference."""
        with self.train(where) as process:
            assert self.has_ended(process.wait()), self.log.read_text()
        self.check(where)
        assert self.checkpoints(where)[-1].name == self.checkpoints("reference")[-1].name
        tables = [columns(self.saved(place) / "metrics.csv") for place in (where, "reference")]
        assert tables[0] == tables[1], tables
        shutil.rmtree(self.root / where)


def columns(table):
    """What of a history does not hang on the machine's speed."""
    rows = csv.DictReader(table.read_text().splitlines())
    return [tuple(row[key] for key in ("epoch", "step", "loss", "lr")) for row in rows]


def power_loss(faults, where, draw):
    """Truncate the newest checkpoint. Returns how many there were to truncate: 0 or 1."""
    newest = faults.checkpoints(where)[-1:]
    for path in newest:
        os.truncate(path, int(path.stat().st_size * draw.random()))
    return len(newest)


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


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of `size` bytes at `folder`. Raises OSError where none can be mounted."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        raise OSError("no permission to mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def run_disk(faults, kind):
    """'one line', where training on such a disk ends so, and what was there stays; or why not."""
    room = 4 * max(faults.sizes) if kind == "read-only" else int(2.4 * max(faults.sizes))
    shutil.rmtree(faults.root / "disk", ignore_errors=True)
    folder = faults.saved("disk")
    try:
        with small_disk(folder, room), faults.train("disk") as process:
            remount = ["mount", "-o", "remount,ro", str(folder)]
            while kind == "read-only" and process.poll() is None:
                # Busy, while something is being written.
                if (
                    faults.checkpoints("disk")
                    and not subprocess.run(remount, capture_output=True).returncode
                ):
                    break
                time.sleep(0.001)
            code, text = process.wait(), faults.log.read_text()
            errors = [line for line in text.splitlines() if line.startswith("error: ")]
            assert code == 1 and len(errors) == 1 and "cannot be written" in errors[0], text
            assert "Traceback" not in text and faults.checkpoints("disk"), text
            faults.check("disk")
    except OSError as error:
        return f"skipped: {error}"
    return "one line"


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
    write_table(work, "faults", HEADER, [row(name, counts) for name, counts in done.items()])


if __name__ == "__main__":
    main()
