"""The files of a benchmark: photos, weights, inputs and what is exported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

from measure import run
from mindspore_side import CHECKPOINT
from work import ROOT

HERE = Path(__file__).parent
COPIES = {"train": 32, "val": 8}  # of 20 photos


def make_photos(cache: Path, work: Path) -> None:
    """Real photos in `work`/data/train and val, in a thousand class folders of which most are
    empty.
    """
    run([sys.executable, ROOT / "utils/smoke/photos.py", cache, work / "data"], work)
    for split, copies in COPIES.items():
        for photo in sorted((work / "data" / split).glob("*/*")):
            for number in range(1, copies):
                shutil.copyfile(photo, photo.with_name(f"{number}_{photo.name}"))


def make_files(folder: str, benchmark: ModuleType, work: Path) -> None:
    """Weights and inputs, then model.onnx and int8.onnx for any number of images, and
    lowered-N.mindir for N of them.
    """
    run([sys.executable, HERE / "mindspore_side.py", folder, "write"], work)

    def export(name, *flags):
        where = ("--checkpoint_path", CHECKPOINT, "--file_name", name)
        run([sys.executable, ROOT / folder / "export.py", *benchmark.NETWORK, *where, *flags], work)

    def export_lowered(batch):
        export(f"plain-{batch}", "--file_format", "MINDIR", benchmark.EXPORT_BATCH, batch)
        lower = ROOT / "utils/cpp_infer/lower_mindir.py"
        run([sys.executable, lower, f"plain-{batch}.mindir", f"lowered-{batch}.mindir"], work)

    any_number = ("--file_format", "ONNX", "--dynamic_batch", True)
    integers = ("--precision", "int8", "--calibration", "data/val", "--batch_size", 16)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(export, "model", *any_number)]
        if benchmark.HAS_INT8:
            jobs.append(pool.submit(export, "int8", *any_number, *integers))
        jobs += [pool.submit(export_lowered, batch) for batch in benchmark.BATCHES]
    for job in jobs:
        job.result()


def seconds_to_first_step(folder: str, benchmark: ModuleType, work: Path) -> float:
    """From the start of train.py, which keeps what it compiles, until the checkpoint of its first
    step is there.
    """
    place = work / "start"
    shutil.rmtree(place, ignore_errors=True)
    folders = [path for path in work.iterdir() if path.is_dir()]
    place.mkdir()
    for path in folders:
        (place / path.name).symlink_to(path)
    flags = (*benchmark.NETWORK, *benchmark.TRAINING, "--save_checkpoint_steps", 1)
    command = [sys.executable, ROOT / folder / "train.py", *flags, "--compile_cache", "../compiled"]
    started = time.perf_counter()
    with (
        open(place / "log", "w+") as log,
        subprocess.Popen(list(map(str, command)), cwd=place, stdout=log, stderr=log) as process,
    ):
        while not list(place.rglob("*-1_1.ckpt")):
            if process.poll() is not None:
                log.seek(0)
                sys.exit(f"error: {folder}: train.py made no step:\n{log.read()[-2000:]}")
            time.sleep(0.01)
        seconds = time.perf_counter() - started
        process.kill()
    return seconds
