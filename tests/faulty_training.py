"""Training of a folder that is killed, robbed of what it wrote last, and left without room, against
the same without any fault.
"""

import contextlib
import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from folders import REPOSITORY, flags_of
from places import Place

EPOCHS = 3


class Faults:
    """Training of `folder` in the empty folder `root`, and the same without any fault."""

    def __init__(self, root, folder):
        self.root, self.folder = root, folder
        self.damaged = set()  # times of checkpoints that were truncated
        is_detector = flags_of(folder).detector
        self.place = Place(root, folder, training=8 if is_detector else 4, evaluation=1)
        self.place.prepare_training()
        self.flags = (*self.place.use, "--batch_size", 2, "--epoch_size", EPOCHS)
        self.flags += (*self.place.flags.save_flags, "--save_checkpoint_steps", 4)
        # On batches of two images, a rate for the whole of ImageNet ends in NaN unless it is cut.
        self.flags += ("--keep_checkpoint_max", 100, "--clip_norm", 1)
        for where in ("first", "reference"):
            started = time.monotonic()
            with self.train(where) as process:
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
        # Compiled once, by the reference: else most kills would come before the first step.
        cache = {
            "MS_COMPILER_CACHE_ENABLE": "1",
            "MS_COMPILER_CACHE_PATH": str(self.root / "graph"),
        }
        with open(self.log, "wb") as log:
            process = subprocess.Popen(
                list(map(str, command)), cwd=self.root, stdout=log, stderr=log,
                env={**os.environ, **cache}, start_new_session=True,
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
        """Every checkpoint is that of the reference, but for those that are known to be damaged."""
        for path in self.checkpoints(where):
            if path.stat().st_mtime_ns not in self.damaged:
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
        faults.damaged.add(path.stat().st_mtime_ns)
    return len(newest)


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
