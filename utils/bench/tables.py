"""Tables of the READMEs, written by the commands that measure them: no figure there is typed by
hand.
"""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def write_table(folder, name, header, rows):
    """Put a table between the lines `<!-- name -->` and `<!-- /name -->` of README.md and
    README_CN.md in `folder`.
    """
    table = "\n".join(
        "| " + " | ".join(map(str, row)) + " |" for row in [header, ["---"] * len(header), *rows]
    )
    for path in (ROOT / folder / "README.md", ROOT / folder / "README_CN.md"):
        text = path.read_text(encoding="utf-8")
        pattern = re.compile(
            rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.S
        )
        if not pattern.search(text):
            raise SystemExit(
                f"error: {path}: no lines <!-- {name} --> and <!-- /{name} --> to write between"
            )
        path.write_text(
            pattern.sub(lambda match: f"{match[1]}{table}\n{match[2]}", text), encoding="utf-8"
        )
    print(table)


def machine():
    """The machine and the versions that a figure holds for."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    avx512 = "avx512f" in Path("/proc/cpuinfo").read_text()
    return (
        f"{os.cpu_count()} cores of {model[1].strip() if model else platform.machine()}"
        f"{', AVX-512' if avx512 else ', no AVX-512'}; MindSpore {version('mindspore')}, "
        f"onnxruntime {version('onnxruntime')}, Python {platform.python_version()}"
    )
