"""Copy what all folders need in the same words into them: `python utils/vendored/vendor.py`, or
`make vendor`.

A folder gets those modules that its own files import, and what these import in turn. With --check
nothing is written: exit code 1 and a line for each copy that differs from its source, is missing,
or is not needed.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "utils/vendored"
OWN_IMPORT = re.compile(r"^\s*from src\.vendored(?:\.| import )(\w+)", re.MULTILINE)
PACKAGE_IMPORT = re.compile(r"^\s*from \.(\w+) import", re.MULTILINE)
DATA = {
    "classes": ["imagenet_classes.txt"],
    "cpu_kernels": sorted(path.name for path in SOURCES.glob("cpu_*.[ch]*")),
}


def model_folders() -> list[Path]:
    """The model folders: every one with a train.py."""
    return sorted(path.parent for path in ROOT.glob("*/train.py"))


def modules_of(folder: Path) -> list[str]:
    """The names of the vendored modules that `folder` needs."""
    own = [path for path in folder.rglob("*.py") if path.parent.name != "vendored"]
    wanted = {name for path in own for name in OWN_IMPORT.findall(path.read_text(encoding="utf-8"))}
    while True:
        sources = [SOURCES / f"{name}.py" for name in wanted]
        more = {name for path in sources for name in PACKAGE_IMPORT.findall(path.read_text())}
        if more <= wanted:
            return sorted(wanted)
        wanted |= more


def copies(folder: Path) -> dict[Path, str]:
    """{path: content} of the vendored files of `folder`."""
    header = "# Copied from utils/vendored/{} by `make vendor`: change it there.\n"
    place = folder / "src/vendored"
    files = {place / "__init__.py": ""}
    for module in modules_of(folder):
        name = f"{module}.py"
        files[place / name] = header.format(name) + (SOURCES / name).read_text(encoding="utf-8")
        for data in DATA.get(module, []):
            files[place / data] = (SOURCES / data).read_text(encoding="utf-8")
    for script in SOURCES.glob("*.sh"):
        content = header.format(script.name) + script.read_text(encoding="utf-8")
        files[folder / "scripts" / script.name] = content
    return files


def main() -> None:
    """Write, or with --check compare, every copy."""
    check, stale = "--check" in sys.argv, 0
    for folder in model_folders():
        wanted = copies(folder)
        unneeded = [path for path in folder.glob("src/vendored/*.*") if path not in wanted]
        for path in unneeded:
            print(f"{path.relative_to(ROOT)}: {'not needed' if check else 'removed'}")
            if not check:
                path.unlink()
        for path, content in wanted.items():
            if path.exists() and path.read_text(encoding="utf-8") == content:
                continue
            stale += 1
            print(f"{path.relative_to(ROOT)}: {'run make vendor' if check else 'copied'}")
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
        stale += len(unneeded)
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
