"""What the C++ programs write appears whole, whatever ends them."""

import fcntl
import os
import resource
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

import cpp_infer_tools as cpp
from cpp_infer_tools import empty_folder  # noqa: F401 - the fixture `place`


def test_output_that_cannot_be_written(place):
    cpp.save_picture(place / "data" / "a.jpg")
    (place / "file").write_text("")
    assert "file/results: cannot be made" in cpp.prediction_error(
        "data", "--result_dir=file/results"
    )
    assert "file: " in cpp.prediction_error("data", "--time_dir=file")

    def limit_file_size():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    message = cpp.prediction_error("data", "--result_dir=full", preexec_fn=limit_file_size)
    assert "full/a_1.bin: cannot be written: File too large" in message
    assert list(cpp.results("full")) == ["a_0.bin"]
    with open("/dev/full", "w") as full:
        command = [cpp.mobilenet(), f"--mindir_path={cpp.mindir()}", "--dataset_path=data"]
        assert subprocess.run(command, stdout=full, stderr=subprocess.DEVNULL).returncode == 1


@pytest.mark.parametrize("umask", [0o077, 0o022])
def test_permissions_are_what_the_umask_leaves(place, umask):
    cpp.save_picture(place / "data" / "a.jpg")
    cpp.predict("data", preexec_fn=lambda: os.umask(umask))
    paths = [*Path("result_Files").iterdir(), *Path("time_Result").iterdir()]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o666 & ~umask] * 3


def test_what_a_killed_run_left_is_removed(place):
    """What a live run has locked, what another wrote and what only looks like it stay."""
    cpp.save_picture(place / "data" / "a.jpg")
    (place / "result_Files").mkdir()
    (place / "time_Result").mkdir()
    precious = place / "precious"
    precious.write_text("")
    names = [f"a_0.bin.{digit * 16}.partial" for digit in "0af9"]
    killed, live, link, folder = (place / "result_Files" / name for name in names)
    killed.write_bytes(b"half")
    link.symlink_to(precious)
    folder.mkdir()
    (place / "result_Files" / "my.partial").write_text("")
    (place / "time_Result" / names[0]).write_text("")
    with open(live, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        cpp.predict("data")
    left = {path.name for path in (place / "result_Files").iterdir()}
    assert left == {"a_0.bin", "a_1.bin", "my.partial", *names[1:]} and precious.exists()
    assert os.listdir("time_Result") == ["test_perform_static.txt"]


def test_a_run_killed_while_it_writes(place):
    """Whenever it is killed, every file under its own name is whole, and the next run removes the
    rest.
    """
    cpp.make_images(place, 4)
    (place / "result_Files").mkdir()
    sizes = {"0": 5 * 4, "1": 4 * 28 * 28 * 4}
    command = [cpp.mobilenet(), f"--mindir_path={cpp.mindir()}", "--dataset_path=data"]
    for _ in range(5):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while not os.listdir("result_Files") and process.poll() is None:
            time.sleep(0.0005)
        process.kill()
        process.wait()
        for path in Path("result_Files").glob("*.bin"):
            assert path.stat().st_size == sizes[path.stem[-1]]
            path.unlink()
    cpp.predict("data")
    assert len(os.listdir("result_Files")) == 8
