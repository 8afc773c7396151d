"""The C++ programs as MobileNetV1's shows them: results, listing, batches and memory, on the real
runtime.
"""

import os
import subprocess

import mindspore as ms
import mindspore.dataset.vision as vision
import numpy as np
from mindspore import nn

import cpp_infer_tools as cpp
from cpp_infer_tools import empty_folder  # noqa: F401 - the fixture `place`

MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


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
    paths = cpp.make_images(place, 3)
    result = cpp.predict("data", "--threads=1")
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
    cpp.predict("unused", "--dataset_name=cifar10", "--input0_path", "raw", batch=2)
    got = cpp.results("result_Files")
    assert len(got) == 6
    for i in range(3):
        for k, wanted in enumerate(cpp.network()(ms.Tensor(values[i]))):
            assert cpp.distance(got[f"batch_{i}_{k}.bin"], wanted.asnumpy()) < 1e-5
    (place / "raw" / "batch_1.bin").write_bytes(bytes(100))
    message = cpp.prediction_error("raw", "--dataset_name=cifar10", batch=2)
    assert "raw/batch_1.bin: has 100 bytes; the model's input has 75264" in message


def test_batches(place):
    cpp.make_images(place, 6)
    cpp.predict("data")
    result = cpp.predict("data", "--result_dir=batches", batch=4)
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
    lines = cpp.predict("data").stdout.splitlines()[:-1]
    names = ["a'$HOME\"/y.jpg", "a'$HOME\"/z.PNG", "b b/x.JPeG", "c/w.jpg"]
    assert lines == [f"Start predict input files:data/{name}" for name in names]
    lines = cpp.predict(place / "elsewhere").stdout.splitlines()[:-1]
    assert lines == [f"Start predict input files:{place}/elsewhere/w.jpg"]


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
