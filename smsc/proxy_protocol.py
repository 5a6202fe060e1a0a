"""The PROXY protocol, version 2: what a load balancer says of the client behind it.

*In*: the first octets of a connection from a trusted proxy.
*Out*: the client's address, or why this is none. *Never*: version 1; a guess; a read too many:
it is told how many octets to read, so that what follows stays in the socket.

https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt §2.2.
"""

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import attrs

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
HEAD_OCTETS: Final = 16
_REST_LIMIT_OCTETS: Final = 4096
_LOCAL, _PROXY = 0x20, 0x21
_INET_STREAM, _INET6_STREAM = 0x11, 0x21
_HEAD: Final = struct.Struct(">12sBBH")


class ProxyHeaderError(Exception):
    """This is no PROXY header of version 2; the message tells what is wrong."""


@attrs.frozen
class ProxyHead:
    """The fixed part: what the rest means and how long it is."""

    command: int
    family: int
    rest_octets: int


def parse_head(octets: bytes) -> ProxyHead:
    """Read the first `HEAD_OCTETS`.

    :raises ProxyHeaderError: they are something else.
    """
    signature, command, family, rest_octets = _HEAD.unpack(octets)
    if signature != SIGNATURE:
        what = "version 1" if octets.startswith(b"PROXY ") else "no PROXY header"
        raise ProxyHeaderError(f"{what}; the proxy must speak PROXY version 2")
    if command not in (_LOCAL, _PROXY):
        raise ProxyHeaderError(f"version and command 0x{command:02x} are unknown")
    if rest_octets > _REST_LIMIT_OCTETS:
        raise ProxyHeaderError(f"{rest_octets} octets of addresses and TLVs are too many")
    return ProxyHead(command, family, rest_octets)


def parse_rest(head: ProxyHead, rest: bytes) -> str | None:
    """The client's IP address; None if the proxy speaks for itself, as in its health checks.

    :raises ProxyHeaderError: the addresses are not whole, or of no TCP over IP.
    """
    if head.command == _LOCAL:
        return None
    if head.family == _INET_STREAM and len(rest) >= 12:
        return str(IPv4Address(rest[:4]))
    if head.family == _INET6_STREAM and len(rest) >= 36:
        address = IPv6Address(rest[:16])
        return str(address.ipv4_mapped or address)
    raise ProxyHeaderError(f"family 0x{head.family:02x} with {len(rest)} octets is no TCP over IP")
