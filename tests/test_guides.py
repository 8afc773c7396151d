"""The READMEs and the pages of docs speak of files, headings, scripts, targets and messages that
are there.
"""

import re
import sys

import pytest

from folders import NAMES, REPOSITORY

PAGES = sorted(
    str(path.relative_to(REPOSITORY))
    for pattern in ("*.md", "docs/*.md", "*/README*.md", "utils/*/README*.md")
    for path in REPOSITORY.glob(pattern)
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^([a-z][\w-]*):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
PATTERNS = {f"{kind}-{name}" for kind in ("smoke", "bench", "profile") for name in NAMES} | {
    path.stem.replace("_", "-", 1) for path in REPOSITORY.glob("utils/smoke/demo_*.py")
}


def read(page):
    return (REPOSITORY / page).read_text(encoding="utf-8")


def anchors(text):
    """What links may lead to, as GitHub makes it of the headings."""
    titles = re.findall(r"^#+ (.*)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = BLOCK.sub("", read(page))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        path = (REPOSITORY / page).parent / file if file else REPOSITORY / page
        assert path.exists(), link
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", PAGES)
def test_targets_are_there(page):
    for target in re.findall(r"(?:^|`)make ([a-z][\w-]*)", read(page), re.MULTILINE):
        of_any = re.fullmatch(r"(smoke|demo|bench|profile)-(FOLDER|NAME|\*)?", target)
        assert of_any or target in TARGETS | PATTERNS, f"make {target}"


def scripts(page):
    """(folder, script) of the commands in a page's blocks."""
    for language, block in BLOCK.findall(read(page)):
        place = ""
        for line in block.splitlines() if language == "bash" else ():
            if line.startswith("cd "):
                place = line[3:]
            for script in re.findall(r"(?:python|bash) (\S+\.(?:py|sh))\b", line):
                yield place, script


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("docs/")])
def test_scripts_are_there(page):
    for place, script in scripts(page):
        places = [place, f"mobilenetv1/{place}"]
        assert any((REPOSITORY / one / script).is_file() for one in places), script


def rows(text, title):
    """The rows below the row that begins with `title`."""
    table = text.split(f"\n| {title} |")[1].split("\n\n")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


def test_page_on_machines_names_variables_and_messages_of_the_scripts():
    text, code = read("docs/several_machines.md"), ""
    for path in sorted((REPOSITORY / "utils/vendored").glob("*")):
        if path.suffix in (".sh", ".py"):
            code += path.read_text(encoding="utf-8")
    variables = [row[0].strip("`") for row in rows(text, "variable")]
    messages = [row[0].strip("`") for row in rows(text, "line")]
    assert len(variables) >= 6 and len(messages) >= 4
    for word in variables + messages:
        assert word in code, word


def test_page_on_boards_names_the_chips_of_the_tool_and_of_every_folder(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "utils/cpp_infer"))
    from atc_command import OPSETS, SOCS

    text = read("docs/board.md")
    table = rows(text, "chip")
    chips = [chip for row in table for chip in row[0].split(", ")]
    assert sorted(f"Ascend{chip}" for chip in chips) == sorted(SOCS)
    assert set(re.findall(r"`(Ascend310\w*)`", text)) == set(SOCS)
    assert f"opset {OPSETS[0]} to {OPSETS[-1]}" in text
    for name in NAMES:
        assert [row[:2] for row in rows(read(f"{name}/README.md"), "chip")] == [
            row[:2] for row in table
        ]
    sys.modules.pop("atc_command")


def test_page_on_how_it_is_built_names_files_that_are_there():
    files = re.findall(r"`((?:vendored|cpp_infer)/[\w/.]+)`", read("docs/how_it_is_built.md"))
    assert len(files) > 10
    for file in files:
        assert (REPOSITORY / "utils" / file).exists(), file
