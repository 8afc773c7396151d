"""Write the rank table of one Ascend server: which devices take part, with which addresses and
ranks.

    python hccl_tools.py                                      # all eight devices
    python hccl_tools.py --device_num "[0,4)"                 # the first four
    python hccl_tools.py --device_num "[0,4)" --visible_devices 4,5,6,7 --server_ip 10.155.170.71

Device addresses come from `hccn_tool`, or from `/etc/hccn.conf` where the tool gives none.
"""

import argparse
import ipaddress
import json
import os
import re
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import NoReturn


def fail(message: str) -> NoReturn:
    """End the program with one line on stderr and exit code 1."""
    sys.exit("error: " + message.replace("\n", " "))


def parse_args() -> argparse.Namespace:
    """The command line; every flag has a default."""
    parser = argparse.ArgumentParser(description="Write the rank table of one Ascend server.")
    parser.add_argument(
        "--device_num",
        default="[0,8)",
        help=(
            "half-open range of logic ids: [0,8) or a part of [0,4) or [4,8) (default: %(default)s)"
        ),
    )
    parser.add_argument(
        "--visible_devices",
        default="0,1,2,3,4,5,6,7",
        help="comma list: entry i is the hardware id of logic id i (default: %(default)s)",
    )
    parser.add_argument(
        "--server_ip", default="", help="address of this server (default: that of its host name)"
    )
    parser.add_argument(
        "--hccn_tool", default="hccn_tool", help="name or path of hccn_tool (default: %(default)s)"
    )
    parser.add_argument(
        "--hccn_conf",
        default="/etc/hccn.conf",
        help="file with lines address_<hardware id>=<address> (default: %(default)s)",
    )
    return parser.parse_args()


def is_address(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address, without a scope (`%eth0`) that one machine only
    knows.
    """
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def parse_visible_devices(text: str) -> list[str]:
    """Hardware ids, in the order of the logic ids; each a decimal number that stands once."""
    devices = [device.strip() for device in text.split(",")]
    for device in devices:
        if not re.fullmatch("0|[1-9][0-9]*", device):
            fail(
                f"--visible_devices {text}: '{device}' is not a device id; give numbers such as"
                " 0,1,2,3"
            )
        if devices.count(device) > 1:
            fail(
                f"--visible_devices {text}: device {device} is listed twice; list each device once"
            )
    return devices


def parse_device_range(text: str, visible: list[str]) -> list[int]:
    """Logic ids of the half-open range `text`; all must have an entry in `visible`."""
    match = re.fullmatch(r"\[(-?[0-9]{1,9}),(-?[0-9]{1,9})\)", text)
    if not match:
        fail(f'device num {text} must have the form [first,last), without blanks, such as "[0,8)"')
    first, last = int(match[1]), int(match[2])
    if first < 0 or last > 8:
        fail(f"device num {text} must be in range [0,8] ! A server has the logic ids 0 to 7")
    if first >= last:
        fail(f"First num {first} of device num {text} must less than last num {last} !")
    if first < 4 < last and (first, last) != (0, 8):
        fail(
            f"device num {text} must be in the same group of [0,4] or [4,8] ! Only [0,8) may span"
            " both"
        )
    if last > len(visible):
        fail(
            f"device num {text} needs logic id {last - 1}, but --visible_devices lists"
            f" {len(visible)} devices, logic ids 0 to {len(visible) - 1}; list more devices or"
            " choose a smaller range"
        )
    return list(range(first, last))


def find_server_ip(given: str) -> str:
    """`given` if it is an address, else, if it is empty, the address of this machine's host
    name.
    """
    if given:
        if not is_address(given):
            fail(f"--server_ip {given} is not an IP address; give one such as 10.155.170.71")
        return given
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
    except (OSError, UnicodeError) as error:
        fail(
            f"the host name {name} has no address ({error}); please input server ip! Use"
            " --server_ip"
        )
    return address


def ask_tool(tool: str, device: str) -> str:
    """The address `tool` names in its first line, `ipaddr:1.2.3.4`, for a hardware id; empty if
    it names none.
    """
    try:
        result = subprocess.run(
            [tool, "-i", device, "-ip", "-g"], capture_output=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    first_line = result.stdout.decode(errors="replace").partition("\n")[0]
    address = first_line.partition(":")[2].strip()
    return address if is_address(address) else ""


def read_conf(path: str) -> dict[str, str]:
    """Hardware id to address, from the lines `address_<id>=<address>` of `path`; all other lines
    are skipped.
    """
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        fail(
            f"Failed to read {path} ({error.strerror}): Failed to find information for hccl; "
            "install the Ascend driver's hccn_tool, or name the file with --hccn_conf"
        )
    pairs = (
        line.partition("=")[::2]
        for line in text.splitlines()
        if line.strip().startswith("address_")
    )
    return {key.strip()[len("address_") :]: value.strip() for key, value in pairs}


def find_device_ips(devices: list[str], tool: str, conf: str) -> dict[str, str]:
    """Address of each hardware id in `devices`, all from `tool`, or all from `conf` if the tool
    lacks any.
    """
    addresses = {}
    for device in devices:
        addresses[device] = ask_tool(tool, device)
        if not addresses[device]:
            return find_in_conf(devices, conf)
    return addresses


def find_in_conf(devices: list[str], conf: str) -> dict[str, str]:
    """Address of each hardware id in `devices`, from the file `conf`."""
    print(f"Failed to call hccn_tool, try to read {conf} instead")
    addresses = read_conf(conf)
    for device in devices:
        if device not in addresses:
            fail(
                f"{conf} has no line address_{device}=...; it lists the devices"
                f" [{', '.join(addresses)}]. Set the device's address with hccn_tool, or leave the"
                " device out"
            )
        if not is_address(addresses[device]):
            fail(
                f"{conf}: address_{device}={addresses[device]} is not an IP address; correct that"
                " line"
            )
    return addresses


def write_table(name: str, servers: list[dict]) -> None:
    """Write `servers` as a version 1.0 rank table to `name` in the current folder: whole, or not
    at all.
    """
    table = {
        "version": "1.0",
        "server_count": str(len(servers)),
        "server_list": servers,
        "status": "completed",
    }
    # A name of its own for each run, so that runs at the same time do not share a half-written
    # file.
    partial = Path(f".{name}.{uuid.uuid4().hex}")
    try:
        path = Path.cwd() / name
        partial.write_text(json.dumps(table, indent=4), encoding="utf-8")
        os.replace(partial, name)
    except OSError as error:
        partial.unlink(missing_ok=True)
        fail(
            f"cannot write {name} in the current folder ({error.strerror}); "
            "change to a folder with room and write access"
        )
    print(f"Completed: hccl file was save in : {path}")


def main() -> None:
    """Gather and check everything, then write `hccl_{n}p_{logic ids}_{server ip}.json` into the
    current folder.
    """
    args = parse_args()
    print(f"start {__file__}")
    visible = parse_visible_devices(args.visible_devices)
    print(f"visible_devices:{visible}")
    logic_ids = parse_device_range(args.device_num, visible)
    server_ip = find_server_ip(args.server_ip)
    print(f"server_id:{server_ip}")
    print(f"device_num_list: {logic_ids}")

    # Both sources are asked for hardware ids, the ids the table holds, so that either gives the
    # same table.
    devices = [visible[logic_id] for logic_id in logic_ids]
    addresses = find_device_ips(devices, args.hccn_tool, args.hccn_conf)
    entries = []
    for rank, device in enumerate(devices):
        holder = next(
            (entry["device_id"] for entry in entries if entry["device_ip"] == addresses[device]),
            None,
        )
        if holder is not None:
            fail(
                f"devices {holder} and {device} have the same address {addresses[device]}; "
                "give each device its own with hccn_tool"
            )
        entries.append({"device_id": device, "device_ip": addresses[device], "rank_id": str(rank)})
        print(f"rank_id:{rank}, device_id:{device}, device_ip:{addresses[device]}")

    joined = "".join(str(logic_id) for logic_id in logic_ids)
    server = {"server_id": server_ip, "device": entries, "host_nic_ip": "reserve"}
    write_table(f"hccl_{len(entries)}p_{joined}_{server_ip}.json", [server])
    if not args.server_ip and ipaddress.ip_address(server_ip).is_loopback:
        print(
            f"warning: the host name stands for {server_ip}, as it may on every server; "
            "give --server_ip if the table is to be merged with others",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
