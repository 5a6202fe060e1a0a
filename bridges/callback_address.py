"""Which addresses a callback may be sent to: public ones, and those that the operator names.

*In*: an IP address as a resolver gives it, networks that are allowed besides.
*Out*: yes or no. *Never*: I/O, a name; who resolves a name connects to the address judged here.

A client chooses its callback URL. Without this it could make the gateway post to machines that
only the gateway reaches: a database on loopback, a router, the cloud's metadata service. IPv4
inside IPv6 is judged as what it leads to: mapped (RFC 4291 §2.5.5), NAT64 (RFC 6052), 6to4
(RFC 3056), Teredo (RFC 4380).
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_NAT64: Final = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")
"""RFC 8215: leads where the site's own translator says."""
_COMPATIBLE: Final = IPv6Network("::/96")
"""IPv4-compatible addresses, long out of use (RFC 4291 §2.5.5.1), with :: and ::1."""
_SITE_LOCAL: Final = IPv6Network("fec0::/10")
_SPECIAL: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
"""Protocol assignments and old 6to4 relays: no receiver lives there."""


def may_call(address: str, allowed: Iterable[IPv4Network | IPv6Network] = ()) -> bool:
    """May a callback be sent to this address?"""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    target = _leads_to(found)
    if any(target in network or found in network for network in allowed):
        return True
    return _is_public(found) and (target is found or _is_public(target))


def _leads_to(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public(address.ipv4_mapped)
        if address in _NAT64:
            return True  # as public as the IPv4 address inside, which is judged by itself
        if address in _LOCAL_NAT64 or address in _COMPATIBLE or address in _SITE_LOCAL:
            return False
        if address.sixtofour is not None:
            return _is_public(address.sixtofour)
        if address.teredo is not None:
            return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not (
        address.is_private
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
    )
