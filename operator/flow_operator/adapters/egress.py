"""Where calls may go: the decision of the egress guard, pure.

The order (semantics: Endpoints) is: `FLOW_EGRESS_DENY` wins over `FLOW_EGRESS_ALLOW`, which wins over the
built-in denials (special addresses, see `addresses`, and the API server). What no rule names is allowed: the allow
list is a list of exceptions, not an exclusive list.

Two things are judged: the *name* in the URL, exactly as it is written there (no case, no last dot), and the *address*
that is about to be dialled. How they combine:

- A denied name is denied under whatever address it has. The same service under another name (`a.b.svc` and
  `a.b.svc.cluster.local`) or under its address is not: who wants to close a destination denies its address.
- A denied network is denied under whatever name leads there, IPv4 addresses embedded in IPv6 included.
- An allowed name lifts the built-in denials from whatever address that name has when it is dialled. So it trusts the
  DNS of that name, and of that name only: another name with the same address stays denied, hence a stranger's name
  that is rebound to 127.0.0.1 gains nothing from it. There are no wildcards, because with one the trust would go to
  everybody who can create a name below it.
- An allowed network lifts them from its addresses, whatever name leads there. An embedded IPv4 address needs an
  exception of its own: `64:ff9b::/96` does not open `64:ff9b::127.0.0.1`.
- The API server is opened by its single address (`/32`, `/128`) or by a name, never by a wider network: whoever opens
  `10.0.0.0/8` has services in mind. On a machine where the API server and services share an address, that address
  has to be allowed singly.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_network

from flow_operator.adapters.addresses import MAPPED, Address, Network, readings, special

_LABEL = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}$)(?!(.*\.)?([0-9]+|0x[0-9a-f]*)$){_LABEL}(\.{_LABEL})*")
"""Host names (underscores occur in practice), and no addresses in disguise such as 127.1 or 0x7f.0.0.1."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """A list of networks and host names, as in `FLOW_EGRESS_ALLOW` and `FLOW_EGRESS_DENY`."""

    networks: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> Destinations:
        """Read comma-separated CIDRs, addresses and host names; ValueError says which of them is none, and why."""
        return cls.of(part.strip() for part in text.split(",") if part.strip())

    @classmethod
    def of(cls, items: Iterable[str]) -> Destinations:
        """The same from single items."""
        networks: list[Network] = []
        names: set[str] = set()
        for item in items:
            if (network := _network(item)) is not None:
                networks.append(network)
            else:
                names.add(_name(item))
        return cls(tuple(networks), frozenset(names))

    def has(self, address: Address) -> bool:
        """Whether one of the networks holds this very address."""
        return any(address in network for network in self.networks)

    def has_singly(self, address: Address) -> bool:
        """Whether this address is listed by itself."""
        return any(address in network for network in self.networks if network.num_addresses == 1)


@dataclass(slots=True)
class Rules:
    """All that the decision depends on. The settings in it never change; `api_server` is replaced when it does."""

    allow: Destinations = field(default_factory=Destinations)
    deny: Destinations = field(default_factory=Destinations)
    api_server: Destinations = field(default_factory=Destinations)
    """The names and addresses under which the API server is known at present (`api_server_names`)."""


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a destination is denied, and by which rule; the message says what an administrator could do."""

    message: str


def normal(host: str) -> str:
    """The form in which host names are compared."""
    return host.lower().rstrip(".")


def denial(host: str, address: Address | None, rules: Rules) -> Denial | None:
    """Why a call to this host at this address is not allowed, or None if it is.

    With no address (it is not known yet) only the name is judged, so that a denied name is not even looked up.
    """
    host = normal(host)
    if host in rules.deny.names:
        return Denial(f"{host} is denied by FLOW_EGRESS_DENY")
    if address is None:
        return None
    found = list(readings(address))
    shown = str(address) if host == str(address) else f"{host} ({address})"
    if any(rules.deny.has(reading) for reading in found):
        return Denial(f"{shown} is denied by FLOW_EGRESS_DENY")
    if host in rules.allow.names:
        return None
    if host in rules.api_server.names or any(_closed_api_server(reading, rules) for reading in found):
        return Denial(f"{shown} is the API server, denied unless FLOW_EGRESS_ALLOW names it singly")
    for reading in found:
        kind = special(reading)
        if kind is not None and not rules.allow.has(reading):
            behind = "" if reading == address else f" leads to {reading}, which"
            return Denial(f"{shown}{behind} is a {kind} address, denied unless FLOW_EGRESS_ALLOW names it")
    return None


def _closed_api_server(address: Address, rules: Rules) -> bool:
    return rules.api_server.has(address) and not rules.allow.has_singly(address)


def _network(item: str) -> Network | None:
    try:
        network = ip_network(item)
    except ValueError as error:
        if "host bits" in str(error):
            raise ValueError(f"{item} has host bits set; the network is {ip_network(item, strict=False)}") from None
        return None
    if network.version == 6 and network.subnet_of(MAPPED):
        return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


def _name(item: str) -> str:
    name = normal(item)
    if _NAME.fullmatch(name) is None:
        raise ValueError(
            f"{item} is neither a CIDR, an address nor a host name (wildcards, ports and URLs are not taken)"
        )
    return name
