"""The commands of docs/own_data.md, as they stand there, on photos and boxes like a user's."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mindspore as ms
import pytest
import yaml

from folders import BUILDING, REPOSITORY, flags_of, import_from, load_config
from places import SMALL_DETECTOR, class_folders, coco_split

PAGE = (REPOSITORY / "docs/own_data.md").read_text()
pytestmark = pytest.mark.slow


def blocks(part, language):
    """The code blocks of a section, in order."""
    section = PAGE.split(f"## {part}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def paste(root, lines, name=""):
    """Run `lines` in a shell; the page's X.ckpt is the checkpoint `name`."""
    if name:
        lines = lines.replace("X.ckpt", name)
    programs = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-e"],
        input=lines,
        cwd=root,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "GLOG_v": "3"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_classification(tmp_path):
    model = tmp_path / "mobilenetv1"
    shutil.copytree(REPOSITORY / "mobilenetv1", model)
    for split, count in (("train", 16), ("val", 4)):
        class_folders(model / "photos" / split, count, ("cat", "dog"))
    shutil.copy(model / "photos/val/cat/cat0.JPEG", model / "new.jpg")
    config = load_config("mobilenetv1", BUILDING)
    network = import_from("mobilenetv1", flags_of("mobilenetv1").network_module)
    ms.save_checkpoint(network.build_network(config), str(model / "started.ckpt"))
    check, short, long = blocks("Classification", "bash")
    assert "8 images" in paste(tmp_path, check)
    assert "new.jpg" in paste(model, short, "started.ckpt")
    assert (model / "seen").is_dir()
    train, rest = long.split("python eval.py")
    paste(model, train)
    last = max((model / "ckpt_0").glob("mobilenetv1-10_*.ckpt"))
    answers = paste(model, f"python eval.py{rest}", last.name)
    assert "'top_1_accuracy'" in answers or "acc" in answers
    assert (model / "pets.onnx").is_file()


def test_detection(tmp_path):
    shutil.copytree(REPOSITORY / "nas_fpn", tmp_path / "nas_fpn")
    root = tmp_path / "data/pets"
    for split, count in (("train2017", 4), ("val2017", 2)):
        coco_split(root, split, count, ("cat", "dog"))
    settings = yaml.safe_load(blocks("Detection", "yaml")[0])
    # The page's own keys, and a network that takes seconds.
    small = {**SMALL_DETECTOR, **settings, "epoch_size": 1, "batch_size": 2}
    (tmp_path / "nas_fpn/pets.yaml").write_text(yaml.safe_dump(small))
    (commands,) = blocks("Detection", "bash")
    answers = paste(tmp_path, commands.replace("/data/pets", str(root)))
    assert "train success!" in answers
