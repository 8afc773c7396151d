"""Rank tables: the documented files to the letter, and one line for whatever does not fit."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from folders import REPOSITORY

TOOLS = REPOSITORY / "utils" / "hccl_tools"
CONF = "# written by the driver\n" + "".join(
    f"address_{i}=192.98.92.10{i}\nnetmask_{i}=255.255.255.0\n" for i in range(8)
)


def run(script, folder, *arguments):
    command = [sys.executable, str(TOOLS / script), *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def run_tools(folder, *arguments, server_ip="10.155.170.71", conf=CONF):
    """hccl_tools.py with a conf file and without hccn_tool, unless the arguments name one."""
    path = folder.parent / "hccn.conf"
    path.write_text(conf)
    return run(
        "hccl_tools.py",
        folder,
        "--hccn_tool",
        "absent_tool",
        "--hccn_conf",
        path,
        "--server_ip",
        server_ip,
        *arguments,
    )


def table_of(*servers):
    """A whole table from (server id, [(device id, address), ...]) pairs, in the documented order
    of keys.
    """
    rank, entries = 0, []
    for server_id, devices in servers:
        entries.append({"server_id": server_id, "device": [], "host_nic_ip": "reserve"})
        for device_id, address in devices:
            entries[-1]["device"].append(
                {"device_id": device_id, "device_ip": address, "rank_id": str(rank)}
            )
            rank += 1
    return {
        "version": "1.0",
        "server_count": str(len(servers)),
        "server_list": entries,
        "status": "completed",
    }


def assert_one_line(result, expected):
    assert result.returncode == 1, result
    assert expected in result.stderr
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / 'it\'s a $HOME "folder"'
    path.mkdir()
    return path


def test_eight_devices(folder):
    result = run_tools(folder)
    assert result.returncode == 0 and result.stderr == ""
    path = folder / "hccl_8p_01234567_10.155.170.71.json"
    assert result.stdout.splitlines() == [
        f"start {TOOLS / 'hccl_tools.py'}",
        "visible_devices:['0', '1', '2', '3', '4', '5', '6', '7']",
        "server_id:10.155.170.71",
        "device_num_list: [0, 1, 2, 3, 4, 5, 6, 7]",
        f"Failed to call hccn_tool, try to read {folder.parent / 'hccn.conf'} instead",
        *(f"rank_id:{i}, device_id:{i}, device_ip:192.98.92.10{i}" for i in range(8)),
        f"Completed: hccl file was save in : {path}",
    ]
    expected = table_of(("10.155.170.71", [(str(i), f"192.98.92.10{i}") for i in range(8)]))
    assert path.read_text() == json.dumps(expected, indent=4)
    assert [entry.name for entry in folder.iterdir()] == [path.name]


def test_layout_of_the_file(folder):
    assert run_tools(folder, "--device_num", "[7,8)", server_ip="1.2.3.4").returncode == 0
    assert (
        (folder / "hccl_1p_7_1.2.3.4.json").read_bytes()
        == b"""{
    "version": "1.0",
    "server_count": "1",
    "server_list": [
        {
            "server_id": "1.2.3.4",
            "device": [
                {
                    "device_id": "7",
                    "device_ip": "192.98.92.107",
                    "rank_id": "0"
                }
            ],
            "host_nic_ip": "reserve"
        }
    ],
    "status": "completed"
}"""
    )


def test_host_name_is_used_only_without_server_ip(folder, tmp_path):
    """A host name without an address is an error without --server_ip, and no matter with it."""
    # Only root may change the host name, in a namespace of its own; elsewhere the name is whatever
    # it is.
    (tmp_path / "hccn.conf").write_text(CONF)
    command = [
        "unshare",
        "--uts",
        "sh",
        "-c",
        'hostname nowhere.invalid && exec "$@"',
        "sh",
        sys.executable,
        str(TOOLS / "hccl_tools.py"),
        "--hccn_conf",
        str(tmp_path / "hccn.conf"),
        "--hccn_tool",
        "absent_tool",
    ]
    if subprocess.run(
        ["unshare", "--uts", "hostname", "nowhere.invalid"], capture_output=True, check=False
    ).returncode:
        pytest.skip("changing the host name in a namespace needs root")
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert_one_line(result, "please input server ip! Use --server_ip")
    assert list(folder.iterdir()) == []
    at_loopback = [part.replace("nowhere.invalid", "localhost") for part in command]
    result = subprocess.run(at_loopback, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0 and "server_id:127.0.0.1" in result.stdout
    assert result.stderr.startswith("warning: the host name stands for 127.0.0.1")
    command += ["--server_ip", "10.0.0.1"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0 and result.stderr == ""


RANGE_ERRORS = [
    ("[0,16)", "device num [0,16) must be in range [0,8] !"),
    ("[-1,4)", "device num [-1,4) must be in range [0,8] !"),
    ("[8,9)", "device num [8,9) must be in range [0,8] !"),
    ("[4,2)", "First num 4 of device num [4,2) must less than last num 2 !"),
    ("[2,2)", "First num 2 of device num [2,2) must less than last num 2 !"),
    ("[3,6)", "device num [3,6) must be in the same group of [0,4] or [4,8] !"),
    ("[0,5)", "device num [0,5) must be in the same group of [0,4] or [4,8] !"),
    *(
        (text, f"device num {text} must have the form [first,last)")
        for text in ("[0, 4)", "0,4", "[0,4]", "8", "", "[a,b)", "[0,4)x", "[" + "9" * 5000 + ",4)")
    ),
]


@pytest.mark.parametrize(("text", "expected"), RANGE_ERRORS)
def test_wrong_range(folder, text, expected):
    assert_one_line(run_tools(folder, "--device_num", text), expected)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("--visible_devices", "4,5,6,7", "--device_num", "[4,8)"),
            "needs logic id 7, but --visible_devices lists 4",
        ),
        (("--visible_devices", "0,1"), "needs logic id 7, but --visible_devices lists 2 devices"),
        (("--visible_devices", ""), "'' is not a device id"),
        (("--visible_devices", "0,x"), "'x' is not a device id"),
        (("--visible_devices", "0,-1"), "'-1' is not a device id"),
        (("--visible_devices", "0,1,1"), "device 1 is listed twice"),
        (("--visible_devices", "9,0", "--device_num", "[0,1)"), "has no line address_9=..."),
        (("--server_ip", "10.0.0.256"), "--server_ip 10.0.0.256 is not an IP address"),
        (("--server_ip", "fe80::1%eth0"), "is not an IP address"),
        (
            ("--hccn_conf", "absent $file"),
            "Failed to read absent $file (No such file or directory)",
        ),
        (("--hccn_conf", "."), "Failed to read . (Is a directory)"),
    ],
)
def test_wrong_arguments(folder, arguments, expected):
    assert_one_line(run_tools(folder, *arguments), expected)
    assert list(folder.iterdir()) == []


def test_folder_that_cannot_be_written_and_name_that_is_taken(folder):
    # /proc takes no new files from anyone, root included.
    (folder.parent / "hccn.conf").write_text(CONF)
    result = run(
        "hccl_tools.py",
        "/proc",
        "--hccn_tool",
        "absent_tool",
        "--hccn_conf",
        folder.parent / "hccn.conf",
        "--server_ip",
        "1.2.3.4",
    )
    assert_one_line(result, "cannot write hccl_8p_01234567_1.2.3.4.json in the current folder")
    (folder / "hccl_8p_01234567_10.155.170.71.json").mkdir()
    assert_one_line(run_tools(folder), "cannot write hccl_8p_01234567_10.155.170.71.json")
    assert len(list(folder.iterdir())) == 1


def test_runs_at_the_same_time(folder):
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: run_tools(folder), range(6)))
    assert [result.returncode for result in results] == [0] * 6
    assert [path.name for path in folder.iterdir()] == ["hccl_8p_01234567_10.155.170.71.json"]
    json.loads((folder / "hccl_8p_01234567_10.155.170.71.json").read_text())
