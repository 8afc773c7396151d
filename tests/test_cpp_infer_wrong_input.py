"""The C++ programs refuse wrong folders, images, models, devices and flags in one line, on the real
runtime.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from mindspore import nn

import cpp_infer_tools as cpp
from cpp_infer_tools import empty_folder  # noqa: F401 - the fixture `place`


def test_wrong_folders(place):
    assert "nowhere: no such folder" in cpp.prediction_error("nowhere")
    (place / "empty" / "n0").mkdir(parents=True)
    assert "no JPEG, PNG or BMP images; expected empty/CLASS/IMAGE.JPEG" in cpp.prediction_error(
        "empty"
    )
    assert "no .bin files" in cpp.prediction_error("empty", "--dataset_name=cifar10")
    cpp.save_picture(place / "mixed" / "n0" / "a.jpg")
    cpp.save_picture(place / "mixed" / "b.jpg")
    assert not (place / "result_Files").exists()
    first, *rest = cpp.predict("mixed").stdout.splitlines()
    assert first.endswith("1 images lie beside the class folders and are left out, such as b.jpg")
    assert rest[0] == "Start predict input files:mixed/n0/a.jpg"


@pytest.mark.parametrize(
    "damage", ["half", "end", "empty", "text", "noise", "png", "missing", "pipe"]
)
def test_unreadable_image(place, damage):
    """The image is named by path; results of those before it stay."""
    cpp.save_picture(place / "data" / "a.jpg")
    whole = cpp.save_picture(place / "b.png" if damage == "png" else place / "b.jpg").read_bytes()
    noise = np.random.default_rng(0).bytes(3000)
    content = {
        "half": whole[: len(whole) // 2],
        "end": whole[:-2],
        "empty": b"",
        "text": b"hello",
        "noise": noise,
        "png": whole[: len(whole) // 2],
    }
    bad = place / "data" / "b.jpg"
    if damage == "missing":
        bad.symlink_to("nowhere")
    elif damage == "pipe":
        os.mkfifo(bad)
    else:
        bad.write_bytes(content[damage])
    assert "error: data/b.jpg: " in cpp.prediction_error("data")
    assert "a_0.bin" in cpp.results("result_Files")


@pytest.mark.parametrize("damage", ["", "empty", "half", "cut", "noise", "text", "folder"])
def test_no_mindir(place, damage):
    whole = cpp.mindir().read_bytes()
    content = {
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "cut": whole[:-1],
        "text": b"hello\n" * 100,
        "noise": np.random.default_rng(0).bytes(3000),
    }
    if damage == "folder":
        (place / "x.mindir").mkdir()
    elif damage:
        (place / "x.mindir").write_bytes(content[damage])
    assert "x.mindir: " in cpp.error("--mindir_path=x.mindir")


def test_damaged_mindir(place):
    """Whatever single byte is wrong, the program ends by itself, with one line or with results."""
    (place / "raw").mkdir()
    np.zeros((1, 3, cpp.SIZE, cpp.SIZE), np.float32).tofile(place / "raw" / "a.bin")
    whole = cpp.mindir().read_bytes()
    generator = np.random.default_rng(2)
    for _ in range(25):
        content = bytearray(whole)
        content[generator.integers(len(content))] = generator.integers(256)
        (place / "x.mindir").write_bytes(content)
        command = [
            cpp.mobilenet(),
            "--mindir_path=x.mindir",
            "--dataset_name=cifar10",
            "--dataset_path=raw",
        ]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert result.returncode in (0, 1, 3) and len(result.stderr.splitlines()) == (
            result.returncode > 0
        )


def test_mindir_of_another_kind():
    new = cpp.export(cpp.network(), (1, 3, cpp.SIZE, cpp.SIZE))
    assert "MindIR version 3 is too new for the runtime" in cpp.error(
        f"--mindir_path={new}", code=3
    )
    grey = cpp.lower(cpp.export(nn.Conv2d(1, 2, 3), (1, 1, 28, 28)))
    assert "its input is 1x1x28x28; expected float32 batch x 3 x height x width" in cpp.error(
        f"--mindir_path={grey}"
    )
    flat = cpp.lower(cpp.export(nn.Dense(12, 2), (1, 12)))
    assert "its input is 1x12" in cpp.error(f"--mindir_path={flat}")


@pytest.mark.parametrize("device", ["Ascend", "GPU"])
def test_device_that_is_not_there(place, device):
    cpp.save_picture(place / "data" / "a.jpg")
    message = cpp.prediction_error("data", f"--device_type={device}", "--device_id=3")
    assert f"cannot be run on {device} 3; is the device there, with its driver?" in message
    assert not (place / "result_Files").exists()


def test_flags():
    help_text = cpp.run("--help").stdout
    for flag in (
        "mindir_path",
        "dataset_path",
        "device_type",
        "device_id",
        "threads",
        "result_dir",
        "time_dir",
        "dataset_name",
        "input0_path",
    ):
        assert f"  --{flag}  " in help_text
    for arguments, message in {
        (): "--mindir_path: missing",
        ("--mindir=x",): "--mindir: unknown flag; the nearest is --mindir_path",
        ("--datset_path", "x"): "--datset_path: unknown flag; the nearest is --dataset_path",
        ("x",): "x: flags have the form --name=value",
        ("--mindir_path",): "--mindir_path: a value is missing",
        ("--mindir_path", "--threads=2"): "--mindir_path: a value is missing",
        ("--threads=0",): "--threads=0: not a whole number from 1",
        ("--device_id=-1",): "--device_id=-1: not a whole number from 0",
        ("--device_id", "1x"): "--device_id=1x: not a whole number",
        ("--device_type=cpu",): "--device_type=cpu: not one of Ascend, GPU, CPU",
        ("--dataset_name=coco",): "--dataset_name=coco: not one of imagenet2012, cifar10",
    }.items():
        assert message in cpp.error(*arguments)


def test_names_cannot_pass_for_lines(place):
    """Line ends, escapes and what else is not seen, in the names of files and in values."""
    name = b"a\nerror: forged\r\x1b[2J\xc2\x85\xe2\x80\xa8\xff\xe5\x9b\xbe.jpg"
    shown = r"a\nerror: forged\r\x1b[2J\xc2\x85\xe2\x80\xa8\xff图.jpg"
    path = cpp.save_picture(place / "data" / "x.jpg")
    os.rename(path, os.fsencode(place) + b"/data/" + name)
    first, *rest = cpp.predict("data").stdout.splitlines()
    assert first == f"Start predict input files:data/{shown}" and len(rest) == 1
    Path(os.fsdecode(os.fsencode(place) + b"/data/" + name)).write_bytes(b"")
    assert f"error: data/{shown}: " in cpp.prediction_error("data")
    assert r"--threads=1\nerror: x\x07: not a" in cpp.error("--threads=1\nerror: x\a")


def test_long_values_are_cut():
    line = cpp.error(f"--device_type={'é' * 10000}")
    assert line.startswith("error: --device_type=éé") and len(line.encode()) < 1700
    assert line.endswith("éé: not one of Ascend, GPU, CPU") and " bytes ...]" in line
