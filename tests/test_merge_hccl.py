"""Merged rank tables: the documented file to the letter, and one line for inputs that do not
fit.
"""

import json
import random
import sys
from pathlib import Path

import pytest

from test_hccl_tools import TOOLS, assert_one_line, run, table_of

FIRST = table_of(("10.0.0.1", [("0", "192.98.92.160"), ("1", "192.98.93.160")]))
SECOND = table_of(("10.0.0.2", [("4", "192.98.94.7"), ("5", "192.98.95.7")]))
BOTH = table_of(
    ("10.0.0.1", [("0", "192.98.92.160"), ("1", "192.98.93.160")]),
    ("10.0.0.2", [("4", "192.98.94.7"), ("5", "192.98.95.7")]),
)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / 'it\'s a $HOME "folder"'
    path.mkdir()
    return path


def write(path, table):
    path.write_text(json.dumps(table, indent=4))
    return path


def test_merge(folder):
    write(folder / "a b.json", FIRST)
    write(folder / "$b.json", SECOND)
    result = run("merge_hccl.py", folder, "a b.json", "$b.json")
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.splitlines() == [
        "['a b.json', '$b.json']",
        f"Completed: hccl file was save in : {folder / 'hccl_2s_4p.json'}",
    ]
    assert (folder / "hccl_2s_4p.json").read_text() == json.dumps(BOTH, indent=4)


def test_merge_of_merged_keeps_what_it_does_not_know(folder):
    third = table_of(("10.0.0.3", [("0", "10.0.1.1"), ("1", "10.0.1.2")]))
    third["server_list"][0]["note"] = {"rack": 7}
    result = run(
        "merge_hccl.py",
        folder,
        write(folder / "third.json", third),
        write(folder / "both.json", BOTH),
    )
    assert result.returncode == 0
    merged = json.loads((folder / "hccl_3s_6p.json").read_text())
    assert merged["server_count"] == "3"
    assert [server["server_id"] for server in merged["server_list"]] == [
        "10.0.0.3",
        "10.0.0.1",
        "10.0.0.2",
    ]
    assert merged["server_list"][0]["note"] == {"rack": 7}
    assert [
        device["rank_id"] for server in merged["server_list"] for device in server["device"]
    ] == list("012345")


def test_merge_onto_its_own_input(folder):
    path = write(folder / "hccl_2s_4p.json", BOTH)
    assert run("merge_hccl.py", folder, path).returncode == 0
    assert json.loads(path.read_text()) == BOTH


def test_merge_warns_of_unequal_servers(folder):
    single = table_of(("10.0.0.3", [("0", "10.0.1.1")]))
    result = run("merge_hccl.py", folder, write(folder / "a", FIRST), write(folder / "b", single))
    assert result.returncode == 0
    assert (
        result.stderr == "warning: the servers have different numbers of devices "
        "(10.0.0.1 has 2, 10.0.0.3 has 1)\n"
    )


def test_merge_without_files_shows_usage(folder):
    result = run("merge_hccl.py", folder)
    assert result.returncode == 2 and "usage" in result.stderr


def test_merge_of_duplicates(folder):
    first = write(folder / "first", FIRST)
    assert_one_line(run("merge_hccl.py", folder, first, first), "server 10.0.0.1 is in ")
    same_devices = table_of(("10.0.0.9", [("0", "192.98.92.160"), ("1", "10.9.9.9")]))
    result = run("merge_hccl.py", folder, first, write(folder / "same", same_devices))
    assert_one_line(result, "device address 192.98.92.160 is in ")
    assert len(list(folder.iterdir())) == 2


def test_merge_of_one_address_in_two_spellings(folder):
    first = write(folder / "first", table_of(("fd00::1", [("0", "fd00::a")])))
    same_server = table_of(("FD00:0:0::1", [("0", "fd00::b")]))
    result = run("merge_hccl.py", folder, first, write(folder / "server", same_server))
    assert_one_line(result, "server FD00:0:0::1 is in ")
    same_device = table_of(("fd00::2", [("0", "FD00::000a")]))
    result = run("merge_hccl.py", folder, first, write(folder / "device", same_device))
    assert_one_line(result, "device address FD00::000a is in ")
    within = table_of(("fd00::3", [("0", "1.2.3.4"), ("1", "::ffff:1.2.3.4")]))
    result = run("merge_hccl.py", folder, write(folder / "within", within))
    assert_one_line(result, "device address ::ffff:1.2.3.4 is in ")
    assert len(list(folder.iterdir())) == 4


def test_merge_keeps_control_characters_out_of_its_lines(folder):
    odd = table_of(("10.0.0.9\nerror: forged", [("0", "10.0.1.1")]))
    result = run("merge_hccl.py", folder, write(folder / "a", FIRST), write(folder / "b", odd))
    assert result.returncode == 0 and result.stderr.count("\n") == 1
    assert r"10.0.0.9\nerror: forged has 1" in result.stderr


def changed(*path, value=None):
    """SECOND with the entry at `path` replaced, or removed where `value` is None."""
    table = json.loads(json.dumps(SECOND))
    target = table
    for key in path[:-1]:
        target = target[key]
    if value is None:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return json.dumps(table)


DEVICE = ("server_list", 0, "device", 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "Expecting value"),
        ("null", "not a JSON object"),
        ("[" * 100000, "recursion"),
        ("1" * 5000, "is not a complete rank table"),
        (changed("version", value="2.0"), "version is '2.0' instead of \"1.0\""),
        (
            changed("status", value="initializing"),
            "status is 'initializing' instead of \"completed\"",
        ),
        *((changed(key), f"no key {key}") for key in SECOND),
        (changed("server_count", value="2"), "server_count is '2', but server_list has 1 servers"),
        (changed("server_list", value=[]), "server_list is not a list of servers"),
        (changed("server_list", value={}), "server_list is not a list of servers"),
        (changed("server_list", 0, value=5), "server_list[0] has no text server_id"),
        (changed("server_list", 0, "server_id"), "server_list[0] has no text server_id"),
        (changed("server_list", 0, "device", value=[]), "server_list[0] has no list of devices"),
        *(
            (changed(*DEVICE, key), f"server_list[0].device[0] has no text {key}")
            for key in ("device_id", "device_ip", "rank_id")
        ),
        (changed(*DEVICE, "rank_id", value=0), "server_list[0].device[0] has no text rank_id"),
        (changed(*DEVICE, value=[]), "server_list[0].device[0] has no text device_id"),
        (changed(*DEVICE, "device_id", value="5"), "device_id '5' stands twice"),
        *(
            (changed(*DEVICE, key, value=text), f"device[0]: {key} {text!r} is not a number")
            for key in ("device_id", "rank_id")
            for text in ("abc", "", "-1", "1.0", "1e3", "05", " 4", "\u0663", "\u00b2", "NaN")
        ),
        (changed(*DEVICE, "device_ip", value="1.2.3"), "device_ip '1.2.3' is not an IP address"),
        *(
            (changed(*DEVICE, "device_ip", value=text), f"device_ip '{text}' is a")
            for text in ("0.0.0.0", "127.0.0.1", "224.0.0.1", "::1", "::ffff:127.0.0.1")  # noqa: S104
        ),
        *(
            (changed(*DEVICE, "note", value=value), f"{text} is not a finite number")
            for value, text in ((float("nan"), "NaN"), (float("-inf"), "-Infinity"))
        ),
        (changed("note", value="VALUE").replace('"VALUE"', "1e999"), "1e999 is not a finite"),
    ],
)
def test_merge_of_wrong_table(folder, text, expected):
    (folder / "wrong.json").write_text(text)
    result = run("merge_hccl.py", folder, write(folder / "first.json", FIRST), "wrong.json")
    assert_one_line(result, "error: wrong.json is not a complete rank table of version 1.0")
    assert expected in result.stderr
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    ("name", "reason"), [("absent.json", "No such file or directory"), (".", "Is a directory")]
)
def test_merge_of_unreadable_file(folder, name, reason):
    assert_one_line(run("merge_hccl.py", folder, name), f"cannot read {name} ({reason})")


def test_merge_into_folder_that_cannot_be_written(folder):
    result = run("merge_hccl.py", "/proc", write(folder / "first.json", FIRST))
    assert_one_line(result, "cannot write hccl_1s_2p.json in the current folder")


def test_merge_survives_truncated_and_random_files(folder, monkeypatch, capsys):
    """Truncated and changed tables end in one line or in a whole table; in this process, for the
    number of them.
    """
    monkeypatch.syspath_prepend(str(TOOLS))
    monkeypatch.chdir(folder)
    import merge_hccl
    import rank_table

    generator = random.Random(0)
    whole = json.dumps(SECOND, indent=4).encode()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [generator.randbytes(length) for length in range(200)]
    for _ in range(500):
        content = bytearray(whole)
        for _ in range(generator.randrange(1, 4)):
            content[generator.randrange(len(content))] = generator.randrange(256)
        damaged.append(bytes(content))

    refused = 0
    for content in damaged:
        Path("damaged.json").write_bytes(content)
        monkeypatch.setattr(sys, "argv", ["merge_hccl.py", "damaged.json"])
        try:
            merge_hccl.main()
        except SystemExit as end:
            refused += 1
            assert (
                str(end.code).startswith("error: damaged.json is not a complete rank table")
                and "\n" not in end.code
            )
            assert [path.name for path in folder.iterdir()] == ["damaged.json"]
        else:
            for path in folder.glob("hccl_*.json"):
                rank_table.check_table(json.loads(path.read_bytes()))
                path.unlink()
    capsys.readouterr()
    assert refused >= len(whole) + 200
