"""A place to call shell scripts from, and a stand-in `python` that writes down its calls."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from folders import REPOSITORY

PROGRAMS = Path(sys.executable).parent
TABLE = {"server_list": [{"device": [{"device_id": "0"}, {"device_id": "1"}]}]}
# The package `moxing`, which exists on ModelArts alone.
MOXING = '''
"""Object storage as a folder of this machine: s3://x is $STORAGE/x."""
import os
import shutil


class file:
    @staticmethod
    def copy_parallel(source, target):
        storage = os.environ["STORAGE"] + "/"
        source, target = (path.replace("s3://", storage) for path in (source, target))
        shutil.copytree(source, target, dirs_exist_ok=True)
'''
# Environment: CODE, after WORDS, or SIGNAL end it, only the worker RANK if that is set;
# the others, and all with SECONDS_TO_STAY, stay for a while, with a process of their own.
STAND_IN = """#!/bin/sh
case $1 in
-*) exec "{python}" "$@" ;;
*) exec "{python}" -IS "{recorder}" "$@" ;;
esac
"""
RECORDER = """
import json, os, subprocess, sys, time
environment = dict(os.environ)
seconds = int(environment.get("SECONDS_TO_STAY", 0))
child = subprocess.Popen(["sleep", str(seconds)]).pid if seconds else 0
record = {"program": sys.argv[1], "flags": sys.argv[2:], "folder": os.getcwd()}
record["cores"] = sorted(os.sched_getaffinity(0))
record.update(environment=environment, processes=[os.getpid(), child])
path = os.path.join(environment["RECORDS"], str(os.getpid()))
with open(path + ".part", "w") as file:
    json.dump(record, file)
os.rename(path + ".part", path)
print("recorded", flush=True)
rank = "-" if environment.get("MS_ROLE") == "MS_SCHED" else environment.get("RANK_ID")
if environment.get("RANK", rank) == rank:
    if "SIGNAL" in environment:
        os.kill(os.getpid(), int(environment["SIGNAL"]))
    if "CODE" in environment:
        print(environment.get("WORDS", "error: sample"), file=sys.stderr, flush=True)
        sys.exit(int(environment["CODE"]))
time.sleep(seconds)
"""
FOLDERS = {"DATASET_PATH", "DATA_DIR", "MINDRECORD_DIR", "DATA_PATH"}
OUTPUTS = {"OUT_DIR", "OUTPUT_DIR"}


def is_path(word):
    """Whether a word of a documented command stands for a path, perhaps with more behind it."""
    return re.match("[A-Z]+_[A-Z_]+", word) is not None


def values_of(words):
    """{flag: value} of the words of a command line, None for a switch without one."""
    words = [word for flag in words for word in (flag.split("=", 1) if "--" in flag else [flag])]
    return {
        word: following if following and not following.startswith("--") else None
        for word, following in zip(words, [*words[1:], ""])
        if word.startswith("--")
    }


WRITERS = {
    "MINDIR_PATH": "; export.py --file_format MINDIR writes one",
    "ONNX_PATH": "; export.py --file_format ONNX writes one",
    "RANK_TABLE_FILE": "; hccl_tools.py writes one",
}


def missing(name, kind):
    """What a script says of its argument `name`, absent where a `kind` is wanted."""
    what = f"{name}=absent is not a {kind}: it does not exist"
    return f"{what}; without arguments the script says which goes where{WRITERS.get(name, '')}"


class ScriptPlace:
    """A copy of a folder's scripts and a folder to call them from, both with paths that need
    quoting.
    """

    def __init__(self, root, folder):
        self.folder, self.records, self.bin = folder, root / "records", root / "bin"
        self.model = root / "it's $USER" / folder
        self.here, self.temporary = root / 'it\'s a "$HOME" 文件夹', root / "temporary files"
        for path in (self.here, self.records, self.bin, self.model, self.temporary):
            path.mkdir(parents=True)
        shutil.copytree(REPOSITORY / folder / "scripts", self.model / "scripts")
        (self.bin / "recorder.py").write_text(RECORDER)
        recorder = self.bin / "recorder.py"
        self.add_program("python", STAND_IN.format(python=sys.executable, recorder=recorder))
        self.add_program("mpirun", "#!/bin/sh\nexit 9\n")  # Only GPUs are for mpirun.

    def add_program(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def prepare(self, line):
        """Make what the words of the documented command `line` stand for."""
        for word in line.replace("=", " ").split():
            if is_path(word) and word not in OUTPUTS:
                self.make(self.here / word.split("/")[0])
        self.inputs = self.content()
        return line

    def make(self, path):
        """A file or folder as the stand-in `path.name` says."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name in FOLDERS:
            path.mkdir(exist_ok=True)
        else:
            path.write_text(json.dumps(TABLE))
        return path

    def content(self):
        """Everything below the folder of the call and the model's."""
        return {path for top in (self.here, self.model) for path in top.rglob("*")}

    def at(self, name):
        """The path of a log in the table of documented commands."""
        if name.startswith("MODEL/"):
            return self.model / name.removeprefix("MODEL/")
        return self.here / name

    def environment(self, **changes):
        """The environment of a call, in the foreground and bare; None means not set."""
        own = ("DEVICE", "RANK", "CUDA", "MASTER", "MS_")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(own)}
        environment = {
            **clean,
            "PATH": f"{self.bin}:{PROGRAMS}:{os.environ['PATH']}",
            "HOME": None,
            "TMPDIR": str(self.temporary),
            "LC_ALL": "C",
            "WAIT": "1",
            "DEVICE_TARGET": "CPU",  # On GPUs mpirun would start the processes.
            "DEVICE_NUM": "2",
            "RECORDS": str(self.records),
            "CPP_INFER_HOME": str(REPOSITORY / "utils/cpp_infer"),
            **changes,
        }
        return {key: value for key, value in environment.items() if value is not None}

    def start(self, line, cwd=None, prefix=(), **environment):
        """The process of the documented command `line`, behind the command `prefix`."""
        words = line.split(" ") if isinstance(line, str) else line
        script = self.model / "scripts" / words[0]
        script = script if prefix else os.path.relpath(script, cwd or self.here)
        return subprocess.Popen(
            [*prefix, "bash", script, *words[1:]],
            cwd=cwd or self.here,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, line, **options):
        """The same, finished: exit code, stdout and stderr."""
        process = self.start(line, **options)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(line, process.returncode, out, err)

    def recorded(self):
        """How the stand-in was called, the scheduler's calls left out."""
        calls = [json.loads(path.read_text()) for path in self.records.glob("*[0-9]")]
        return [call for call in calls if call["environment"].get("MS_ROLE") != "MS_SCHED"]

    def wait_for(self, number):
        """The stand-in's calls, once there are `number` of them."""
        deadline = time.monotonic() + 60
        while len(calls := self.recorded()) < number:
            assert time.monotonic() < deadline, f"{len(calls)} of {number} processes started"
            time.sleep(0.05)
        return calls

    def assert_refused(self, result, message):
        """One line, and nothing was started or made."""
        assert (result.returncode, result.stderr) == (1, f"error: {message}\n")
        assert not self.recorded() and self.content() == self.inputs


def is_running(process):
    """Whether a process, by number, is there and no mere entry that nobody has read."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def seconds_until_gone(calls):
    """How long the processes of recorded `calls` are still there, at most 20 seconds."""
    processes = [process for call in calls for process in call["processes"] if process]
    start = time.monotonic()
    while (left := [p for p in processes if is_running(p)]) and time.monotonic() - start < 20:
        time.sleep(0.05)
    for process in left:
        os.kill(process, signal.SIGKILL)
    return time.monotonic() - start
