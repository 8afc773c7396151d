"""A rank table of version 1.0: checked, read, written."""

import json
import math
import os
import re
import uuid
from pathlib import Path

from addresses import device_address
from messages import fail, printable


def is_number(text: str) -> bool:
    """Whether `text` is a whole number in the digits 0 to 9, without zeros in front."""
    return re.fullmatch("0|[1-9][0-9]*", text) is not None


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
    """Raise ValueError, naming the place `where`, unless `server` has an id and devices with ids,
    addresses and ranks.
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
        check_device(device, place)
        if device["device_id"] in seen:
            raise ValueError(f"{place}: device_id {device['device_id']!r} stands twice")
        seen.add(device["device_id"])


def check_device(device: object, place: str) -> None:
    """Raise ValueError, naming the place, unless `device` has an id, an address and a rank."""
    for key in ("device_id", "device_ip", "rank_id"):
        if not isinstance(device, dict) or not isinstance(device.get(key), str):
            raise ValueError(f"{place} has no text {key}")
    for key in ("device_id", "rank_id"):
        if not is_number(device[key]):
            raise ValueError(f"{place}: {key} {device[key]!r} is not a number")
    try:
        device_address(device["device_ip"])
    except ValueError as error:
        raise ValueError(f"{place}: device_ip {device['device_ip']!r} {error}") from None


def finite(text: str) -> float:
    """The number `text`; NaN and numbers without bounds, which are not JSON, raise ValueError."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")
    return value


def read_servers(path: str) -> list[dict]:
    """The servers of the table in `path`, after checking all of it; ends the program if it is not
    one.
    """
    try:
        table = json.loads(Path(path).read_bytes(), parse_constant=finite, parse_float=finite)
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
    print(printable(f"Completed: hccl file was save in : {path}"))
