"""Copy what all folders need in the same words into them: `python utils/vendored/vendor.py`, or
`make vendor`.

With --check nothing is written: exit code 1 and a line for each copy that differs from its source.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("fishnet99", "resnest", "nas_fpn", "mnasnet", "mobilenetv1")
COPIES = {
    "launch.py": "src/vendored",
    "checkpoint.py": "src/vendored",
    "records.py": "src/vendored",
    "common.sh": "scripts",
}


def copies():
    """(path of the copy, its content) for every vendored file of every folder that has a
    train.py.
    """
    for name, place in COPIES.items():
        source = ROOT / "utils/vendored" / name
        header = f"# Copied from utils/vendored/{name} by `make vendor`: change it there.\n"
        for folder in FOLDERS:
            if (ROOT / folder / "train.py").exists():
                yield ROOT / folder / place / name, header + source.read_text(encoding="utf-8")


def main():
    """Write, or with --check compare, every copy."""
    check = "--check" in sys.argv
    stale = [
        (path, content)
        for path, content in copies()
        if not path.exists() or path.read_text(encoding="utf-8") != content
    ]
    for path, content in stale:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        print(
            f"{path.relative_to(ROOT)}:"
            f" {'differs from its source; run make vendor' if check else 'copied'}"
        )
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
