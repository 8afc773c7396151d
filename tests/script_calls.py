"""A place to call shell scripts from, and a stand-in `python` that writes down how it was
called.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from folders import REPOSITORY

PROGRAMS = Path(sys.executable).parent
TABLE = {"server_list": [{"device": [{"device_id": "0"}, {"device_id": "1"}]}]}
RECORDER = """#!{python}
import json, os, sys
if sys.argv[1] in ("-", "-c"):
    os.execv("{python}", ["{python}"] + sys.argv[1:])
record = {{"program": sys.argv[1], "flags": sys.argv[2:], "folder": os.getcwd()}}
record["environment"] = dict(os.environ)
with open(os.path.join(os.environ["RECORDS"], str(os.getpid())), "w") as file:
    json.dump(record, file)
print("recorded", flush=True)
if "CODE" in os.environ:
    sys.exit(print("error: sample", file=sys.stderr, flush=True) or int(os.environ["CODE"]))
"""


class Place:
    """A copy of a folder's scripts and a folder to call them from, both with paths that need
    quoting.
    """

    def __init__(self, root):
        self.root, self.records, self.bin = root, root / "records", root / "bin"
        self.here = root / 'it\'s a "$HOME" folder'
        for folder in (self.here / "DATASET_PATH", self.records, self.bin):
            folder.mkdir(parents=True)
        for name in ("PRETRAINED_CKPT_PATH", "CHECKPOINT_PATH", "CONFIG_PATH", "OTHER_FILE"):
            (self.here / name).touch()
        (self.here / "RANK_TABLE_FILE").write_text(json.dumps(TABLE))
        self.inputs = set(self.here.iterdir())
        self.add_program("python", RECORDER.format(python=sys.executable))
        self.add_program("mpirun", "#!/bin/sh\nexit 9\n")  # Only GPUs are for mpirun.

    def add_program(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def run(self, folder, command, path=None, cwd=None, **environment):
        """Run `SCRIPT ARGUMENT...` as documented, in the foreground unless WAIT says otherwise."""
        model = self.root / "it's $USER" / folder
        if not model.exists():
            shutil.copytree(REPOSITORY / folder / "scripts", model / "scripts")
        words = command.split(" ")
        script = os.path.relpath(model / "scripts" / words[0], cwd or self.here)
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DEVICE", "RANK", "CUDA", "MASTER", "WAIT", "MS_"))
        }
        environment = {
            **clean,
            "PATH": path or f"{self.bin}:{PROGRAMS}:{os.environ['PATH']}",
            "WAIT": "1",
            "DEVICE_NUM": "2",
            "RECORDS": str(self.records),
            **environment,
        }
        return subprocess.run(
            ["bash", script, *words[1:]],
            cwd=cwd or self.here,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def recorded(self):
        return [json.loads(path.read_text()) for path in self.records.iterdir()]

    def assert_refused(self, result, message):
        """One line, and nothing was started or made."""
        assert (result.returncode, result.stderr) == (1, f"error: {message}\n")
        assert not self.recorded() and set(self.here.iterdir()) == self.inputs

    def path_or_text(self, word):
        return str(self.here / word) if (self.here / word).exists() else word
