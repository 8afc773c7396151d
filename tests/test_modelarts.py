"""ModelArts, in every folder that runs there: archives that are no good, markers that somebody else
left, no package.
"""

import os
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from entry_points import assert_one_line, call
from folders import NAMES, REPOSITORY, import_from

FOLDERS = [name for name in NAMES if (REPOSITORY / name / "src/vendored/modelarts.py").exists()]


@pytest.fixture(params=FOLDERS)
def modelarts(request):
    return import_from(request.param, "src.vendored.modelarts")


def write_zip(path, *names, content=b"fine" * 100):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fine.txt", "fine")
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def assert_refused(modelarts, root, words):
    """One line, and nothing is extracted, not even the entries that are fine."""
    with pytest.raises(ValueError, match=words) as caught:
        modelarts.unpack(root / "data.zip", root / "target")
    assert "data.zip" in str(caught.value) and "\n" not in str(caught.value)
    assert not list((root / "target").iterdir()) and not (root / "outside.txt").exists()


@pytest.mark.parametrize(
    "name", ["../outside.txt", "/outside of the target.txt", "a/../../outside.txt", "/", ".", " "]
)
def test_an_entry_that_leaves_the_target_or_has_no_name(modelarts, tmp_path, name):
    write_zip(tmp_path / "data.zip", name)
    assert_refused(modelarts, tmp_path, "would leave the folder; nothing was extracted")


def test_a_damaged_archive(modelarts, tmp_path):
    path = tmp_path / "data.zip"
    noise = np.random.RandomState(0).bytes(5000)
    write_zip(path, "noise.bin", content=noise)
    whole = path.read_bytes()
    start = whole.index(b"noise.bin") + len("noise.bin")
    for content in (
        b"",
        b"no zip",
        whole[: len(whole) // 2],
        whole[: start + 100] + bytes(500) + whole[start + 600 :],  # The entry before is whole.
        whole.replace(len(noise).to_bytes(4, "little"), (7).to_bytes(4, "little")),
        whole.replace(b"\x08\x00", b"\x63\x00"),  # A compression that Python does not know.
    ):
        path.write_bytes(content)
        assert_refused(modelarts, tmp_path, "cannot be unpacked")
    path.unlink()
    with pytest.raises(ValueError, match="no such zip file"):
        modelarts.unpack(path, tmp_path / "target")


def test_an_encrypted_archive(modelarts, tmp_path):
    write_zip(tmp_path / "data.zip", "secret.txt")
    content = bytearray((tmp_path / "data.zip").read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.rindex(signature) + flags] |= 1
    (tmp_path / "data.zip").write_bytes(content)
    assert_refused(modelarts, tmp_path, "'secret.txt' is encrypted")


def test_an_archive_larger_than_the_disk(modelarts, tmp_path, monkeypatch):
    write_zip(tmp_path / "data.zip", "zeros.bin", content=bytes(1 << 20))
    monkeypatch.setattr(modelarts, "LARGEST_ARCHIVE", 1 << 20)
    assert_refused(modelarts, tmp_path, "1048580 bytes when unpacked, more than there is room for")


def test_what_is_there_is_not_overwritten(modelarts, tmp_path):
    write_zip(tmp_path / "data.zip", "mine.txt")
    (tmp_path / "target").mkdir()
    (tmp_path / "target/mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="mine.txt: already there"):
        modelarts.unpack(tmp_path / "data.zip", tmp_path / "target")
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["mine.txt"]
    assert (tmp_path / "target/mine.txt").read_text() == "mine"


WORKER = """import sys, time
sys.path.insert(0, sys.argv[1])
from src.vendored.launch import run
from pathlib import Path
from src.vendored import modelarts
def step():
    time.sleep(1)
    if "fail" in sys.argv:
        raise ValueError("no data")
    Path("fetched").touch()
def main():
    modelarts.once_per_server(step)
    print(Path("fetched").exists())
run(main)
"""
# A job whose second process starts first; an earlier job of its name and process id left a marker.
JOB = """mkdir -m 700 "$TMPDIR/modelarts_$UID"
echo done > "$TMPDIR/modelarts_$UID/job_1_${$}_12345.step1"
DEVICE_ID=1 "$@" > second 2> second.err &
second=$!
sleep 1
DEVICE_ID=0 "$@" > first 2> first.err
echo $? > first.code
wait "$second"
echo $? > second.code
"""


def run_job(folder, root, *flags):
    program = [sys.executable, "-c", WORKER, str(REPOSITORY / folder), *flags]
    environment = {"TMPDIR": str(root / "tmp"), "RANK_SIZE": "2", "JOB_ID": "job 1"}
    (root / "tmp").mkdir()
    done = subprocess.run(
        ["bash", "-c", JOB, "bash", *program],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return {name: (root / name).read_text() for name in ("first", "second", "second.err")}, [
        int((root / f"{name}.code").read_text()) for name in ("first", "second")
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_one_process_works_and_the_others_wait(tmp_path, folder):
    texts, codes = run_job(folder, tmp_path)
    assert codes == [0, 0] and texts["first"] == texts["second"] == "True\n"


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_others_end_where_it_fails(tmp_path, folder):
    texts, codes = run_job(folder, tmp_path, "fail")
    assert_one_line(codes[1], texts["second.err"], "the server's first process could not prepare")
    assert codes[0] == 1


def plant_link(folder, root):
    (root / "elsewhere").mkdir()
    folder.symlink_to(root / "elsewhere")


def plant_foreign(folder, root):
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, 12345)


def plant_open(folder, root):
    folder.mkdir()
    folder.chmod(0o777)


@pytest.mark.parametrize("plant", [plant_link, plant_foreign, plant_open])
def test_a_folder_that_somebody_else_may_write_to_is_refused(
    modelarts, tmp_path, monkeypatch, plant
):
    monkeypatch.setattr(modelarts.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("RANK_SIZE", "2")
    monkeypatch.setenv("DEVICE_ID", "0")
    if plant is plant_foreign and os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    plant(tmp_path / f"modelarts_{os.geteuid()}", tmp_path)
    with pytest.raises(ValueError, match="belongs to somebody else; set TMPDIR"):
        modelarts.once_per_server(lambda: None)
    assert not list(tmp_path.rglob("*.step*"))


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("script", ["train.py", "eval.py"])
def test_without_the_package_there_is_one_line(tmp_path, folder, script):
    _, out, _ = call(folder, script, "--help", cwd=tmp_path)
    switch = re.search(r"--\w+_model_?arts", out)  # Documented under several names.
    assert switch or script == "eval.py"
    if not switch:
        pytest.skip("only training runs there")
    flags = [switch.group(), "True", "--data_url", "s3://data", "--device_target", "CPU"]
    code, _, err = call(folder, script, *flags, cwd=tmp_path)
    assert_one_line(code, err, "no ModelArts job", "moxing")
