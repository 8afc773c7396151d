"""Merge the rank tables of several servers, or of several groups of servers, into the one of the
whole cluster.

    python merge_hccl.py hccl_8p_01234567_10.0.0.1.json hccl_8p_01234567_10.0.0.2.json     # writes
    hccl_2s_16p.json

Servers stand, and ranks count, in the order of the arguments.
"""

import argparse

from addresses import device_address, parse_address
from messages import fail, warn
from rank_table import read_servers, write_table


def server_key(server_id: str) -> object:
    """What two spellings of one server have in common: the address, or else the text."""
    try:
        return parse_address(server_id)
    except ValueError:
        return server_id


def check_unique(places: dict, key: object, name: str, path: str) -> None:
    """Note in `places` that `key`, called `name`, stands in `path`; end the program if it stood
    somewhere before.
    """
    if key in places:
        fail(
            f"{name} is in {places[key]} and in {path}; each may be in the cluster once. "
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
            server_id = server["server_id"]
            check_unique(server_places, server_key(server_id), f"server {server_id}", path)
            for device in server["device"]:
                address = device["device_ip"]
                check_unique(
                    address_places, device_address(address), f"device address {address}", path
                )
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
        warn(f"the servers have different numbers of devices ({counts})")
    write_table(f"hccl_{len(servers)}s_{len(devices)}p.json", servers)


if __name__ == "__main__":
    main()
