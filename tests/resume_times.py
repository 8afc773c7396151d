"""How long a resumed run takes to its first step, by the epochs done before: `make faults`.

    python tests/resume_times.py WORK [FOLDER ...] [--rounds 3]

It is the time from the start of the process until the checkpoint after the first step is there,
the median of several rounds, which take the numbers of epochs in turns: seconds of the clock, and
those of the processor, which do not hang on what else the machine does; the ratios to a fresh start
are of the latter. The table is WORK/tables/resume.md, where rows of other folders stay as
docs/interrupted_training.md has them.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mindspore as ms
import numpy as np

from folders import NAMES, REPOSITORY, flags_of
from places import Place

sys.path.append(str(REPOSITORY / "utils/smoke"))
from work import rows_of_page, write_table  # noqa: E402

DONE = (0, 1, 10, 100)  # epochs before
IMAGES, BATCH = 960, 4


class Runs:
    """Runs of `folder` in the empty folder `root`, each stopped after its first step."""

    def __init__(self, root, folder):
        self.root, self.folder, flags = root, folder, flags_of(folder)
        self.place = Place(root, folder, training=IMAGES if flags.detector else IMAGES // 3)
        self.place.prepare_training()
        self.flags = (*self.place.use, "--batch_size", BATCH, "--epoch_size", max(DONE) + 1)
        self.flags += ("--save_checkpoint_steps", 1, "--resume", "auto")
        self.steps = IMAGES // BATCH
        self.seconds_to_first_step("first", 0)
        (self.first,) = self.saved("first").glob("*-1_1.ckpt")

    def saved(self, where):
        return self.root / where / self.place.flags.saved

    def seconds_to_first_step(self, where, done):
        script = REPOSITORY / self.folder / "train.py"
        command = [sys.executable, script, *self.flags, self.place.flags.save_flag, where]
        started = time.monotonic()
        with open(self.root / "log", "wb") as log:
            process = subprocess.Popen(
                list(map(str, command)), cwd=self.root, stdout=log, stderr=log
            )
            while not list(self.saved(where).glob(f"*-{done + 1}_1.ckpt")):
                assert process.poll() is None, (self.root / "log").read_text()
                time.sleep(0.01)
        seconds = time.monotonic() - started
        process.kill()
        used = os.wait4(process.pid, 0)[2]
        return seconds, used.ru_utime + used.ru_stime

    def seconds_after(self, done):
        """Seconds (of the clock, of the processor) to the first step after `done` epochs; 0: of a
        new run.
        """
        shutil.rmtree(self.root / "run", ignore_errors=True)
        if done:
            self.saved("run").mkdir(parents=True)
            self._write_checkpoint(done)
        return self.seconds_to_first_step("run", done)

    def _write_checkpoint(self, done):
        """That of the first step, as if it were of the last of `done` epochs."""
        values = {
            name: value.asnumpy() for name, value in ms.load_checkpoint(str(self.first)).items()
        }
        progress = {**json.loads(values["progress"].tobytes()), "epochs": done, "steps": 0}
        values["progress"] = np.frombuffer(json.dumps(progress).encode(), np.uint8)
        values["global_step"] = np.full_like(values["global_step"], done * self.steps)
        entries = [{"name": name, "data": ms.Tensor(value)} for name, value in values.items()]
        name = self.first.name.replace("-1_1.", f"-{done}_{self.steps}.")
        ms.save_checkpoint(entries, str(self.saved("run") / name), crc_check=True)


def row(folder, rounds):
    """Seconds of a fresh start, and after so many epochs with the ratio."""
    with tempfile.TemporaryDirectory(prefix="resume_times_") as root:
        runs = Runs(Path(root), folder)
        seconds = {done: [] for done in DONE}
        for _ in range(rounds):
            for done in DONE:
                seconds[done].append(runs.seconds_after(done))
    medians = [[statistics.median(each) for each in zip(*seconds[done])] for done in DONE]
    cells = [f"{clock:.1f}, {used:.1f}" for clock, used in medians]
    ratios = [f" ({used / medians[0][1]:.2f})" for _, used in medians[1:]]
    return [folder, cells[0], *map("".join, zip(cells[1:], ratios))]


def main():
    """One row for each folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("folders", nargs="*", default=NAMES)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    header = ["folder", "fresh start: s, processor s"]
    header += [f"after {done} epochs (ratio)" for done in DONE[1:]]
    rows = [row(folder, arguments.rounds) for folder in arguments.folders]
    page = REPOSITORY / "docs/interrupted_training.md"
    rows += [one for one in rows_of_page(page, "resume") if one[0] not in arguments.folders]
    write_table(arguments.work, "resume", header, sorted(rows))


if __name__ == "__main__":
    main()
