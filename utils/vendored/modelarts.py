"""ModelArts: data and checkpoints come from object storage before a job, results go there after it.

Its package `moxing` exists on ModelArts alone.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from .device import DEVICES_A_SERVER
from .files import make_folder
from .launch import UserError, integer_variable

WAIT_SECONDS = 1
DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError)
LARGEST_ARCHIVE = 2 << 40  # bytes unpacked; ImageNet has 150 GB
_steps = 0


def get_device_id() -> int:
    """Device id, from DEVICE_ID (0)."""
    return integer_variable("DEVICE_ID", 0)


def get_device_num() -> int:
    """Number of devices of the run, from RANK_SIZE (1)."""
    return integer_variable("RANK_SIZE", 1)


def get_rank_id() -> int:
    """Rank of this process, from RANK_ID (0)."""
    return integer_variable("RANK_ID", 0)


def get_job_id() -> str:
    """The job's name, from JOB_ID ('default')."""
    return os.getenv("JOB_ID") or "default"


def once_per_server(step: Callable[[], object], lock_folder: str | Path | None = None) -> None:
    """Run `step()` in the server's first process; the others wait until it is done, or has failed.

    The outcome goes to a folder of this user alone, under a name with the job and the launcher's
    process and start time: what an earlier job left does not count.
    """
    global _steps
    _steps += 1
    folder = lock_folder or _own_folder()
    name = re.sub(r"[^\w.-]", "_", get_job_id())
    outcome = Path(folder, f"{name}_{os.getppid()}_{_start_of(os.getppid())}.step{_steps}")
    if get_device_id() % min(get_device_num(), DEVICES_A_SERVER) == 0:
        outcome.unlink(missing_ok=True)
        text = "failed"
        try:
            step()
            text = "done"
        finally:
            if get_device_num() > 1:
                beside = outcome.with_suffix(".unfinished")
                beside.write_text(text)
                beside.replace(outcome)
        return
    while not outcome.exists():
        time.sleep(WAIT_SECONDS)
    if outcome.read_text() != "done":
        raise UserError("the server's first process could not prepare its data; its log says why")


def _own_folder():
    folder = Path(tempfile.gettempdir(), f"modelarts_{os.geteuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if folder.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise UserError(f"{folder}: belongs to somebody else; set TMPDIR to a folder of your own")
    return folder


def _start_of(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return "0"


def sync_data(source: str, target: str) -> None:
    """Copy a folder between object storage and this machine, in either direction, once a server."""
    try:
        import moxing
    except ImportError:
        raise UserError(
            "this is no ModelArts job: its package moxing is not here; leave the ModelArts keys out"
        ) from None

    def copy():
        print(f"copy {source} to {target}", flush=True)
        if "://" not in target:
            make_folder(target)
        moxing.file.copy_parallel(source, target)

    once_per_server(copy)


def unpack(archive: str | Path, folder: str | Path) -> None:
    """Extract the zip file `archive`, all or nothing, into `folder`.

    Raises UserError if it is missing, damaged, encrypted, of a compression that Python lacks, too
    large when unpacked, or if an entry would leave `folder`.
    """
    folder = Path(folder).resolve()
    with tempfile.TemporaryDirectory(prefix=".unfinished_", dir=make_folder(folder)) as beside:
        try:
            with zipfile.ZipFile(archive) as entries:
                _check_entries(archive, entries, Path(beside).resolve())
                entries.extractall(beside)
        except FileNotFoundError:
            raise UserError(f"{archive}: no such zip file (modelarts_dataset_unzip_name)") from None
        except DAMAGED as error:
            raise UserError(f"{archive}: cannot be unpacked ({error})") from None
        for path in Path(beside).iterdir():
            if (folder / path.name).exists():
                raise UserError(f"{folder / path.name}: already there; {archive} holds it too")
        for path in Path(beside).iterdir():
            shutil.move(str(path), folder / path.name)


def _check_entries(archive, entries, folder):
    size = sum(entry.file_size for entry in entries.infolist())
    if size > min(LARGEST_ARCHIVE, shutil.disk_usage(folder).free):
        raise UserError(f"{archive}: {size} bytes when unpacked, more than there is room for")
    for entry in entries.infolist():
        if entry.flag_bits & 1:
            raise UserError(f"{archive}: '{entry.filename}' is encrypted; pack it without password")
        target = (folder / entry.filename).resolve()
        if not entry.filename.strip("/. ") or folder not in target.parents:
            raise UserError(
                f"{archive}: the entry '{entry.filename}' would leave the folder; nothing was"
                " extracted"
            )


def unzip_data_set(data_path: str, name: str) -> str:
    """The folder data_path/name, extracted from data_path/name.zip unless it is there."""
    folder = Path(data_path, name)
    once_per_server(lambda: None if folder.is_dir() else unpack(f"{folder}.zip", data_path))
    return str(folder)


def run_on_modelarts(
    job: Callable[[], None], config: SimpleNamespace, prepare: Callable[[], None]
) -> None:
    """Run `job()` with data and checkpoint fetched, and store its results.

    Reads data_url, data_path, checkpoint_url, load_path, output_path and train_url of `config`;
    `prepare()` sets the job's paths to the local copies.
    """
    for source, target in (
        (config.data_url, config.data_path),
        (getattr(config, "checkpoint_url", ""), getattr(config, "load_path", "")),
    ):
        if source:
            sync_data(source, target)
    make_folder(config.output_path)
    prepare()
    job()
    if config.train_url:
        sync_data(config.output_path, config.train_url)


def moxing_wrapper(
    pre_process: Callable[[SimpleNamespace], None] | None = None,
    post_process: Callable[[SimpleNamespace], None] | None = None,
) -> Callable[[Callable], Callable]:
    """Decorator of a job: on ModelArts (`enable_modelarts`) its data are fetched before it, and its
    results stored after it.

    The job and both processes take the settings: `pre_process(config)` sets the job's paths to the
    local copies, `post_process(config)` is what remains to be done before results are stored. With
    `enable_profiling` the run's profile is written.
    """

    def decorate(job):
        @functools.wraps(job)
        def run_job(config):
            if not config.enable_modelarts:
                _profiled(job, config, ".")
                return

            def whole_job():
                _profiled(job, config, config.output_path)
                if post_process:
                    post_process(config)

            config.device_num, config.device_id = get_device_num(), get_device_id()
            run_on_modelarts(
                whole_job, config, lambda: pre_process(config) if pre_process else None
            )

        return run_job

    return decorate


def _profiled(job, config, folder):
    if not config.enable_profiling:
        job(config)
        return
    import mindspore as ms

    profiler = ms.Profiler(output_path=os.path.join(folder, "profile"))
    job(config)
    profiler.analyse()
