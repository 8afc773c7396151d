"""run_infer_*.sh with the real programs, from MindIR to accuracy."""

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path

import mindspore as ms
import mindspore.dataset.vision as vision
import numpy as np
import pytest
from mindspore import nn

import cpp_infer_tools as cpp
from folders import REPOSITORY

OPERATIONS = (  # of mobilenetv1, for a network of cpp.SIZE
    vision.Decode(),
    vision.Resize(cpp.SIZE * 256 // 224),
    vision.CenterCrop(cpp.SIZE),
    vision.Normalize((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    vision.HWC2CHW(),
)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Every test runs in an empty folder with a name that shells trip over."""
    folder = tmp_path / "a 'b' \"c\" $d"
    folder.mkdir()
    (tmp_path / "temporary files").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary files"))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CPP_INFER_HOME", str(cpp.CPP_INFER))
    return folder


@functools.cache
def model_folder():
    """mobilenetv1 as someone else's copy of it, its program built."""
    folder = cpp.mobilenet().parents[2]
    ignore = shutil.ignore_patterns("out", "*.log")
    shutil.copytree(REPOSITORY / "mobilenetv1", folder, dirs_exist_ok=True, ignore=ignore)
    return folder


def bash(script, *arguments, **environment):
    """The finished process, both streams as text."""
    command = ["bash", script, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, **environment}
    )


def infer(*arguments, script="run_infer_cpp.sh", **environment):
    return bash(model_folder() / "scripts" / script, *arguments, **environment)


def failure(result):
    """The one line on stderr of a script that failed."""
    assert result.returncode == 1, result
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result
    return lines[0]


@pytest.fixture
def data(place):
    """Six images in two class folders, and the network that C++ cannot read before it is
    lowered.
    """
    for i in range(6):
        cpp.save_picture(place / "da ta" / f"n{i % 2}" / f"img{i}.JPEG", 60 + 7 * i, 90, seed=i)
    shutil.copy(cpp.export(cpp.network(), (1, 3, cpp.SIZE, cpp.SIZE)), place / "new $.mindir")
    return place


def test_imagenet(data):
    result = infer("new $.mindir", "da ta/", "CPU")
    assert result.returncode == 0 and result.stderr == "", result
    assert result.stdout.splitlines()[:4] == [
        f"mindir name: {data}/new $.mindir",
        f"dataset path: {data}/da ta/",
        "device id: 0",
        "device type: CPU",
    ]
    labels = json.loads(Path("preprocess_Result/imagenet_label.json").read_text())
    scores = cpp.results("result_Files")
    hits = [
        scores[name.replace(".JPEG", "_0.bin")].argmax() == label for name, label in labels.items()
    ]
    assert f"'top1 acc': {np.mean(hits)}\n" in Path("acc.log").read_text()
    assert len(hits) == 6 and result.stdout.endswith(Path("acc.log").read_text())
    assert (
        "infer_count 6" in Path("infer.log").read_text()
        and Path("time_Result/test_perform_static.txt").exists()
    )
    assert (model_folder() / "ascend310_infer" / "build.log").exists()

    stamp = cpp.mobilenet().stat().st_mtime_ns
    Path("result_Files/old_0.bin").write_bytes(b"")
    result = infer(
        str(data / "new $.mindir"),
        str(data / "da ta"),
        "0",
        script="run_infer_310.sh",
        DEVICE_TARGET="CPU",
    )
    assert result.returncode == 0 and not Path("result_Files/old_0.bin").exists()
    assert cpp.mobilenet().stat().st_mtime_ns == stamp, (
        "nothing changed, and yet it was built again"
    )

    Path("result_Files/notes.txt").write_text("mine")
    assert "result_Files has other files than *_*.bin*; move it away" in failure(
        infer("new $.mindir", "da ta", "CPU")
    )
    assert Path("result_Files/notes.txt").read_text() == "mine" and "img0_0.bin" in os.listdir(
        "result_Files"
    )


def spread(data, names):
    """A tree of these images, and how often the network says the class of their folder."""
    hits = []
    for number, name in enumerate(names):
        path = cpp.save_picture(data / "tree" / name, 60 + 9 * number, 90, seed=number)
        image = np.fromfile(path, np.uint8)
        for transform in OPERATIONS:
            image = transform(image)
        scores = cpp.network()(ms.Tensor(image[None]))[0].asnumpy()
        hits.append(scores.argmax() == int(name[1]))
    return np.mean(hits)


def test_images_of_one_name(data):
    """Two images of one stem are two results, and the accuracy is the network's."""
    names = ["n0/1.jpg", "n1/1.jpg", "n1/1.png", "n0/100%.jpg", "n1/100%.bmp", "n0/2.x.JPEG"]
    names += ["n2/images/1.jpg", "n3/2.jpg", "n4/4.jpg"]
    accuracy = spread(data, names)
    result = infer("new $.mindir", "tree", "CPU")
    assert result.returncode == 0 and result.stderr == "", result
    assert f"'top1 acc': {accuracy}\n" in result.stdout
    assert {name for name in os.listdir("result_Files") if name.endswith("_0.bin")} == {
        *("n0%2F1.jpg_0.bin", "n1%2F1.jpg_0.bin", "n1%2F1.png_0.bin", "n2%2Fimages%2F1.jpg_0.bin"),
        *("n0%2F100%25.jpg_0.bin", "n1%2F100%25.bmp_0.bin"),
        *("n0%2F2.x.JPEG_0.bin", "n3%2F2.jpg_0.bin", "4_0.bin"),
    }


def test_a_network_whose_outputs_are_no_numbers(data):
    """No result, no timing, and a line with the first image."""
    for value, words in (
        (np.nan, "the weight 'norm.gamma' holds NaN or infinite numbers"),
        (np.inf, "the weight 'norm.gamma' holds NaN or infinite numbers"),
        (3e38, "n0/img0.JPEG: the outputs for it are not finite numbers"),
    ):
        spoilt = cpp.Network()
        spoilt.norm.gamma.set_data(ms.Tensor(np.full(4, value, np.float32)))
        model = str(cpp.export(spoilt.set_train(False), (2, 3, cpp.SIZE, cpp.SIZE)))
        assert words in failure(infer(model, "da ta", "CPU"))
        assert os.listdir("result_Files") == os.listdir("time_Result") == []
        assert not Path("acc.log").exists()


def test_flat_images_with_a_file_of_classes(data):
    """The folder above such images is taken too, whatever else is in it."""
    accuracy = spread(data, ["n0/a.jpg", "n1/b.jpg", "n2/c.jpg", "n3/d.jpg", "n4/e.jpg"])
    lines = []
    for path in sorted((data / "tree").glob("*/*.jpg")):
        lines.append(f"{path.name} {path.parent.name}")
        (data / "above/val").mkdir(parents=True, exist_ok=True)
        path.rename(data / "above/val" / path.name)
    shutil.move(data / "da ta", data / "above/train")
    (data / "above/val.txt").write_text("\n".join(lines))
    result = infer("new $.mindir", "above", "CPU")
    assert result.returncode == 0 and f"'top1 acc': {accuracy}\n" in result.stdout, result
    assert f"images: {data}/above/val\n" in result.stdout


def test_cifar10(place):
    """Batches of 100; the accuracy is that of the network in MindSpore on the same batches."""
    generator = np.random.default_rng(0)
    records = generator.integers(0, 256, (10000, 3073), dtype=np.uint8)
    records[:, 0] %= 10
    (place / "cifar").mkdir()
    records.tofile(place / "cifar" / "test_batch.bin")
    network = nn.SequentialCell(
        nn.Conv2d(3, 10, 32, pad_mode="valid", has_bias=False), nn.Flatten()
    )
    network[0].weight.set_data(
        ms.Tensor(generator.normal(0, 1, (10, 3, 32, 32)).astype(np.float32))
    )
    result = infer(str(cpp.export(network, (100, 3, 32, 32))), "cifar", "CPU")
    assert result.returncode == 0, result
    hits = []
    for i, labels in enumerate(np.load("preprocess_Result/cifar10_label_ids.npy")):
        batch = np.fromfile(f"preprocess_Result/00_data/mobilenetv1_data_bs100_{i}.bin", np.float32)
        scores = network(ms.Tensor(batch.reshape(100, 3, 32, 32))).asnumpy()
        hits.extend(scores.argmax(1) == labels)
    assert len(hits) == 10000
    assert abs(float(Path("acc.log").read_text().split()[1]) - np.mean(hits)) < 2e-4


def test_failing_steps(data):
    def fails(message, reason, *arguments, **environment):
        result = infer(*arguments, **environment)
        assert result.stdout.splitlines()[-1] == message and reason in failure(result), result

    model = "new $.mindir"
    fails(
        "compile app code failed",
        "MS_LITE_HOME=no has no include",
        model,
        "da ta",
        "CPU",
        MS_LITE_HOME="no",
    )
    fails(" execute inference failed", "cannot be run on Ascend 0", model, "da ta", "Ascend")
    Path("cut.mindir").write_bytes(Path(model).read_bytes()[:-1])
    fails(
        " execute inference failed",
        "cut.mindir: not a MindIR file, or cut short",
        "cut.mindir",
        "da ta",
        "CPU",
    )
    fails("preprocess dataset failed", "da ta/n0", model, "da ta/n0", "CPU")
    one_class = nn.SequentialCell(nn.Conv2d(3, 1, cpp.SIZE, pad_mode="valid"), nn.Flatten())
    fails(
        "calculate accuracy failed",
        "has 1 logits",
        str(cpp.export(one_class, (1, 3, cpp.SIZE, cpp.SIZE))),
        "da ta",
        "CPU",
    )
    (data / "da ta" / "n0" / "bad.jpg").write_bytes(b"")
    fails(" execute inference failed", "n0/bad.jpg: this image cannot", model, "da ta", "CPU")
    (data / "da ta" / "n0" / "bad.jpg").write_bytes(bytes(5000))
    fails(" execute inference failed", "(it is no image file)", model, "da ta", "CPU")
