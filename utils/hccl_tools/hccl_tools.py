"""Write the rank table of one Ascend server: which devices take part, with which addresses and
ranks.

    python hccl_tools.py                                      # all eight devices
    python hccl_tools.py --device_num "[0,4)"                 # the first four
    python hccl_tools.py --device_num "[0,4)" --visible_devices 4,5,6,7 --server_ip 10.155.170.71

Device addresses come from `hccn_tool`, and from `/etc/hccn.conf` where the tool gives none.
"""

import argparse
import re
import socket

from addresses import device_address, find_device_ips, parse_address, server_address
from messages import fail, printable, warn
from rank_table import is_number, write_table


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


def parse_visible_devices(text: str) -> list[str]:
    """Hardware ids, in the order of the logic ids; each a decimal number that stands once."""
    devices = [device.strip() for device in text.split(",")]
    for device in devices:
        if not is_number(device):
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
        try:
            server_address(given)
        except ValueError as error:
            fail(f"--server_ip {given} {error}; give the server's, such as 10.155.170.71")
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


def main() -> None:
    """Gather and check everything, then write `hccl_{n}p_{logic ids}_{server ip}.json` into the
    current folder.
    """
    args = parse_args()
    print(printable(f"start {__file__}"))
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
    entries, holders = [], {}
    for rank, device in enumerate(devices):
        address = addresses[device]
        holder = holders.setdefault(device_address(address), device)
        if holder != device:
            fail(
                f"devices {holder} and {device} have the same address {address}; "
                "give each device its own with hccn_tool"
            )
        entries.append({"device_id": device, "device_ip": address, "rank_id": str(rank)})
        print(f"rank_id:{rank}, device_id:{device}, device_ip:{address}")

    joined = "".join(str(logic_id) for logic_id in logic_ids)
    server = {"server_id": server_ip, "device": entries, "host_nic_ip": "reserve"}
    write_table(f"hccl_{len(entries)}p_{joined}_{server_ip}.json", [server])
    if not args.server_ip and parse_address(server_ip).is_loopback:
        warn(
            f"the host name stands for {server_ip}, as it may on every server; "
            "give --server_ip if the table is to be merged with others"
        )


if __name__ == "__main__":
    main()
