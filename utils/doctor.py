"""Prints what this machine has of what the targets need, and the command that mends what is
missing: `make doctor`. It needs no package.

    python utils/doctor.py CACHE

Exit code 1 where something is missing.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ((3, 9), (3, 12))  # of Python, for which there is a MindSpore from 2.7 to 2.10
# Of the environment's own interpreter: what is installed, and the devices that MindSpore has.
PROBE = """import importlib.metadata as metadata, json
found = {d.metadata["Name"]: d.version for d in metadata.distributions()}
try:
    import mindspore
    mindspore.set_context(device_target="CPU")
    devices = [name for name in ("Ascend", "GPU", "CPU") if mindspore.hal.is_available(name)]
    said = ", ".join(devices)
except Exception as error:
    said = " ".join(f"not usable: {error}".split())[:200]
print(json.dumps([found, said]))
"""
ROOM = 8  # GiB that the environment, the downloads and a smoke run take


def main(cache: Path) -> int:
    """Print a line a thing; 1 where one is missing."""
    checks = [check_python(), *check_environment(), check_builder(), check_runtime(cache)]
    checks += [check_room(), check_processor(), check_boards()]
    width = max(len(name) for name, *_ in checks)
    for name, found, mend in checks:
        print(f"{name:{width}}  {found}" + (f"\n{'':{width}}  -> {mend}" if mend else ""))
    missing = sum(bool(mend) for *_, mend in checks)
    print(f"{missing} to mend" if missing else "nothing to mend")
    return 1 if missing else 0


def check_python() -> tuple:
    """The interpreter that makes the environment."""
    low, high = ([str(part) for part in version] for version in VERSIONS)
    fits = VERSIONS[0] <= sys.version_info[:2] <= VERSIONS[1]
    mend = f"MindSpore 2.7 to 2.10 has wheels for Python {'.'.join(low)} to {'.'.join(high)}: make"
    return "Python", platform.python_version(), "" if fits else f"{mend} PYTHON=python3.11 ..."


def check_environment() -> list:
    """Packages and devices of .venv."""
    python = ROOT / ".venv/bin/python"
    if not python.exists():
        return [("packages", "no .venv yet", "make .venv/.ready")]
    done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True)
    if done.returncode:
        return [("packages", ".venv does not run", "rm -r .venv; make .venv/.ready")]
    found, devices = json.loads(done.stdout.splitlines()[-1])
    found = {_plain(name): version for name, version in found.items()}
    shown = ", ".join(
        f"{name} {found.get(name, 'missing')}"
        for name in ("mindspore", "numpy", "protobuf", "onnx", "onnxruntime")
    )
    mend = "rm -r .venv; make .venv/.ready"
    lacking = sorted(name for name in needed() if name not in found)
    if lacking:
        shown += f"; without {', '.join(lacking)}"
    usable = not devices.startswith("not")
    return [
        ("packages", shown, mend if lacking else ""),
        ("not as tested", ", ".join(differing(found)) or "none", ""),
        ("MindSpore's devices", devices, "" if usable else mend),
    ]


def needed() -> set:
    """The names of the packages that the folders need."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return {_plain(re.split(r"[<>=]", line)[0]) for line in lines if line and line[0] != "#"}


def differing(found: dict) -> list:
    """What is installed in another version than any of requirements-tested.txt, by name."""
    text = (ROOT / "requirements-tested.txt").read_text(encoding="utf-8")
    tested = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE):
        tested.setdefault(_plain(name), []).append(version)
    return [
        f"{name} {found[name]} (tested: {' or '.join(versions)})"
        for name, versions in sorted(tested.items())
        if name in found and found[name] not in versions
    ]


def _plain(name):
    return name.lower().replace("_", "-")


def check_builder() -> tuple:
    """Compiler, CMake and OpenCV's headers."""
    command = ["bash", ROOT / "utils/cpp_infer/install_packages.sh", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return "C++ build", "packages are missing", done.stderr.strip().split("run: ")[-1]
    version = subprocess.run(["g++", "-dumpfullversion"], capture_output=True, text=True)
    return "C++ build", f"cmake, make, OpenCV, g++ {version.stdout.strip()}", ""


def check_runtime(cache: Path) -> tuple:
    """MindSpore Lite, which the C++ programs are linked with; its files are checked at each use."""
    given = os.environ.get("MS_LITE_HOME")
    kept = [path for path in cache.glob("mindspore-lite-*") if path.is_dir()]
    if given or kept:
        return "C++ runtime", given or str(kept[0]), ""
    if platform.system() == "Linux" and platform.machine() == "x86_64":
        return "C++ runtime", "fetched when it is first needed", ""
    mend = "unpack MindSpore Lite for this machine and set MS_LITE_HOME"
    return "C++ runtime", "none is fetched for this machine", mend


def check_room() -> tuple:
    """Disk and memory."""
    free = shutil.disk_usage(ROOT).free / 2**30
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = f"{free:.0f} GiB of disk, {memory:.0f} GiB of memory, {os.cpu_count()} cores"
    return "room", found, "" if free > ROOM else f"make room: {ROOM} GiB are needed"


def check_processor() -> tuple:
    """What MindSpore's convolutions hang on."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        flags = ""
    names = [name for name in ("avx2", "avx512f", "avx512_vnni", "amx_tile") if name in flags]
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "set by each script")
    return "processor", f"{', '.join(names) or 'no AVX'}; ONEDNN_MAX_CPU_ISA: {limit}", ""


def check_boards() -> tuple:
    """Whether the tools of Ascend or Nvidia are here."""
    found = [name for name in ("npu-smi", "nvidia-smi", "msrun", "mpirun") if shutil.which(name)]
    return "device tools", ", ".join(found) or "none", ""


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
