import ipaddress
import struct
from pathlib import Path

import pytest

from devtools.isolation.network_attempts import ICMPV6, IGMP, TCP, UDP, NetworkAttempt, attempt_of, read

DNS = struct.pack("!6H", 7, 0x100, 1, 0, 0, 0) + b"\x07planted\x07example\0" + struct.pack("!2H", 1, 1)


def ipv4(protocol: int, address: str, payload: bytes, options: bytes = b"") -> bytes:
    head = 0x45 + len(options) // 4
    return struct.pack("!B8xB2x4x4s", head, protocol, ipaddress.IPv4Address(address).packed) + options + payload


def ipv6(protocol: int, address: str, payload: bytes) -> bytes:
    return struct.pack("!B5xBx16x16s", 0x60, protocol, ipaddress.IPv6Address(address).packed) + payload


def to_port(port: int, address: bytes = b"") -> bytes:
    return struct.pack("!2H4x", 40000, port) + address


@pytest.mark.parametrize(
    ("packet", "attempt"),
    [
        (ipv4(TCP, "192.0.2.1", to_port(443)), NetworkAttempt("tcp", "192.0.2.1", 443)),
        (ipv4(UDP, "192.0.2.1", to_port(9), options=b"\x94\x04\0\0"), NetworkAttempt("udp", "192.0.2.1", 9)),
        (ipv4(UDP, "192.0.2.53", to_port(53, DNS)), NetworkAttempt("udp", "192.0.2.53", 53, "planted.example")),
        (ipv4(UDP, "192.0.2.53", to_port(53, DNS[:20])), NetworkAttempt("udp", "192.0.2.53", 53, "planted")),
        (ipv4(UDP, "192.0.2.53", to_port(53)), NetworkAttempt("udp", "192.0.2.53", 53, "")),
        (ipv4(UDP, "224.0.0.251", to_port(5353)), NetworkAttempt("udp", "224.0.0.251", 5353)),
        (ipv4(1, "192.0.2.1", b"\x08\0"), NetworkAttempt("icmp", "192.0.2.1")),
        (ipv4(132, "192.0.2.1", b""), NetworkAttempt("protocol 132", "192.0.2.1")),
        (ipv6(TCP, "2001:db8::7", to_port(80)), NetworkAttempt("tcp", "2001:db8::7", 80)),
        (ipv6(0, "2001:db8::7", bytes((UDP, 0)) + bytes(6) + to_port(123)), NetworkAttempt("udp", "2001:db8::7", 123)),
        (ipv6(ICMPV6, "2001:db8::7", b"\x80\0"), NetworkAttempt("icmpv6", "2001:db8::7")),
    ],
)
def test_a_packet_tells_where_it_would_have_gone(packet: bytes, attempt: NetworkAttempt) -> None:
    assert attempt_of(packet) == attempt


@pytest.mark.parametrize(
    "packet",
    [
        ipv4(IGMP, "224.0.0.22", b""),
        ipv6(ICMPV6, "ff02::2", b"\x85\0"),
        ipv6(0, "ff02::16", bytes((ICMPV6, 0)) + bytes(6) + b"\x8f\0"),
    ],
)
def test_what_the_kernel_says_by_itself_is_no_attempt(packet: bytes) -> None:
    assert attempt_of(packet) is None


def test_an_attempt_that_was_repeated_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "attempts.jsonl"
    line = '{"protocol": "tcp", "address": "192.0.2.1", "port": 443, "name": null}\n'
    log.write_text(line + line.replace("443", "80") + line)
    assert [*read(log)] == [NetworkAttempt("tcp", "192.0.2.1", 443), NetworkAttempt("tcp", "192.0.2.1", 80)]


def test_an_attempt_reads_as_a_sentence() -> None:
    assert str(NetworkAttempt("udp", "192.0.2.53", 53, "a.example")) == "lookup of a.example at udp 192.0.2.53 port 53"
    assert str(NetworkAttempt("icmp", "192.0.2.1")) == "icmp 192.0.2.1"
