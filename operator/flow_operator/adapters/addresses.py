"""What an IP address really reaches: which IPv4 address hides in an IPv6 one, and which ranges are no service at all.

The standard library's `is_global` and `is_private` are not used: they call `64:ff9b::a9fe:a9fe` (the metadata service
behind NAT64) global, and their meaning changed between patch releases of Python. The ranges are those of the IANA
registries of special-purpose addresses (RFC 6890), plus the metadata services of the large clouds.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MAPPED = IPv6Network("::ffff:0:0/96")
NAT64 = IPv6Network("64:ff9b::/96")
COMPATIBLE = IPv6Network("::/96")

_SPECIAL_V4 = (
    ("metadata", IPv4Network("169.254.169.254/32")),  # most clouds
    ("metadata", IPv4Network("168.63.129.16/32")),  # Azure's host agent
    ("metadata", IPv4Network("100.100.100.200/32")),  # Alibaba
    ("unspecified", IPv4Network("0.0.0.0/8")),  # Linux connects 0.0.0.0 to the machine itself
    ("loopback", IPv4Network("127.0.0.0/8")),
    ("link-local", IPv4Network("169.254.0.0/16")),
    ("reserved", IPv4Network("192.0.0.0/24")),  # has Oracle's metadata service, 192.0.0.192
    ("multicast", IPv4Network("224.0.0.0/4")),
    ("reserved", IPv4Network("240.0.0.0/4")),  # has the broadcast address
)
_SPECIAL_V6 = (
    ("metadata", IPv6Network("fd00:ec2::254/128")),  # AWS
    ("metadata", IPv6Network("fd20:ce::254/128")),  # Google
    ("unspecified", IPv6Network("::/128")),
    ("loopback", IPv6Network("::1/128")),
    ("link-local", IPv6Network("fe80::/10")),
    ("multicast", IPv6Network("ff00::/8")),
)
# Everything that is neither special nor one of these is reserved: NAT64 with a prefix of one's own (64:ff9b:1::/48,
# where the place of the IPv4 address cannot be told), site-local, and what was never assigned.
_ASSIGNED_V6 = (IPv6Network("2000::/3"), IPv6Network("fc00::/7"), MAPPED, NAT64)


def parse(text: str) -> Address:
    """The address as a socket sees it; the zone of `fe80::1%eth0` only says which cable and is dropped."""
    return ip_address(text.partition("%")[0])


def readings(address: Address) -> Iterator[Address]:
    """The address and every IPv4 address that a packet to it may end at: all of them have to be harmless.

    Mapped (RFC 4291), NAT64 (RFC 6052), IPv4-compatible (`::a.b.c.d`), 6to4 (RFC 3056) and both ends of Teredo
    (RFC 4380).
    """
    yield address
    if isinstance(address, IPv4Address):
        return
    if address in MAPPED or address in NAT64 or (address in COMPATIBLE and int(address) > 1):
        yield IPv4Address(int(address) & 0xFFFFFFFF)
    elif address.sixtofour is not None:
        yield address.sixtofour
    elif address.teredo is not None:
        yield from address.teredo


def special(address: Address) -> str | None:
    """Why no service lives at this very address (embedded ones not considered), or None."""
    if isinstance(address, IPv4Address):
        return next((name for name, network in _SPECIAL_V4 if address in network), None)
    found = next((name for name, network in _SPECIAL_V6 if address in network), None)
    if found is None and not any(address in network for network in _ASSIGNED_V6):
        return "reserved"
    return found
