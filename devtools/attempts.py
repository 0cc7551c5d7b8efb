"""What tried to leave the machine, out of the packets themselves: address and port, or the name that was looked up.

The log is one JSON object a line, written by `Watcher`, read by `read`.
"""

import ipaddress
import json
import os
import struct
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

TCP, UDP, IGMP, ICMP, ICMPV6 = 6, 17, 2, 1, 58
PROTOCOLS = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "icmpv6"}
HOP_BY_HOP = 0
DNS_PORT = 53
LARGEST = 1 << 16


@dataclass(frozen=True)
class Attempt:
    """One packet that would have left: protocol, address, port (None where there is none), and the name asked for."""

    protocol: str
    address: str
    port: int | None = None
    name: str | None = None

    def __str__(self) -> str:
        """For people."""
        what = f"lookup of {self.name} at " if self.name else ""
        return f"{what}{self.protocol} {self.address}" + (f" port {self.port}" if self.port else "")


class Watcher(threading.Thread):
    """Reads packets from a descriptor and appends each attempt to the log, until the process ends."""

    def __init__(self, packets: int, log: Path) -> None:
        super().__init__(name="attempts", daemon=True)
        self._packets, self._log = packets, log

    def run(self) -> None:
        """Note attempts as they come; a line is whole or not there."""
        with self._log.open("a", buffering=1) as log:
            while packet := os.read(self._packets, LARGEST):
                attempt = attempt_of(packet)
                if attempt:
                    log.write(json.dumps(asdict(attempt)) + "\n")


def read(log: Path) -> Iterator[Attempt]:
    """The attempts noted so far, each once, in the order of the first."""
    seen = dict.fromkeys(log.read_text().splitlines())
    return (Attempt(**json.loads(line)) for line in seen)


def attempt_of(packet: bytes) -> Attempt | None:
    """What an IP packet wants; None for what the kernel itself says to its neighbours (IGMP, ICMPv6 to a group)."""
    version = packet[0] >> 4
    protocol, address, payload = _ipv4(packet) if version == 4 else _ipv6(packet)
    if protocol == IGMP or (protocol == ICMPV6 and address.is_multicast):
        return None
    known = PROTOCOLS.get(protocol, f"protocol {protocol}")
    if protocol not in (TCP, UDP):
        return Attempt(known, str(address))
    (port,) = struct.unpack_from("!2xH", payload)
    name = _asked_name(payload[8:]) if (protocol, port) == (UDP, DNS_PORT) else None
    return Attempt(known, str(address), port, name)


def _ipv4(packet: bytes) -> tuple[int, ipaddress.IPv4Address, bytes]:
    return packet[9], ipaddress.IPv4Address(packet[16:20]), packet[(packet[0] & 0xF) * 4 :]


def _ipv6(packet: bytes) -> tuple[int, ipaddress.IPv6Address, bytes]:
    protocol, payload = packet[6], packet[40:]
    while protocol == HOP_BY_HOP:
        protocol, payload = payload[0], payload[(payload[1] + 1) * 8 :]
    return protocol, ipaddress.IPv6Address(packet[24:40]), payload


def _asked_name(message: bytes) -> str:
    """The name in a DNS message's first question (RFC 1035, 4.1.2), as far as it goes."""
    labels, rest = list[str](), message[12:]
    while rest and (length := rest[0]):
        labels.append(rest[1 : 1 + length].decode("ascii", errors="replace"))
        rest = rest[1 + length :]
    return ".".join(labels)
