"""The PROXY protocol, version 2."""

import struct
from ipaddress import ip_address

import pytest

from smsc.proxy_protocol import (
    HEAD_OCTETS,
    SIGNATURE,
    ProxyHead,
    ProxyHeaderError,
    parse_head,
    parse_rest,
)
from tests.fakes.wire import bind

PROXY, LOCAL = 0x21, 0x20


def header(client: str = "192.0.2.7", command: int = PROXY, tlvs: bytes = b"") -> bytes:
    """What a balancer sends; version 2 §2.2."""
    address = ip_address(client).packed
    family = 0x11 if len(address) == 4 else 0x21
    rest = address * 2 + struct.pack(">HH", 5000, 2775) + tlvs
    return SIGNATURE + struct.pack(">BBH", command, family, len(rest)) + rest


def parse(octets: bytes) -> str | None:
    head = parse_head(octets[:HEAD_OCTETS])
    rest = octets[HEAD_OCTETS:]
    assert head.rest_octets == len(rest)
    return parse_rest(head, rest)


@pytest.mark.parametrize("client", ["192.0.2.7", "2001:db8::7"])
@pytest.mark.parametrize("tlvs", [b"", b"\x03\x00\x04\x01\x02\x03\x04"])
def test_the_client_behind(client: str, tlvs: bytes) -> None:
    assert parse(header(client, tlvs=tlvs)) == client


def test_ipv4_in_ipv6_clothes_is_ipv4() -> None:
    assert parse(header("::ffff:192.0.2.7")) == "192.0.2.7"


def test_a_proxy_that_speaks_for_itself() -> None:
    assert parse(header(command=LOCAL)) is None
    assert parse(SIGNATURE + b"\x20\0\0\0") is None


def test_the_example_of_haproxy() -> None:
    octets = bytes.fromhex("0d0a0d0a000d0a515549540a 21 11 000c c0a80001 c0a80002 d431 0ad7")
    assert parse(octets) == "192.168.0.1"


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 2775\r\n", "version 1"),
        (bind(), "no PROXY header"),
        (SIGNATURE + b"\x11\x11\0\x0c", "version and command 0x11"),
        (SIGNATURE + b"\x22\x11\0\x0c", "version and command 0x22"),
        (SIGNATURE + b"\x21\x11\xff\xff", "65535 octets"),
    ],
)
def test_what_is_none(octets: bytes, why: str) -> None:
    with pytest.raises(ProxyHeaderError, match=why):
        parse_head(octets[:HEAD_OCTETS])


@pytest.mark.parametrize(
    "head",
    [
        ProxyHead(PROXY, 0x11, 11),
        ProxyHead(PROXY, 0x21, 12),
        ProxyHead(PROXY, 0x12, 12),
        ProxyHead(PROXY, 0x31, 216),
        ProxyHead(PROXY, 0x00, 0),
    ],
    ids=["short", "short 6", "UDP", "Unix", "unspecified"],
)
def test_addresses_that_are_none(head: ProxyHead) -> None:
    with pytest.raises(ProxyHeaderError, match="no TCP over IP"):
        parse_rest(head, bytes(head.rest_octets))
