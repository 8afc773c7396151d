"""The mistakes that people make first: each folder answers in one line, in the same words, and the
page that says what helps has them.
"""

import re

import pytest

from folders import NAMES, REPOSITORY
from mistakes import MISTAKES, answer, page, prepare

PAGE = REPOSITORY / "docs/troubleshooting.md"
WEIGHT = r"has no '[\w.]+' \(nearest"  # its name is the folder's own


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return {folder: prepare(folder, tmp_path_factory.mktemp(folder)) for folder in NAMES}


@pytest.mark.parametrize("name", MISTAKES)
def test_every_folder_answers_alike_and_the_page_has_the_line(places, name):
    mistake, answers = MISTAKES[name], {}
    for folder in mistake.folders:
        code, said = answer(places[folder], mistake)
        assert code == 1 and re.fullmatch(r"error: [^\n]+\n", said), f"{folder}: {code}, {said}"
        if folder == mistake.folders[0]:
            section = PAGE.read_text(encoding="utf-8").split(f"\n## {name}\n")[1].split("\n## ")[0]
            assert said in section and mistake.helps in section
        answers.setdefault(re.sub(WEIGHT, "", said), []).append(folder)
    assert len(answers) == 1, answers


def test_the_page_has_nothing_else():
    text = PAGE.read_text(encoding="utf-8")
    lines = re.findall(r"^error: .*", text, re.MULTILINE)
    assert len(lines) == len(MISTAKES) >= 30
    assert page(dict(zip(MISTAKES, lines))) == text
