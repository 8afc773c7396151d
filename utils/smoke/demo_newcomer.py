"""What a newcomer does first: clone, set up, fine-tune on photos of one's own, predict, export, and
run in C++; each command with its time.

    python utils/smoke/demo_newcomer.py CACHE WORK

The repository's last commit is cloned into a path with a blank, the caches are empty, and where
this runs as root the commands do not. The photos are 64-pixel crops of an aerial photo, 50 with a
tree and 50 without; the rest of that photo is held out. Exit code 1 where C++ gives another
accuracy.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from demo_finetune import split_few
from steps import Steps, find_number
from work import ROOT, machine, start, write_table

NOBODY = 65534  # the user of that name
FIRST_USE = "PATH", "LANG", "LC_ALL"  # variables that a newcomer has, beside pip's


def as_a_newcomer(steps: Steps) -> tuple[str, ...]:
    """What to put before a command, so that it runs without root, and with an empty home."""
    home = steps.work / "home"
    home.mkdir()
    names = [name for name in os.environ if name in FIRST_USE or name.startswith("PIP_")]
    steps.environment = {"HOME": str(home), **{name: os.environ[name] for name in names}}
    steps.environment["PATH"] = os.pathsep.join(
        part
        for part in os.environ["PATH"].split(os.pathsep)
        if not part.startswith(str(ROOT))  # this repository's own environment
    )
    if os.geteuid() != 0:
        return ()
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(steps.work)], check=True)
    return "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"


def main(cache: str, work: str) -> None:
    """Run, check, and write the table for the README."""
    steps = Steps(work)
    clone, photos = steps.work / "my models", steps.work / "my photos"
    steps.python("data", ROOT / "utils/smoke/photo_crops.py", Path(cache).resolve(), "crops")
    split_few(steps.work / "crops", photos)
    steps.run("origin", "git", "clone", "--quiet", "--bare", ROOT, "origin.git")
    rows, newcomer = [], as_a_newcomer(steps)

    def run(told, command, folder):
        place = shlex.quote(str(folder))
        activate = f". {shlex.quote(str(clone))}/.venv/bin/activate; " if folder != clone else ""
        command = f"cd {place}; {activate}{command}"
        out = steps.run(told, *newcomer, "bash", "-ec", command)
        rows.append([f"`{told}`", f"{steps.seconds[told]:.0f}"])
        return out

    steps.run("git clone", *newcomer, "git", "clone", "--quiet", steps.work / "origin.git", clone)
    rows.append(["`git clone`", f"{steps.seconds['git clone']:.0f}"])
    run("make setup", "make setup", clone)
    folder = clone / "mobilenetv1"
    given = f"--dataset_path {shlex.quote(str(photos))}"
    size = "--image_size 64 --width_multiplier 0.5"
    out = run("python finetune.py", f"python finetune.py {given} {size}", folder)
    held_out = find_number(r"top1 ([0-9.]+) on held-out", out)
    seen = f"--model finetuned/mobilenetv1.onnx --photos {shlex.quote(str(photos / 'val'))}"
    run("python predict.py", f"python predict.py {seen} --pictures seen", folder)
    best = "--checkpoint_path finetuned/finetuned-best.ckpt"
    how = "--device_target CPU --batch_size 1 --file_name own"
    run("python export.py", f"python export.py {best} {how}", folder)
    data = shlex.quote(str(photos / "val"))
    run("bash run_infer_cpp.sh", f"bash scripts/run_infer_cpp.sh own.mindir {data} CPU", folder)
    top1 = find_number(r"'top1 acc': ([0-9.]+)", (folder / "acc.log").read_text())
    minutes = sum(float(seconds) for _, seconds in rows) / 60
    rows += [
        [f"all, to a classifier with top-1 {top1:.4f} in C++", f"{minutes:.0f} min"],
        [f"machine: {machine()}", ""],
    ]
    write_table(steps.work.parent, "newcomer", ["command", "seconds"], rows)
    shutil.copy(folder / "seen/sheet.png", steps.work)
    if f"{top1:.4f}" != f"{held_out:.4f}":
        sys.exit(f"error: held out {held_out}, but {top1} in C++")


if __name__ == "__main__":
    start(main)
