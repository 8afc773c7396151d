"""NAS-FPN's training on ModelArts, with a stand-in for the package `moxing`."""

import os
import subprocess
import sys
import zipfile

import pytest

from folders import REPOSITORY
from nas_fpn_small import create_records
from script_calls import MOXING


@pytest.mark.slow
def test_training_on_modelarts(tmp_path):
    create_records(tmp_path)
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/moxing.py").write_text(MOXING)
    (tmp_path / "storage/MindRecord_COCO").mkdir(parents=True)
    stored = tmp_path / "storage/MindRecord_COCO/MindRecord_COCO.zip"
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in (tmp_path / "records").iterdir():
            archive.write(path, f"MindRecord_COCO/{path.name}")
    flags = ["--config_path", tmp_path / "small.yaml", "--enable_modelarts", "True"]
    flags += ["--data_url", "s3://MindRecord_COCO", "--train_url", "s3://results"]
    flags += [f"--data_path={tmp_path}/data", f"--output_path={tmp_path}/output"]
    flags += ["--save_checkpoint_path", "checkpoint", "--epoch_size", "1"]
    flags += [f"--mindrecord_dir={tmp_path}/data/MindRecord_COCO"]
    environment = {"STORAGE": str(tmp_path / "storage"), "PYTHONPATH": str(tmp_path / "modules")}
    done = subprocess.run(
        [sys.executable, REPOSITORY / "nas_fpn/train.py", *flags],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "storage/results/checkpoint/retinanet_nasfpn-1_5.ckpt").exists()
