"""The table of make lowering-zoo says how much of the package it is about."""

from lowering_zoo import table

ROWS = [
    {"name": "a", "reached": "equal", "reason": ""},
    {"name": "b", "reached": "built", "reason": "differs by 2.0e-03 of the spread"},
    {"name": "c", "reached": "exported", "reason": "Swiglu: no\nsuch | operator"},
    {"name": "d", "reached": "", "reason": "MindSpore " * 100},
]


def test_table_of_some():
    lines = table(ROWS, 275).splitlines()
    assert lines[0] == "| networks | exported | lowered | built | equal |"
    assert lines[2:6] == ["| 4 of 275 tried | 3 | 2 | 2 | 1 |", "", "Tried: a, b, c, d.", ""]
    assert lines[8:10] == [
        "| b | built | differs by 2.0e-03 of the spread |",
        "| c | exported | Swiglu: no such \\| operator |",
    ]
    assert len(lines) == 11 and lines[10].startswith("| d | nothing | MindSpore ")
    assert len(lines[10]) < 250


def test_table_of_all():
    lines = table(ROWS, 4).splitlines()
    assert lines[2:4] == ["| all 4 | 3 | 2 | 2 | 1 |", ""] and len(lines) == 9
    assert len(table(ROWS[:1], 1).splitlines()) == 3
