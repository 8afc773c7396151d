"""Addresses of devices and servers: which text is one, and where those of devices stand."""

import ipaddress
import subprocess
from pathlib import Path
from typing import Union

from messages import fail, printable, warn

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
# What no host has, by the registries https://www.iana.org/assignments/iana-ipv4-special-registry
# and iana-ipv6-special-registry.
NO_HOST = {
    "an unspecified": ("0.0.0.0/8", "::/128"),
    "a multicast": ("224.0.0.0/4", "ff00::/8"),
    "a reserved": ("240.0.0.0/4",),
}
NO_DEVICE = {**NO_HOST, "a loopback": ("127.0.0.0/8", "::1/128")}


def parse_address(text: str) -> Address:
    """The IPv4 or IPv6 address that `text` spells: two spellings of one address are equal, among
    them 1.2.3.4 and ::ffff:1.2.3.4.

    Raises ValueError for other text, and for a scope (`%eth0`), which one machine only knows.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        address = None
    if address is None or "%" in text:
        raise ValueError("is not an IP address")
    return getattr(address, "ipv4_mapped", None) or address


def check_kind(address: Address, excluded: dict) -> Address:
    """`address`, unless it lies in one of the networks of `excluded`: ValueError with its kind."""
    for kind, networks in excluded.items():
        if any(address in ipaddress.ip_network(network) for network in networks):
            raise ValueError(f"is {kind} address")
    return address


def device_address(text: str) -> Address:
    """The address of a device that `text` spells. Raises ValueError, with the reason, for text that
    is no address and for an address that no device can have.
    """
    return check_kind(parse_address(text), NO_DEVICE)


def server_address(text: str) -> Address:
    """As device_address, of a server, whose own tables may name it by its loopback address."""
    return check_kind(parse_address(text), NO_HOST)


def is_device_address(text: str) -> bool:
    """Whether `text` spells an address that a device can have."""
    try:
        device_address(text)
    except ValueError:
        return False
    return True


def ask_tool(tool: str, devices: list[str]) -> dict[str, str]:
    """Hardware id to address, for those of `devices` for which `tool` names one in its first line,
    `ipaddr:1.2.3.4`.

    A tool that cannot be started, or does not answer within a minute, is not asked again.
    """
    addresses = {}
    for device in devices:
        try:
            result = subprocess.run(
                [tool, "-i", device, "-ip", "-g"], capture_output=True, timeout=60, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            break
        first_line = result.stdout.decode(errors="replace").partition("\n")[0]
        address = first_line.partition(":")[2].strip()
        if is_device_address(address):
            addresses[device] = address
    return addresses


def read_conf(path: str) -> dict[str, list[str]]:
    """Hardware id to addresses, from the lines `address_<id>=<address>` of `path`; all other lines
    are skipped. Raises OSError where the file cannot be read.
    """
    text = Path(path).read_text(encoding="utf-8", errors="replace")
    addresses = {}
    for line in text.splitlines():
        key, _, value = line.strip().partition("=")
        if key.startswith("address_"):
            addresses.setdefault(key.strip()[len("address_") :], []).append(value.strip())
    return addresses


def one_in_conf(device: str, written: dict[str, list[str]], conf: str) -> str:
    """The address that `written`, read from the file `conf`, gives `device`; the program ends if
    that is none, or more than one.
    """
    if device not in written:
        fail(
            f"{conf} has no line address_{device}=...; it lists the devices"
            f" [{', '.join(written)}]. Set the device's address with hccn_tool, or leave the"
            " device out"
        )
    for address in written[device]:
        try:
            device_address(address)
        except ValueError as error:
            fail(f"{conf}: address_{device}={address} {error}; correct that line")
    if len({device_address(address) for address in written[device]}) > 1:
        fail(
            f"{conf} gives device {device} several addresses, {', '.join(written[device])}; leave"
            " the right line and remove the others"
        )
    return written[device][0]


def contradictions(told: dict[str, str], written: dict[str, list[str]]) -> list[str]:
    """What a conf, `written`, says otherwise than the tool, `told`; a text for each device."""
    return [
        f"address_{device}={other} instead of {address}"
        for device, address in told.items()
        for other in written.get(device, [])
        if not is_device_address(other) or device_address(other) != device_address(address)
    ]


def find_device_ips(devices: list[str], tool: str, conf: str) -> dict[str, str]:
    """Address of each hardware id in `devices`: from `tool`, and for those it does not know from
    the file `conf`.

    A file that contradicts the tool is out of date: only a warning where the tool knows every
    device, the end of the program where the file would be needed.
    """
    told = ask_tool(tool, devices)
    unknown = [device for device in devices if device not in told]
    if unknown:
        print(printable(f"Failed to call hccn_tool, try to read {conf} instead"))
    try:
        written = read_conf(conf)
    except OSError as error:
        if not unknown:
            return told
        fail(
            f"Failed to read {conf} ({error.strerror}): Failed to find information for hccl; "
            "install the Ascend driver's hccn_tool, or name the file with --hccn_conf"
        )
    differing = ", ".join(contradictions(told, written))
    if differing and unknown:
        fail(
            f"{conf} contradicts hccn_tool ({differing}), so it is not taken for the devices"
            f" [{', '.join(unknown)}], for which hccn_tool has no address; set theirs with"
            " hccn_tool, or correct the file"
        )
    if differing:
        warn(f"{conf} contradicts hccn_tool ({differing}); the tool's addresses are taken")
    return {**{device: one_in_conf(device, written, conf) for device in unknown}, **told}
