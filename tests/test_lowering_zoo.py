"""The tables of make lowering-zoo say how much of the package they are about, and why not more."""

from lowering_zoo import cells, counts, networks

ROWS = [
    {"name": "a", "reached": "equal", "reason": "differs by 2.0e-07 of the spread"},
    {"name": "b", "reached": "built", "reason": "differs by 2.0e-03 of the spread"},
    {"name": "c", "reached": "exported", "reason": "Swiglu: no\nsuch | operator"},
    {"name": "d", "reached": "", "reason": "MindSpore " * 100},
]


def test_counts_of_some_and_of_all():
    rows = list(map(cells, ROWS))
    lines = counts(rows, 275).splitlines()
    assert lines[0] == "| networks | exported | lowered | built | equal |"
    assert lines[2:] == ["| 4 of 275 tried | 3 | 2 | 2 | 1 |"]
    assert counts(rows, 4).splitlines()[2:] == ["| all 4 | 3 | 2 | 2 | 1 |"]


def test_networks_that_are_not_equal_come_first():
    lines = networks(map(cells, ROWS)).splitlines()
    assert lines[2:4] == [
        "| b | built | differs by 2.0e-03 of the spread |",
        "| c | exported | Swiglu: no such / operator |",
    ]
    assert lines[4].startswith("| d | nothing | MindSpore ") and len(lines[4]) < 250
    assert lines[5:] == ["| a | equal | differs by 2.0e-07 of the spread |"]
