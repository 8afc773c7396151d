"""Where the devices' addresses come from: hccn_tool, hccn.conf, and what no device can have."""

import json

import pytest

from test_hccl_tools import CONF, assert_one_line, run, run_tools, table_of

TWO = ("--device_num", "[0,2)")


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "tables"
    path.mkdir()
    return path


@pytest.fixture
def tool(tmp_path):
    """A program that answers as hccn_tool does, for the hardware ids 4 to 7; it notes how it was
    called.
    """
    path = tmp_path / "my $tool"
    path.write_text(
        '#!/bin/sh\necho "$@" >> "$(dirname "$0")/calls"\n'
        'case "$2" in [4-7]) echo "ipaddr:10.1.0.$2"; echo "netmask:255.255.0.0";; esac\n'
    )
    path.chmod(0o755)
    return path


def answers(tool, **addresses):
    """Let `tool` give these addresses, `_0="1.2.3.4"` for device 0, and no others."""
    cases = "".join(f"{key[1:]}) echo 'ipaddr:{text}';; " for key, text in addresses.items())
    tool.write_text(f'#!/bin/sh\ncase "$2" in {cases}esac\n')
    return tool


def devices_of(folder):
    """{device id: address} of the only table in the folder."""
    (path,) = folder.iterdir()
    (server,) = json.loads(path.read_text())["server_list"]
    return {device["device_id"]: device["device_ip"] for device in server["device"]}


def test_tool_and_conf_give_the_same_hardware_ids(folder, tool):
    arguments = ("--visible_devices", "4,5,6,7", "--device_num", "[0,4)")
    conf = "".join(f"address_{i}=10.1.0.{i}\n" for i in range(8))
    asked = run_tools(folder, *arguments, "--hccn_tool", tool, conf=conf)
    assert asked.returncode == 0 and "Failed" not in asked.stdout and asked.stderr == ""
    path = folder / "hccl_4p_0123_10.155.170.71.json"
    expected = table_of(("10.155.170.71", [(i, f"10.1.0.{i}") for i in "4567"]))
    assert json.loads(path.read_text()) == expected
    assert (tool.parent / "calls").read_text().splitlines() == [f"-i {i} -ip -g" for i in "4567"]

    path.unlink()
    assert run_tools(folder, *arguments, conf=conf).returncode == 0
    assert json.loads(path.read_text()) == expected


def test_tool_found_on_path(folder, tool, monkeypatch):
    tool.rename(tool.with_name("hccn_tool"))
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    result = run("hccl_tools.py", folder, "--device_num", "[4,8)", "--server_ip", "1.2.3.4")
    assert result.returncode == 0
    assert devices_of(folder) == {i: f"10.1.0.{i}" for i in "4567"}


@pytest.mark.parametrize(
    "answer",
    ["true", "echo", "echo busy, try again", "echo ipaddr:1.2.3", "echo ipaddr:0.0.0.0", "exit 3"],
)
def test_useless_answer_falls_back_to_conf(folder, tool, answer):
    tool.write_text(f"#!/bin/sh\n[ $2 = 0 ] && echo ipaddr:192.98.92.100 || {answer}\n")
    result = run_tools(folder, *TWO, "--hccn_tool", tool)
    assert result.returncode == 0 and "Failed to call hccn_tool, try to read" in result.stdout
    assert devices_of(folder) == {"0": "192.98.92.100", "1": "192.98.92.101"}


def test_conf_that_knows_only_what_the_tool_does_not(folder, tool):
    answers(tool, _0="10.1.0.1")
    result = run_tools(folder, *TWO, "--hccn_tool", tool, conf="address_1=10.1.0.2\n")
    assert result.returncode == 0 and devices_of(folder) == {"0": "10.1.0.1", "1": "10.1.0.2"}


@pytest.mark.parametrize("line", ["address_0=10.9.9.9", "address_0=", "address_0=0.0.0.0"])
def test_conf_that_contradicts_a_tool_that_knows_all(folder, tool, line):
    answers(tool, _0="10.1.0.1", _1="10.1.0.2")
    result = run_tools(folder, *TWO, "--hccn_tool", tool, conf=f"{line}\naddress_1=10.1.0.2\n")
    assert result.returncode == 0 and devices_of(folder) == {"0": "10.1.0.1", "1": "10.1.0.2"}
    assert result.stderr == (
        f"warning: {folder.parent / 'hccn.conf'} contradicts hccn_tool ({line} instead of"
        " 10.1.0.1); the tool's addresses are taken\n"
    )


def test_conf_that_contradicts_a_tool_that_does_not_know_all(folder, tool):
    answers(tool, _1="10.1.0.2")
    result = run_tools(folder, *TWO, "--hccn_tool", tool, conf=CONF)
    assert_one_line(result, "hccn.conf contradicts hccn_tool (address_1=192.98.92.101 instead of")
    assert "not taken for the devices [0], for which hccn_tool has no address" in result.stderr
    assert list(folder.iterdir()) == []


def test_conf_that_spells_the_tools_address_otherwise(folder, tool):
    answers(tool, _0="fd00::1", _1="10.1.0.2")
    conf = "address_0=FD00:0:0::0:1\naddress_1=::ffff:10.1.0.2\n"
    result = run_tools(folder, *TWO, "--hccn_tool", tool, conf=conf)
    assert result.returncode == 0 and result.stderr == ""
    assert devices_of(folder) == {"0": "fd00::1", "1": "10.1.0.2"}


NO_DEVICE = {
    "unspecified": ("0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"),  # noqa: S104 no socket
    "loopback": ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"),
    "multicast": ("224.0.0.1", "239.255.255.255", "ff02::1"),
    "reserved": ("240.0.0.1", "255.255.255.255"),
}


@pytest.mark.parametrize(
    ("address", "kind"), [(text, kind) for kind, texts in NO_DEVICE.items() for text in texts]
)
def test_addresses_that_no_device_has(folder, tool, address, kind):
    conf = f"address_0={address}\n"
    expected = f"address_0={address} is a{'n' * (kind[0] == 'u')} {kind} address"
    assert_one_line(run_tools(folder, "--device_num", "[0,1)", conf=conf), expected)
    # From the tool it is no answer.
    answers(tool, _0=address)
    result = run_tools(folder, "--device_num", "[0,1)", "--hccn_tool", tool, conf=CONF)
    assert result.returncode == 0 and devices_of(folder) == {"0": "192.98.92.100"}


@pytest.mark.parametrize("address", ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::"])  # noqa: S104
def test_addresses_that_no_server_has(folder, address):
    assert_one_line(run_tools(folder, server_ip=address), f"--server_ip {address} is a")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("conf", "expected"),
    [
        ("", "has no line address_0=...; it lists the devices []"),
        ("address_0\n", "address_0= is not an IP address"),
        ("address_0=1.2.3\n", "address_0=1.2.3 is not an IP address"),
        ("address_0=fe80::1%eth0\n", "address_0=fe80::1%eth0 is not an IP address"),
        ("address_0=1.2.3.4\naddress_1=1.2.3.4\n", "devices 0 and 1 have the same address 1.2.3.4"),
        (
            "address_0=fd00::1\naddress_1=fd00:0::0:1\n",
            "devices 0 and 1 have the same address fd00:0::0:1",
        ),
        (
            "address_0=1.2.3.4\naddress_0=1.2.3.5\n",
            "gives device 0 several addresses, 1.2.3.4, 1.2.3.5",
        ),
    ],
)
def test_wrong_conf(folder, conf, expected):
    assert_one_line(run_tools(folder, *TWO, conf=conf), expected)
    assert list(folder.iterdir()) == []


def test_conf_with_blanks_repetition_and_odd_bytes(folder, tmp_path):
    (tmp_path / "conf").write_bytes(
        b"\xff\xfe address\n  address_0 = 1.2.3.4 \r\naddress_0=1.2.3.4\n"
    )
    result = run_tools(folder, "--device_num", "[0,1)", "--hccn_conf", tmp_path / "conf")
    assert result.returncode == 0 and "rank_id:0, device_id:0, device_ip:1.2.3.4" in result.stdout


def test_message_with_control_characters(folder):
    result = run_tools(folder, "--hccn_conf", "absent\nerror: forged\x1b[31m")
    assert_one_line(result, r"Failed to read absent\nerror: forged\x1b[31m (No such file")
