"""What smoke runs, demonstrations and benchmarks are built on: work folders, tables, downloads."""

import hashlib
import os
import re
import subprocess
import sys
import zipfile

import pytest

from folders import NAMES, REPOSITORY

SMOKE, BENCH = REPOSITORY / "utils/smoke", REPOSITORY / "utils/bench"
README = "文字\n<!-- demo -->\nold\n<!-- /demo -->\n<!-- folders -->\n<!-- /folders -->\nend\n"
TABLE = "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def python(code, *arguments, cwd=None, **environment):
    """Run `code` as a script in utils/smoke would run."""
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(SMOKE)!r}); {code}"]
        + [str(argument) for argument in arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def one_error(done):
    """The line with which a command failed."""
    assert done.returncode == 1 and done.stderr.startswith("error: "), done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("folder", NAMES)
def test_every_folder_has_its_chain_and_benchmark(folder):
    for place in (SMOKE, BENCH):
        assert (place / f"{folder}.py").is_file(), f"write utils/{place.name}/{folder}.py"
    code = (
        "import importlib; chain = importlib.import_module(sys.argv[1]);"
        "assert callable(chain.chain) and chain.LEAST_ACCURACY > 0 and chain.START > 0;"
        "assert 0 <= chain.TOLERANCE <= 1e-3;"
        f"del sys.modules[sys.argv[1]]; sys.path.insert(0, {str(BENCH)!r});"
        "benchmark = importlib.import_module(sys.argv[1]);"
        "assert callable(benchmark.build_network) and benchmark.SIZE and benchmark.TITLE;"
        "assert benchmark.REPORTED and benchmark.BATCHES and benchmark.STEP_BATCH > 0;"
        "assert benchmark.NETWORK and benchmark.TRAINING and benchmark.EXPORT_BATCH"
    )
    done = python(code, folder)
    assert done.returncode == 0, done.stderr


def rows_of_main_readme(language):
    """The folders in the order of their rows."""
    text = (REPOSITORY / language).read_text(encoding="utf-8")
    table = text.split("<!-- folders -->\n")[1].split("<!-- /folders -->")[0]
    return re.findall(r"^\| \[(\w+)\]", table, re.MULTILINE)


@pytest.mark.parametrize("language", ["README.md", "README_CN.md"])
@pytest.mark.parametrize("folder", NAMES)
def test_main_readme_has_a_row_for_every_folder(folder, language):
    rows = rows_of_main_readme(language)
    assert rows.count(folder) == 1, f"{language}: `make count tables` writes the row of {folder}"
    assert rows == sorted(set(rows) & set(NAMES))


def test_smoke_names_what_is_missing(tmp_path):
    script = SMOKE / "smoke.py"
    run = {"capture_output": True, "text": True, "timeout": 60}
    done = subprocess.run([sys.executable, script, tmp_path, tmp_path / "w", "steps"], **run)
    assert "steps: no such folder; there are " in one_error(done)
    done = subprocess.run([sys.executable, script], **run)
    assert "0 arguments given" in one_error(done) and "CACHE WORK *FOLDERS" in done.stderr
    assert not (tmp_path / "w").exists()
    code = "import smoke; smoke.find_folders = lambda: ['sixth'];smoke.start(smoke.main)"
    done = python(code, tmp_path, tmp_path / "w")
    assert "utils/smoke/sixth.py is missing; write the chain of sixth" in one_error(done)


def test_work_folder_replaces_only_a_work_folder(tmp_path):
    work, code = tmp_path / "a b", "import work; work.make_work_folder(sys.argv[1])"
    assert python(code, work / "x").returncode == 0
    (work / "x/left").touch()
    assert python(code, work / "x").returncode == 0
    assert not (work / "x/left").exists()
    (work / "mine").touch()
    assert f"{work}: not a work folder" in one_error(python(code, work))
    assert f"{work / 'mine'}: " in one_error(python(code, work / "mine"))
    assert (work / "mine").exists()


def test_interrupt_ends_in_one_line(tmp_path):
    code = "import os, signal, work\ndef main(): os.kill(os.getpid(), signal.SIGINT)\nwork.start("
    done = python(code + "main)")
    assert done.returncode == 130 and done.stderr.startswith("error: interrupted"), done
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def readmes(tmp_path):
    for folder in (tmp_path, tmp_path / "alpha"):
        folder.mkdir(exist_ok=True)
        for language in ("README.md", "README_CN.md"):
            (folder / language).write_text(README, encoding="utf-8")
    return tmp_path


def put(root):
    return python("import pathlib, tables; tables.main(pathlib.Path(sys.argv[1]))", root)


def write_table(root, work, name, cell):
    code = "import work; work.write_table(sys.argv[1], sys.argv[2], ['a', 'b'], [[sys.argv[3], 2]])"
    done = python(code, root / work, name, cell)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(TABLE.replace("1", cell))


def test_newest_tables_go_into_both_readmes(readmes):
    assert "there are no tables" in one_error(put(readmes))
    write_table(readmes, ".demo/alpha", "demo", "1")
    write_table(readmes, ".bench/alpha", "demo", "older")
    os.utime(readmes / ".bench/alpha/tables/demo.md", (1, 1))
    write_table(readmes, ".bench", "folders", "3")
    assert put(readmes).returncode == 0
    for language in ("README.md", "README_CN.md"):
        text = (readmes / "alpha" / language).read_text(encoding="utf-8")
        demo = f"<!-- demo -->\n{TABLE}<!-- /demo -->\n"
        assert text == f"文字\n{demo}<!-- folders -->\n<!-- /folders -->\nend\n"
        text = (readmes / language).read_text(encoding="utf-8")
        assert f"<!-- folders -->\n{TABLE.replace('1', '3')}<!-- /folders -->\n" in text
        assert "<!-- demo -->\nold\n" in text
    assert sorted(path.name for path in (readmes / "alpha").iterdir()) == [
        "README.md",
        "README_CN.md",
    ]


def test_tables_of_all_folders_go_into_a_page_of_their_own(readmes):
    (readmes / "BENCHMARKS.md").write_text("<!-- avx512-step -->\nold\n<!-- /avx512-step -->\n")
    write_table(readmes, ".bench/benchmarks", "avx512-step", "1")
    assert put(readmes).returncode == 0
    text = (readmes / "BENCHMARKS.md").read_text()
    assert text == f"<!-- avx512-step -->\n{TABLE}<!-- /avx512-step -->\n"


def test_table_goes_into_the_page_that_has_its_lines(readmes):
    page = readmes / "docs/page.md"
    page.parent.mkdir()
    page.write_text("<!-- faults -->\nold\n<!-- /faults -->\n")
    write_table(readmes, ".smoke", "faults", "1")
    assert put(readmes).returncode == 0
    assert page.read_text() == f"<!-- faults -->\n{TABLE}<!-- /faults -->\n"


def test_rows_of_a_page_are_found_again(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"<!-- faults -->\n{TABLE}<!-- /faults -->\n<!-- none -->\n<!-- /none -->\n")
    names = ("faults", "none", "other")
    code = f"import work; print(*(work.rows_of_page(sys.argv[1], name) for name in {names}))"
    assert python(code, page).stdout == "[['1', '2']] [] []\n"


def test_no_readme_changes_where_one_has_no_place_for_a_table(readmes):
    write_table(readmes, ".demo/alpha", "demo", "1")
    write_table(readmes, ".bench/alpha", "measured", "1")
    before = (readmes / "alpha/README.md").read_text(encoding="utf-8")
    assert "README.md: add the lines <!-- measured -->" in one_error(put(readmes))
    assert (readmes / "alpha/README.md").read_text(encoding="utf-8") == before


class Index:
    """A folder of wheels that pip takes packages from, and a cache."""

    def __init__(self, root):
        self.cache, self.links = root / "ca che", root / "links"
        self.links.mkdir()
        self.wheel = self.links / "zoo_photos-1.0-py3-none-any.whl"
        self.write("photo")
        self.sha256 = hashlib.sha256(self.wheel.read_bytes()).hexdigest()
        self.temporary = root / "temporary files"
        self.temporary.mkdir()

    def write(self, content):
        with zipfile.ZipFile(self.wheel, "w") as wheel:
            wheel.writestr("photo.txt", content)
            metadata = "Metadata-Version: 2.1\nName: zoo-photos\nVersion: 1.0\n"
            wheel.writestr("zoo_photos-1.0.dist-info/METADATA", metadata)
            wheel.writestr("zoo_photos-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")

    def open(self):
        code = (
            "import os; os.environ.pop('HOME'); from wheel import open_wheel;"
            "print(open_wheel('zoo-photos==1.0', *sys.argv[1:]).read('photo.txt').decode())"
        )
        environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.links)}
        return python(
            code, self.sha256, self.cache, TMPDIR=str(self.temporary), HOME="/x", **environment
        )


@pytest.fixture
def index(tmp_path):
    return Index(tmp_path)


def test_download_is_kept_and_checked_at_each_use(index):
    assert index.open().stdout == "photo\n"
    (kept,) = index.cache.iterdir()
    index.wheel.unlink()
    assert index.open().stdout == "photo\n"
    # A whole wheel, but another one; no network to get the right one from.
    index.write("planted")
    kept.write_bytes(index.wheel.read_bytes())
    index.wheel.unlink()
    assert "pip cannot download it" in one_error(index.open())
    index.write("photo")
    index.sha256 = hashlib.sha256(index.wheel.read_bytes()).hexdigest()
    assert index.open().stdout == "photo\n"
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == index.sha256
    assert list(index.cache.iterdir()) == [kept] and not list(index.temporary.iterdir())


def test_download_of_another_file_leaves_nothing(index):
    index.write("planted")
    assert f"is not the file with SHA-256 {index.sha256}" in one_error(index.open())
    assert not list(index.cache.iterdir())


def test_cache_that_cannot_be_made_is_named(index):
    index.cache.touch()
    assert f"{index.cache}: " in one_error(index.open())


def test_made_folder_appears_whole_with_the_modes_of_the_umask(tmp_path):
    code = (
        "import os, work; os.umask(0o027)\n"
        "with work.whole_folder(sys.argv[1]) as folder:\n"
        "    (folder / 'a').touch(); assert not os.path.exists(sys.argv[1]); exec(sys.argv[2])"
    )
    assert python(code, tmp_path / "data", "pass").returncode == 0
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o750
    assert "it is there already" in one_error(python(code, tmp_path / "data", "pass"))
    assert python(code, tmp_path / "other", "sys.exit('no')").returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert "is its parent there" in one_error(python(code, tmp_path / "no/data", "pass"))
