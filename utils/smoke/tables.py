"""Put the newest tables that demonstrations and benchmarks wrote into the READMEs, English and
Chinese: `make tables`. No figure there is typed by hand.

    python utils/smoke/tables.py

A table .bench/FOLDER/tables/NAME.md, or one below .demo, .smoke or .weights, goes between the lines
`<!-- NAME -->` and `<!-- /NAME -->` of FOLDER/README.md and FOLDER/README_CN.md; one in
.bench/tables goes into the READMEs of the repository, or into the page of docs that has its lines.
Exit code 1, and nothing written, where a README has no such lines.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from work import ROOT

READMES = ("README.md", "README_CN.md")


def newest_tables(root: Path) -> dict[tuple[str, str], Path]:
    """{(folder, name): path} of the tables below `root`, folder '.' for those of the repository."""
    found = [
        (path, path.parents[1].relative_to(root / kind))
        for kind in (".bench", ".demo", ".smoke", ".weights")
        for pattern in ("tables/*.md", "*/tables/*.md")
        for path in (root / kind).glob(pattern)
    ]
    found.sort(key=lambda entry: entry[0].stat().st_mtime_ns)
    return {(str(folder), path.stem): path for path, folder in found}


def files_of(root: Path, folder: str, name: str) -> list[Path]:
    """Where the table `name` of `folder` goes."""
    if folder == "benchmarks":
        return [root / "BENCHMARKS.md"]
    if folder == ".":
        pages = sorted((root / "docs").glob("*.md"))
        pages = [path for path in pages if f"<!-- {name} -->" in path.read_text(encoding="utf-8")]
        if pages:
            return pages
    return [root / folder / language for language in READMES]


def insert_table(text: str, name: str, table: str) -> str | None:
    """`text` with `table` between its lines for `name`; None if it has no such lines."""
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.S)
    changed, count = pattern.subn(lambda match: f"{match[1]}{table}{match[2]}", text)
    return changed if count else None


def write_whole(path: Path, text: str) -> None:
    """Replace the file `path` at once, or not at all."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".tables_") as beside:
        written = Path(beside, path.name)
        written.write_text(text, encoding="utf-8")
        os.replace(written, path)


def main(root: Path = ROOT) -> None:
    """Change the READMEs below `root` that hold older figures."""
    tables = newest_tables(root)
    if not tables:
        sys.exit("error: there are no tables; make demo, make bench-FOLDER, make count write some")
    texts = {}
    for (folder, name), table in tables.items():
        for readme in files_of(root, folder, name):
            text = texts.get(readme) or readme.read_text(encoding="utf-8")
            texts[readme] = insert_table(text, name, table.read_text(encoding="utf-8"))
            if texts[readme] is None:
                sys.exit(f"error: {readme}: add the lines <!-- {name} --> and <!-- /{name} -->")
            print(f"{readme.relative_to(root)}: {table.relative_to(root)}")
    for readme, text in texts.items():
        write_whole(readme, text)


if __name__ == "__main__":
    main()
