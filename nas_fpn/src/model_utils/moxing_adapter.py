"""ModelArts: data and checkpoint come from object storage before the job, results go there after
it.
"""

import functools
import os
import tempfile
import time
import zipfile
from pathlib import Path

import mindspore as ms

from src.model_utils.config import config
from src.model_utils.local_adapter import get_device_id, get_device_num, get_rank_id
from src.vendored.launch import UserError

__all__ = [
    "get_device_id",
    "get_device_num",
    "get_job_id",
    "get_rank_id",
    "moxing_wrapper",
    "sync_data",
]
WAIT_SECONDS = 1
_steps = 0


def get_job_id():
    """The job's name, from JOB_ID ('default')."""
    return os.getenv("JOB_ID") or "default"


def once_per_server(step, lock_folder=None):
    """Run `step()` in the server's first process; the others wait until it is done, or has failed.

    Lock files carry the job's name and the launcher's process id, so that those of an earlier job
    do not count.
    """
    global _steps
    _steps += 1
    lock = Path(
        lock_folder or tempfile.gettempdir(),
        f"modelarts_{get_job_id()}_{os.getppid()}.step{_steps}",
    )
    if get_device_id() % min(get_device_num(), 8) == 0:
        outcome = "failed"
        try:
            step()
            outcome = "done"
        finally:
            lock.write_text(outcome)
        return
    while not lock.exists() or not lock.read_text():
        time.sleep(WAIT_SECONDS)
    if lock.read_text() != "done":
        raise UserError("the server's first process could not prepare its data; its log says why")


def sync_data(source, target):
    """Copy a folder between object storage and this machine, in either direction, once per
    server.
    """
    import moxing

    def copy():
        print(f"copy {source} to {target}", flush=True)
        if "://" not in target:
            os.makedirs(target, exist_ok=True)
        moxing.file.copy_parallel(source, target)

    once_per_server(copy)


def unpack(archive, folder):
    """Extract the zip file `archive` into `folder`.

    Raises UserError if it is damaged or an entry leaves `folder`.
    """
    folder = Path(folder).resolve()
    try:
        with zipfile.ZipFile(archive) as entries:
            for name in entries.namelist():
                if not (folder / name).resolve().is_relative_to(folder):
                    raise UserError(
                        f"{archive}: the entry '{name}' would leave {folder}; nothing was extracted"
                    )
            entries.extractall(folder)
    except FileNotFoundError:
        raise UserError(f"{archive}: no such zip file (modelarts_dataset_unzip_name)") from None
    except zipfile.BadZipFile as error:
        raise UserError(f"{archive}: not a whole zip file ({error})") from None


def unzip_data_set():
    """Extract data_path/NAME.zip into data_path, unless data_path/NAME is there."""
    name = config.modelarts_dataset_unzip_name
    folder = Path(config.data_path, name)
    once_per_server(
        lambda: (
            None if folder.is_dir() else unpack(folder.with_name(f"{name}.zip"), config.data_path)
        )
    )


def moxing_wrapper(prepare=None):
    """Decorator of a job: on ModelArts (`enable_modelarts`) fetch its data, call `prepare()`,
    run it, store results.
    """

    def decorate(job):
        @functools.wraps(job)
        def run_job():
            if config.enable_modelarts:
                for source, target in (
                    (config.data_url, config.data_path),
                    (config.checkpoint_url, config.load_path),
                ):
                    if source:
                        sync_data(source, target)
                config.device_num, config.device_id = get_device_num(), get_device_id()
                os.makedirs(config.output_path, exist_ok=True)
                if prepare:
                    prepare()
            if config.enable_profiling:
                results = config.output_path if config.enable_modelarts else "."
                profiler = ms.Profiler(output_path=os.path.join(results, "profile"))
                job()
                profiler.analyse()
            else:
                job()
            if config.enable_modelarts and config.train_url:
                sync_data(config.output_path, config.train_url)

        return run_job

    return decorate
