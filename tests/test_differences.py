"""The READMEs' sections on what differs from the original: there, the same in both languages, and
about options that exist.
"""

import re
from collections import Counter

import pytest

from folders import NAMES, REPOSITORY

TITLES = {"README.md": "What differs from the original", "README_CN.md": "与原版的区别"}


def section(folder, readme):
    """The section's text; the list of links at the head of the file leads to it."""
    text = (REPOSITORY / folder / readme).read_text(encoding="utf-8")
    title = TITLES[readme]
    assert f"[{title}](#{title.lower().replace(' ', '-')})" in text.split("\n## ")[0]
    (found,) = (part for part in text.split("\n## ") if part.startswith(f"{title}\n"))
    return found


@pytest.mark.parametrize("folder", NAMES)
def test_both_languages_say_the_same(folder):
    english, chinese = (section(folder, readme) for readme in TITLES)
    assert english.count("\n- ") == chinese.count("\n- ") >= 5
    for pattern in (r"`[^`]+`", r"\d+(?:[.,]\d+)*"):
        counts = [Counter(re.findall(pattern, text)) for text in (english, chinese)]
        assert set(counts[0]) == set(counts[1])


@pytest.mark.parametrize("folder", NAMES)
def test_options_it_names_exist(folder):
    files = [*(REPOSITORY / folder).rglob("*.py"), *(REPOSITORY / folder).glob("*.yaml")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    for option in set(re.findall(r"--(\w+)", section(folder, "README.md"))):
        assert re.search(rf'^\s*{option}:|"(--)?{option}"', code, re.MULTILINE), option
