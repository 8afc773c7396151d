"""Merge the rank tables of several servers, or of several groups of servers, into the one of the
whole cluster.

    python merge_hccl.py hccl_8p_01234567_10.0.0.1.json hccl_8p_01234567_10.0.0.2.json     # writes
    hccl_2s_16p.json

Servers stand, and ranks count, in the order of the arguments.
"""

import argparse
import json
import sys
from pathlib import Path

from hccl_tools import fail, is_address, write_table


def check_table(table: object) -> None:
    """Raise ValueError, with what is wrong, unless `table` is a rank table as hccl_tools.py
    writes it.
    """
    if not isinstance(table, dict):
        raise ValueError("not a JSON object")
    for key in ("version", "server_count", "server_list", "status"):
        if key not in table:
            raise ValueError(f"no key {key}")
    for key, value in (("version", "1.0"), ("status", "completed")):
        if table[key] != value:
            raise ValueError(f'{key} is {table[key]!r} instead of "{value}"')
    servers = table["server_list"]
    if not isinstance(servers, list) or not servers:
        raise ValueError("server_list is not a list of servers")
    if table["server_count"] != str(len(servers)):
        raise ValueError(
            f"server_count is {table['server_count']!r}, but server_list has {len(servers)} servers"
        )
    for position, server in enumerate(servers):
        check_server(server, f"server_list[{position}]")


def check_server(server: object, where: str) -> None:
    """Raise ValueError, naming the place `where`, unless `server` has an id and devices with ids
    and addresses.
    """
    if (
        not isinstance(server, dict)
        or not isinstance(server.get("server_id"), str)
        or not server["server_id"]
    ):
        raise ValueError(f"{where} has no text server_id")
    devices = server.get("device")
    if not isinstance(devices, list) or not devices:
        raise ValueError(f"{where} has no list of devices")
    seen = set()
    for position, device in enumerate(devices):
        place = f"{where}.device[{position}]"
        for key in ("device_id", "device_ip", "rank_id"):
            if not isinstance(device, dict) or not isinstance(device.get(key), str):
                raise ValueError(f"{place} has no text {key}")
        if not device["device_id"].isdecimal() or device["device_id"] in seen:
            raise ValueError(
                f"{place}: device_id {device['device_id']!r} is not a number or stands twice"
            )
        if not is_address(device["device_ip"]):
            raise ValueError(f"{place}: device_ip {device['device_ip']!r} is not an IP address")
        seen.add(device["device_id"])


def read_servers(path: str) -> list[dict]:
    """The servers of the table in `path`, after checking all of it."""
    try:
        table = json.loads(Path(path).read_bytes())
        check_table(table)
    except OSError as error:
        fail(
            f"cannot read {path} ({error.strerror}); give rank tables written by hccl_tools.py or"
            " merge_hccl.py"
        )
    except (ValueError, RecursionError) as error:
        fail(
            f"{path} is not a complete rank table of version 1.0: {error}; write it again with"
            " hccl_tools.py"
        )
    return table["server_list"]


def check_unique(places: dict[str, str], key: str, kind: str, path: str) -> None:
    """Note in `places` that `key` stands in `path`; end the program if it stood somewhere
    before.
    """
    if key in places:
        fail(
            f"{kind} {key} is in {places[key]} and in {path}; each may be in the cluster once. "
            "Give every table once, each written with the --server_ip of its own server"
        )
    places[key] = path


def main() -> None:
    """Check every table, number the ranks anew, and write `hccl_{servers}s_{devices}p.json` into
    the current folder.
    """
    parser = argparse.ArgumentParser(
        description="Merge rank tables into the one of the whole cluster."
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="rank table, of one server or already merged"
    )
    files = parser.parse_args().files
    print(files)

    servers, server_places, address_places = [], {}, {}
    for path in files:
        for server in read_servers(path):
            check_unique(server_places, server["server_id"], "server", path)
            for device in server["device"]:
                check_unique(address_places, device["device_ip"], "device address", path)
            servers.append(server)

    devices = [device for server in servers for device in server["device"]]
    for rank, device in enumerate(devices):
        device["rank_id"] = str(rank)
    # A warning only: the table is well formed, and the communication library decides whether such a
    # cluster can train.
    if len({len(server["device"]) for server in servers}) > 1:
        counts = ", ".join(
            f"{server['server_id']} has {len(server['device'])}" for server in servers
        )
        print(f"warning: the servers have different numbers of devices ({counts})", file=sys.stderr)
    write_table(f"hccl_{len(servers)}s_{len(devices)}p.json", servers)


if __name__ == "__main__":
    main()
