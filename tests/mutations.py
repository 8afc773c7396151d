"""Puts faults into a copy of the repository, one at a time, and says which the tests find.

python tests/mutations.py .bench        # all that .bench/mutations.json has no result of
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
# What the copy does not need, or shares with the repository.
SHARED = (".venv", ".cache")
LONGEST = 1200  # seconds of the tests in a file


def read_mutants(path: Path) -> list:
    """[(kind, name, file, found, put, test files)] of the table `path`."""
    mutants = []
    for kind, rows in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        for *names, file, found, put, tests in rows:
            mutants.append((kind, ", ".join(names), file, found, put, tests.split()))
    return mutants


def copy_repository(place: Path) -> None:
    """The files under version control in `place`, and links to what takes long to make."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, target)
    for name in SHARED:
        if (REPOSITORY / name).exists():
            (place / name).symlink_to(REPOSITORY / name)


def find_fault(place: Path, file: str, found: str, put: str, tests: list) -> str:
    """The first test that fails with `put` in place of `found` in `file`; '' if none does.

    Raises ValueError where `found` does not stand exactly once in the file.
    """
    path = place / file
    whole = path.read_text(encoding="utf-8")
    if whole.count(found) != 1:
        raise ValueError(f"{file}: {found!r} stands in it {whole.count(found)} times, not once")
    path.write_text(whole.replace(found, put), encoding="utf-8")
    try:
        vendor = [sys.executable, "utils/vendored/vendor.py"]
        subprocess.run(vendor, cwd=place, check=True, capture_output=True)
        for name in tests:
            failed = _first_failure(place, f"tests/{name}")
            if failed:
                return failed
        return ""
    finally:
        path.write_text(whole, encoding="utf-8")


def _first_failure(place, *names):
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", "-x", "--tb=no", "-n", "0"]
    try:
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider", *names],
            cwd=place,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=LONGEST,
        )
    except subprocess.TimeoutExpired:
        return f"{names[0]} does not end"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return lines[0].split(" - ")[0].split(" ", 1)[1] if lines else f"{names[0]} does not run"


def write_table(mutants: list, results: dict, path: Path) -> None:
    """The results as a table in Markdown."""
    lines = ["| kind | fault | found by |", "| --- | --- | --- |"]
    for kind, name, *_ in mutants:
        if name in results:
            lines.append(f"| {kind} | {name} | {results[name] or '**not found**'} |")
    number = sum(bool(found) for found in results.values())
    path.write_text(
        "\n".join([*lines, "", f"{number} of {len(results)} found."]) + "\n", encoding="utf-8"
    )


def main() -> int:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    mutants = read_mutants(REPOSITORY / "tests/data/mutations.yaml")
    kept = folder / "mutations.json"
    results = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    with tempfile.TemporaryDirectory(prefix="mutations_") as place:
        copy_repository(Path(place))
        for kind, name, *fault in mutants:
            if name in results:
                continue
            results[name] = find_fault(Path(place), *fault)
            print(f"{kind}: {name}: {results[name] or 'NOT FOUND'}", flush=True)
            kept.write_text(json.dumps(results, indent=1), encoding="utf-8")
        # A test that fails without the fault too has found nothing.
        failed = _first_failure(Path(place), *sorted({*filter(None, results.values())}))
    if failed:
        print(f"error: {failed} fails without a fault too", file=sys.stderr)
        return 1
    write_table(mutants, results, folder / "mutations.md")
    missed = [name for name, found in results.items() if not found]
    print(f"{len(results) - len(missed)} of {len(results)} found: {folder / 'mutations.md'}")
    return 0 if len(missed) <= len(mutants) // 20 else 1


if __name__ == "__main__":
    sys.exit(main())
