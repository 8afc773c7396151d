"""The English and the Chinese READMEs say the same: section by section they have as many sentences,
list entries and table rows, the same commands and code words, and the same figures.
"""

import re

import pytest

from folders import REPOSITORY
from readme_commands import PLACEHOLDER, READMES, commands

FOLDERS = sorted(
    str(path.parent.relative_to(REPOSITORY))
    for path in REPOSITORY.rglob(READMES[1])
    if not any(part.startswith(".") for part in path.relative_to(REPOSITORY).parts)
)
BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\|.*$", re.MULTILINE)
LINK = re.compile(r"\]\([^)]*\)")
CODE = re.compile(r"`([^`]+)`")
# An initial, as in "G. Ghiasi", ends no sentence.
SENTENCE = re.compile(r"(?<!\b[A-Z])(?<!\.)[.!?](?=[)*]*(\s|$))|[。！？]")
FIGURE = re.compile(r"\d+(?:[.,]\d+)+|\d{2,}")


def sections(folder, readme):
    """The texts of a README between its headings, in order."""
    text = (REPOSITORY / folder / readme).read_text(encoding="utf-8")
    return re.split(r"^##+ .*$", BLOCK.sub("", text), flags=re.MULTILINE)


def words(code):
    """A code word as either language has it: what <...> stands for is said in that language."""
    return re.sub(r"<[^>]*>", "<>", " ".join(code.split()))


def counted(section):
    """What both languages must have alike of a section."""
    rows = ROW.findall(section)
    prose = LINK.sub("]", re.sub(r"<!--.*?-->", "", ROW.sub("", section)))
    plain = CODE.sub("x", prose)
    return {
        "rows": len(rows),
        "list entries": len(re.findall(r"^\s*[-*] ", prose, re.MULTILINE)),
        "sentences": len(SENTENCE.findall(plain)),
        "code": {words(code) for code in CODE.findall(prose)},
        "figures": {figure.replace(",", "") for figure in FIGURE.findall(plain)},
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_sections_say_the_same(folder):
    english, chinese = (sections(folder, readme) for readme in READMES)
    assert len(english) == len(chinese)
    for number, pair in enumerate(zip(english, chinese)):
        one, other = map(counted, pair)
        assert one == other, f"section {number}: {pair[0][:300]}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_commands_are_the_same(folder):
    english, chinese = (commands(folder, readme) for readme in READMES)
    assert english and english == chinese


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("folder", FOLDERS)
def test_commands_can_be_pasted(folder, readme):
    wrong = [line for _, line in commands(folder, readme) if PLACEHOLDER.search(line)]
    assert not wrong, "a word to fill in is no path: write one that could be there"
