"""The scripts that fetch the C++ runtime, install packages and build."""

import os
import pwd
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

import cpp_infer_tools as cpp

WHEEL = "mindspore_lite-2.0.0-cp37-cp37m-manylinux1_x86_64.whl"


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


def bash(script, *arguments, **environment):
    """The finished process, both streams as text."""
    command = ["bash", script, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, **environment}
    )


def failure(result):
    """The one line on stderr of a script that failed."""
    assert result.returncode == 1, result
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result
    return lines[0]


def test_runtime_of_ones_own(place):
    """MS_LITE_HOME in both layouts: that of the wheel and that of the unpacked release."""
    fetch = cpp.CPP_INFER / "fetch_runtime.sh"
    runtime = Path(bash(fetch).stdout.strip())
    assert bash(fetch, MS_LITE_HOME=str(runtime)).stdout.strip() == str(runtime)
    release = place / "release" / "runtime"
    (release / "lib").mkdir(parents=True)
    (release / "include").symlink_to(runtime / "include")
    for library in (runtime / "lib").iterdir():
        (release / "lib" / library.name.replace("extendrt_python", "lite")).symlink_to(library)
        (release / "lib" / library.name).exists() or (release / "lib" / library.name).symlink_to(
            library
        )
    assert bash(fetch, MS_LITE_HOME="release").stdout.strip() == str(release)
    assert "MS_LITE_HOME=empty has no include/api/model.h" in failure(
        bash(fetch, MS_LITE_HOME="empty")
    )


def test_download_is_checked(place):
    """Another file under the wheel's name is refused, and leaves nothing in the cache."""
    (place / "wheels").mkdir()
    with zipfile.ZipFile(place / "wheels" / WHEEL, "w") as wheel:
        wheel.writestr("mindspore_lite/include/api/model.h", "")
        metadata = "Metadata-Version: 2.1\nName: mindspore-lite\nVersion: 2.0.0\n"
        wheel.writestr("mindspore_lite-2.0.0.dist-info/METADATA", metadata)
        wheel.writestr("mindspore_lite-2.0.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    # pip splits its list at blanks
    wheels = str(shutil.move(place / "wheels", place.parent / "wheels"))
    environment = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": wheels,
        "CPP_INFER_CACHE": str(place / "cache"),
    }
    result = bash(cpp.CPP_INFER / "fetch_runtime.sh", **environment)
    assert (
        result.returncode == 1
        and "is not the file with SHA-256 199cd06" in result.stderr.splitlines()[-1]
    )
    assert os.listdir(place / "cache") == [".lock"] and result.stdout == ""


def test_changed_runtime_is_refused(place):
    """Whatever was put in the place of a file, or beside the others, after it was downloaded."""
    fetch = cpp.CPP_INFER / "fetch_runtime.sh"
    whole = Path(bash(fetch).stdout.strip())
    copy = place / "cache" / whole.name
    shutil.copytree(whole, copy, copy_function=os.link)
    here = {"CPP_INFER_CACHE": str(place / "cache")}
    assert bash(fetch, **here).stdout == f"{copy}\n"
    header = copy / "include/api/model.h"
    header.unlink()
    header.write_text("int planted;\n")
    assert f"{copy} is not MindSpore Lite 2.0.0 as it was unpacked" in failure(bash(fetch, **here))
    header.unlink()
    os.link(whole / "include/api/model.h", header)
    (copy / "lib/libplanted.so").touch()
    assert "remove this folder" in failure(bash(fetch, **here))


def test_planted_locks_are_not_followed(place):
    lock = place / "cache/.lock"
    lock.parent.mkdir()
    lock.symlink_to(place / "mine")
    message = f"error: {lock} is a symbolic link; remove it"
    fetch = cpp.CPP_INFER / "fetch_runtime.sh"
    assert failure(bash(fetch, CPP_INFER_CACHE=str(lock.parent))) == message
    program = place.parent / "program"
    (program / "out").mkdir(parents=True)
    (program / "CMakeLists.txt").write_text("")
    (program / "out/.lock").symlink_to(place / "mine")
    message = f"error: {program}/out/.lock is a symbolic link; remove it"
    assert failure(bash(cpp.CPP_INFER / "build.sh", program)) == message
    assert not (place / "mine").exists()


def test_without_home(monkeypatch):
    """Then the cache is in the home that the system knows."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("CPP_INFER_CACHE", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    home = pwd.getpwuid(os.getuid()).pw_dir
    known = bash(cpp.CPP_INFER / "fetch_runtime.sh", HOME=home)
    monkeypatch.delenv("HOME")
    found = bash(cpp.CPP_INFER / "fetch_runtime.sh")
    assert (found.returncode, found.stdout) == (known.returncode, known.stdout)
    assert f"{home}/.cache/mindspore-zoo-cpu" in found.stdout + found.stderr


def test_packages():
    check = cpp.CPP_INFER / "install_packages.sh"
    assert bash(check, "--check").returncode == 0
    (Path("bin")).mkdir()
    Path("bin/bash").symlink_to(shutil.which("bash"))
    result = subprocess.run(
        ["bin/bash", check, "--check"], capture_output=True, text=True, env={"PATH": "bin"}
    )
    assert "apt-get install -y --no-install-recommends cmake g++ make" in failure(result)


def test_build_needs_a_program(place):
    assert failure(bash(cpp.CPP_INFER / "build.sh", "da ta")).startswith("Usage: bash ")


@pytest.mark.parametrize(
    "name", ['"', ";", "\\", "|", "*", "?", ":", "[", "]", "$(b)", "' #", "# '"]
)
def test_build_names_paths_that_cmake_does_not_take(place, name):
    folder = place.parent / f"a{name}"
    folder.mkdir()
    (folder / "CMakeLists.txt").write_text("")
    message = failure(bash(cpp.CPP_INFER / "build.sh", folder))
    assert message.startswith(f"error: {folder}: CMake and make do not build in paths with")
    assert os.listdir(folder) == ["CMakeLists.txt"]
