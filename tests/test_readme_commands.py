"""What the folders' READMEs tell people to paste."""

import re

import pytest

from folders import NAMES
from readme_commands import PAGE, READMES, answer, answered, commands, copy_of, shown

# What may be missing on a machine that has neither data nor weights nor the device.
MISSING = re.compile(
    r"no such|does not exist|not exits|is neither a folder nor a file"
    r"|this MindSpore has no (Ascend|GPU)|found (no such folder|none)"
)
ROWS = dict(re.findall(r"^\| (\w+ \| `.*`) \| (.*) \|$", PAGE.read_text(), re.MULTILINE))


@pytest.mark.parametrize("folder", NAMES)
def test_both_languages_have_the_same_commands(folder):
    english, chinese = (commands(folder, readme) for readme in READMES)
    assert english and sorted(english) == sorted(chinese)


def test_the_page_has_every_command_and_no_other():
    rows = {f"{name} | `{shown(*one)}`" for name in NAMES for one in answered(name)}
    assert set(ROWS) == rows


@pytest.mark.parametrize("row", ROWS)
def test_an_answer_is_one_line_about_what_is_missing(row):
    assert re.match("error: ", ROWS[row]) and MISSING.search(ROWS[row]), ROWS[row]


@pytest.mark.slow
@pytest.mark.parametrize("folder", NAMES)
def test_the_commands_answer_so(tmp_path, folder):
    copy = copy_of(folder, tmp_path)
    for one in answered(folder):
        code, line = answer(folder, copy, *one)
        assert (code, line) == (1, ROWS[f"{folder} | `{shown(*one)}`"]), one
