"""The C++ programs as MobileNetV1's shows them: results, listing, batches and wrong input, on
the real runtime.
"""

import fcntl
import itertools
import os
import resource
import signal
import stat
import subprocess
import time
from pathlib import Path

import mindspore as ms
import mindspore.dataset.vision as vision
import numpy as np
import pytest
from mindspore import nn

import cpp_infer_tools as cpp

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Every test runs in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def predict(data, *arguments, batch=1, **options):
    return cpp.run(
        f"--mindir_path={cpp.mindir(batch)}", f"--dataset_path={data}", *arguments, **options
    )


def prediction_error(data, *arguments, batch=1, **options):
    return cpp.error(
        f"--mindir_path={cpp.mindir(batch)}", f"--dataset_path={data}", *arguments, **options
    )


def make_images(place, count):
    """`count` images in two class folders, of different sizes."""
    sizes = itertools.cycle([(90, 70), (64, 64), (57, 130), (200, 151)])
    paths = [place / "data" / f"n{i % 2}" / f"img{i:02}.JPEG" for i in range(count)]
    return [cpp.save_picture(path, *next(sizes), seed=i) for i, path in enumerate(paths)]


def network_outputs(path):
    """What the network in MindSpore makes of an image that `vision` has preprocessed."""
    image = np.fromfile(path, np.uint8)
    for transform in (
        vision.Decode(),
        vision.Resize(64),
        vision.CenterCrop(cpp.SIZE),
        vision.Normalize(MEAN, STD),
        vision.HWC2CHW(),
    ):
        image = transform(image)
    return [output.asnumpy() for output in cpp.network()(ms.Tensor(image[None]))]


def test_images_to_results(place):
    paths = make_images(place, 3)
    result = predict("data", "--threads=1")
    in_order = ("n0/img00.JPEG", "n0/img02.JPEG", "n1/img01.JPEG")
    assert result.stdout.splitlines()[:3] == [
        f"Start predict input files:data/{name}" for name in in_order
    ]
    timing = (place / "time_Result" / "test_perform_static.txt").read_text()
    assert timing.startswith("NN inference cost average time: ") and timing.endswith(
        " ms of infer_count 3\n"
    )
    assert (
        result.stdout.splitlines()[3] == timing.strip().replace(" ms of", "ms of")
        and result.stderr == ""
    )
    got = cpp.results("result_Files")
    assert len(got) == 6
    for path in paths:
        for i, wanted in enumerate(network_outputs(path)):
            assert cpp.distance(got[f"{path.stem}_{i}.bin"], wanted) < 1e-3


def test_tensors_to_results(place):
    values = np.random.default_rng(0).normal(size=(3, 2, 3, cpp.SIZE, cpp.SIZE)).astype(np.float32)
    (place / "raw").mkdir()
    for i in range(3):
        values[i].tofile(place / "raw" / f"batch_{i}.bin")
    predict("unused", "--dataset_name=cifar10", "--input0_path", "raw", batch=2)
    got = cpp.results("result_Files")
    assert len(got) == 6
    for i in range(3):
        for k, wanted in enumerate(cpp.network()(ms.Tensor(values[i]))):
            assert cpp.distance(got[f"batch_{i}_{k}.bin"], wanted.asnumpy()) < 1e-5
    (place / "raw" / "batch_1.bin").write_bytes(bytes(100))
    message = prediction_error("raw", "--dataset_name=cifar10", batch=2)
    assert "raw/batch_1.bin: has 100 bytes; the model's input has 75264" in message


def test_batches(place):
    make_images(place, 6)
    predict("data")
    result = predict("data", "--result_dir=batches", batch=4)
    assert result.stdout.count("Start predict") == 6 and "infer_count 2\n" in result.stdout
    alone, together = cpp.results("result_Files"), cpp.results("batches")
    assert list(alone) == list(together)
    assert all(cpp.distance(together[name], alone[name]) < 1e-5 for name in alone)


def test_listing(place):
    """Class folders and flat ones, every letter case, links, awkward names; other and hidden
    files are left out.
    """
    cpp.save_picture(place / "data" / "b b" / "x.JPeG")
    cpp.save_picture(place / "data" / "a'$HOME\"" / "z.PNG")
    (place / "data" / "a'$HOME\"" / "y.jpg").symlink_to(place / "data" / "b b" / "x.JPeG")
    (place / "data" / "c").symlink_to(cpp.save_picture(place / "elsewhere" / "w.jpg").parent)
    cpp.save_picture(place / "data" / "c" / ".hidden.jpg")
    for name in ("readme.txt", "c/labels.json"):
        (place / "data" / name).write_text("text")
    lines = predict("data").stdout.splitlines()[:-1]
    names = ["a'$HOME\"/y.jpg", "a'$HOME\"/z.PNG", "b b/x.JPeG", "c/w.jpg"]
    assert lines == [f"Start predict input files:data/{name}" for name in names]
    lines = predict(place / "elsewhere").stdout.splitlines()[:-1]
    assert lines == [f"Start predict input files:{place}/elsewhere/w.jpg"]


def test_wrong_folders(place):
    assert "nowhere: no such folder" in prediction_error("nowhere")
    (place / "empty" / "n0").mkdir(parents=True)
    assert "no JPEG, PNG or BMP images; expected empty/CLASS/IMAGE.JPEG" in prediction_error(
        "empty"
    )
    assert "no .bin files" in prediction_error("empty", "--dataset_name=cifar10")
    cpp.save_picture(place / "mixed" / "n0" / "a.jpg")
    cpp.save_picture(place / "mixed" / "b.jpg")
    assert not (place / "result_Files").exists()
    first, *rest = predict("mixed").stdout.splitlines()
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
    assert "error: data/b.jpg: " in prediction_error("data")
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
    message = prediction_error("data", f"--device_type={device}", "--device_id=3")
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


def test_output_that_cannot_be_written(place):
    cpp.save_picture(place / "data" / "a.jpg")
    (place / "file").write_text("")
    assert "file/results: cannot be made" in prediction_error("data", "--result_dir=file/results")
    assert "file: " in prediction_error("data", "--time_dir=file")

    def limit_file_size():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    message = prediction_error("data", "--result_dir=full", preexec_fn=limit_file_size)
    assert "full/a_1.bin: cannot be written: File too large" in message
    assert list(cpp.results("full")) == ["a_0.bin"]
    with open("/dev/full", "w") as full:
        command = [cpp.mobilenet(), f"--mindir_path={cpp.mindir()}", "--dataset_path=data"]
        assert subprocess.run(command, stdout=full, stderr=subprocess.DEVNULL).returncode == 1


@pytest.mark.parametrize("umask", [0o077, 0o022])
def test_permissions_are_what_the_umask_leaves(place, umask):
    cpp.save_picture(place / "data" / "a.jpg")
    predict("data", preexec_fn=lambda: os.umask(umask))
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
        predict("data")
    left = {path.name for path in (place / "result_Files").iterdir()}
    assert left == {"a_0.bin", "a_1.bin", "my.partial", *names[1:]} and precious.exists()
    assert os.listdir("time_Result") == ["test_perform_static.txt"]


def test_a_run_killed_while_it_writes(place):
    """Whenever it is killed, every file under its own name is whole, and the next run removes the
    rest.
    """
    make_images(place, 4)
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
    predict("data")
    assert len(os.listdir("result_Files")) == 8


def test_names_cannot_pass_for_lines(place):
    """Line ends, escapes and what else is not seen, in the names of files and in values."""
    name = b"a\nerror: forged\r\x1b[2J\xc2\x85\xe2\x80\xa8\xff\xe5\x9b\xbe.jpg"
    shown = r"a\nerror: forged\r\x1b[2J\xc2\x85\xe2\x80\xa8\xff图.jpg"
    path = cpp.save_picture(place / "data" / "x.jpg")
    os.rename(path, os.fsencode(place) + b"/data/" + name)
    first, *rest = predict("data").stdout.splitlines()
    assert first == f"Start predict input files:data/{shown}" and len(rest) == 1
    Path(os.fsdecode(os.fsencode(place) + b"/data/" + name)).write_bytes(b"")
    assert f"error: data/{shown}: " in prediction_error("data")
    assert r"--threads=1\nerror: x\x07: not a" in cpp.error("--threads=1\nerror: x\a")


def test_long_values_are_cut():
    line = cpp.error(f"--device_type={'é' * 10000}")
    assert line.startswith("error: --device_type=éé") and len(line.encode()) < 1700
    assert line.endswith("éé: not one of Ascend, GPU, CPU") and " bytes ...]" in line


def test_memory_is_bounded(place):
    """Ten times the images take no more memory: 400 inputs alone would be 60 MB with a 224 x 224
    network.
    """
    path = cpp.save_picture(place / "one.jpg", 400, 500)
    network = cpp.lower(cpp.export(nn.Conv2d(3, 1, 3, stride=16), (1, 3, 224, 224)))
    peaks = []
    for count in (40, 400):
        folder = place / f"data{count}"
        folder.mkdir()
        for i in range(count):
            (folder / f"{i}.jpg").symlink_to(path)
        program = [cpp.mobilenet(), f"--mindir_path={network}", f"--dataset_path={folder}"]
        process = subprocess.Popen(program, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        peaks.append(usage.ru_maxrss / 1024)
    assert peaks[1] - peaks[0] < 30, peaks
