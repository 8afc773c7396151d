"""What a new machine has: the doctor, and the versions that make installs."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys

import pytest

from folders import NAMES, REPOSITORY

LOCK = (REPOSITORY / "requirements-tested.txt").read_text(encoding="utf-8")
LOOSE = ["requirements.txt", "requirements-dev.txt", *(f"{n}/requirements.txt" for n in NAMES)]


def plain(name):
    return name.lower().replace("_", "-")


@pytest.mark.parametrize("file", LOOSE)
def test_every_package_has_a_tested_version_with_its_files_sums(file):
    lines = (REPOSITORY / file).read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line and not line.startswith(("#", "-r")):
            name = plain(re.split(r"[<>=]", line)[0])
            entry = rf"^{name}==\S+( ; .*)? \\\n    --hash=sha256:[0-9a-f]{{64}}"
            assert re.search(entry, LOCK, re.MULTILINE), line


def doctor(cache, **environment):
    return subprocess.run(
        [sys.executable, REPOSITORY / "utils/doctor.py", cache],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_a_machine_that_has_everything(tmp_path):
    (tmp_path / "mindspore-lite-2.0.0").mkdir()
    done = doctor(tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    version = importlib.metadata.version("mindspore")
    for words in (f"mindspore {version}", "devices  CPU", f"{tmp_path}/mindspore-lite-2.0.0"):
        assert words in done.stdout
    assert done.stdout.endswith("nothing to mend\n")


def test_what_is_missing_has_its_command(tmp_path):
    for name in ("bash", "env"):
        (tmp_path / name).symlink_to(shutil.which(name))
    done = doctor(tmp_path, PATH=str(tmp_path))
    assert done.returncode == 1 and done.stdout.endswith("1 to mend\n")
    assert re.search(r"-> apt-get update && apt-get install .*cmake g\+\+ make", done.stdout)


def test_versions_that_differ_are_named(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "utils"))
    import doctor as module

    found = {"protobuf": "3.19.0", "numpy": importlib.metadata.version("numpy"), "mine": "1"}
    assert [line.split(" (")[0] for line in module.differing(found)] == ["protobuf 3.19.0"]
    assert {"mindspore", "pyyaml", "opencv-python-headless"} <= module.needed()
