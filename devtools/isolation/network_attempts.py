"""Attempts to reach the network, read from packets: address and port, or the name that was looked up.

The log has one JSON object on each line; `AttemptRecorder` writes it, `read` reads it.
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
class NetworkAttempt:
    """One packet: its protocol, address and port (None if the protocol has none), and the name that it looks up."""

    protocol: str
    address: str
    port: int | None = None
    name: str | None = None

    def __str__(self) -> str:
        """Return the attempt in words."""
        lookup = f"lookup of {self.name} at " if self.name else ""
        return f"{lookup}{self.protocol} {self.address}" + (f" port {self.port}" if self.port else "")


class AttemptRecorder(threading.Thread):
    """Reads packets from a descriptor and appends each attempt to the log, until the process ends."""

    def __init__(self, packets: int, log: Path) -> None:
        super().__init__(name="attempts", daemon=True)
        self._packets, self._log = packets, log

    def run(self) -> None:
        """Write each attempt as it comes, one line at a time."""
        with self._log.open("a", buffering=1) as log:
            while packet := os.read(self._packets, LARGEST):
                attempt = attempt_of(packet)
                if attempt:
                    log.write(json.dumps(asdict(attempt)) + "\n")


def read(log: Path) -> Iterator[NetworkAttempt]:
    """Return the attempts logged so far without repetitions, in the order in which they first occurred."""
    lines = dict.fromkeys(log.read_text().splitlines())
    return (NetworkAttempt(**json.loads(line)) for line in lines)


def attempt_of(packet: bytes) -> NetworkAttempt | None:
    """Return the attempt that an IP packet makes; None for what the kernel sends by itself (IGMP, ICMPv6 multicast)."""
    version = packet[0] >> 4
    protocol, address, payload = _ipv4(packet) if version == 4 else _ipv6(packet)
    if protocol == IGMP or (protocol == ICMPV6 and address.is_multicast):
        return None
    protocol_name = PROTOCOLS.get(protocol, f"protocol {protocol}")
    if protocol not in (TCP, UDP):
        return NetworkAttempt(protocol_name, str(address))
    (port,) = struct.unpack_from("!2xH", payload)
    name = _queried_name(payload[8:]) if (protocol, port) == (UDP, DNS_PORT) else None
    return NetworkAttempt(protocol_name, str(address), port, name)


def _ipv4(packet: bytes) -> tuple[int, ipaddress.IPv4Address, bytes]:
    return packet[9], ipaddress.IPv4Address(packet[16:20]), packet[(packet[0] & 0xF) * 4 :]


def _ipv6(packet: bytes) -> tuple[int, ipaddress.IPv6Address, bytes]:
    protocol, payload = packet[6], packet[40:]
    while protocol == HOP_BY_HOP:
        protocol, payload = payload[0], payload[(payload[1] + 1) * 8 :]
    return protocol, ipaddress.IPv6Address(packet[24:40]), payload


def _queried_name(message: bytes) -> str:
    """Return the name in the first question of a DNS message (RFC 1035, 4.1.2), even if the message is cut off."""
    labels, remaining = list[str](), message[12:]
    while remaining and (length := remaining[0]):
        labels.append(remaining[1 : 1 + length].decode("ascii", errors="replace"))
        remaining = remaining[1 + length :]
    return ".".join(labels)
