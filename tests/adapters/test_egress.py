"""Where calls may go: the rules as tables."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis.strategies import integers, sampled_from

from flow_operator.adapters import addresses
from flow_operator.adapters.egress import Destinations, Rules, denial

API_SERVER = "10.96.0.1, api.cluster.example, fd00::1"


def rules(allow: str = "", deny: str = "", api_server: str = API_SERVER) -> Rules:
    return Rules(Destinations.parse(allow), Destinations.parse(deny), Destinations.parse(api_server))


# With no rules: the address that is dialled, and why it is denied.
BUILT_IN: list[tuple[str, str | None]] = [
    # what services have
    ("10.0.0.1", None),
    ("10.96.0.2", None),
    ("100.64.0.1", None),  # pods of some clusters
    ("172.16.0.1", None),
    ("192.168.1.1", None),
    ("8.8.8.8", None),
    ("198.18.0.1", None),
    ("fd12:3456::1", None),
    ("2001:4860:4860::8888", None),
    ("2a00:1450::1", None),
    # loopback
    ("127.0.0.1", "loopback"),
    ("127.255.255.254", "loopback"),
    ("::1", "loopback"),
    # this machine, by another name
    ("0.0.0.0", "unspecified"),
    ("0.1.2.3", "unspecified"),
    ("::", "unspecified"),
    # link-local, metadata
    ("169.254.1.1", "link-local"),
    ("fe80::1", "link-local"),
    ("fe80::1%eth0", "link-local"),
    ("febf::1", "link-local"),
    ("169.254.169.254", "metadata"),
    ("168.63.129.16", "metadata"),
    ("100.100.100.200", "metadata"),
    ("fd00:ec2::254", "metadata"),
    ("fd20:ce::254", "metadata"),
    ("192.0.0.192", "reserved"),
    # multicast, reserved
    ("224.0.0.1", "multicast"),
    ("239.255.255.255", "multicast"),
    ("ff02::1", "multicast"),
    ("240.0.0.1", "reserved"),
    ("255.255.255.255", "reserved"),
    ("fec0::1", "reserved"),
    ("100::1", "reserved"),
    ("4000::1", "reserved"),
    ("64:ff9b:1::a9fe:a9fe", "reserved"),  # NAT64 with a prefix of one's own
    ("::ffff:0:127.0.0.1", "reserved"),  # translated (SIIT)
    # the API server
    ("10.96.0.1", "API server"),
    ("fd00::1", "API server"),
    # mapped
    ("::ffff:10.0.0.1", None),
    ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:169.254.169.254", "metadata"),
    ("::ffff:10.96.0.1", "API server"),
    # IPv4-compatible
    ("::127.0.0.1", "reserved"),
    ("::169.254.169.254", "reserved"),
    ("::10.96.0.1", "API server"),
    # NAT64
    ("64:ff9b::8.8.8.8", None),
    ("64:ff9b::127.0.0.1", "loopback"),
    ("64:ff9b::a9fe:a9fe", "metadata"),
    ("64:ff9b::10.96.0.1", "API server"),
    # 6to4
    ("2002:808:808::1", None),
    ("2002:7f00:1::1", "loopback"),
    ("2002:a9fe:a9fe::", "metadata"),
    ("2002:a60:1::", "API server"),
    # Teredo: the server in the clear, the client inverted
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", None),
    ("2001:0:7f00:1:8000:63bf:3fff:fdd2", "loopback"),
    ("2001:0:4136:e378:8000:63bf:80ff:fffe", "loopback"),
    ("2001:0:4136:e378:8000:63bf:5601:5601", "metadata"),
]


@pytest.mark.fault(
    "an address of loopback, link-local, metadata, multicast, a reserved range or the API server",
    "It is denied unless FLOW_EGRESS_ALLOW opens it",
)
@pytest.mark.parametrize(("address", "kind"), BUILT_IN)
def test_what_is_denied_by_itself(address: str, kind: str | None) -> None:
    found = denial("orders.shop.svc", addresses.parse(address), rules())
    assert (found is None) == (kind is None)
    if found is not None:
        assert kind is not None
        assert kind in found.message
        assert "FLOW_EGRESS_ALLOW" in found.message


# allow, deny, the host in the URL, the address that is dialled, and whether that is fine.
COMBINED: list[tuple[str, str, str, str, bool]] = [
    # the allow list is a list of exceptions, not an exclusive one
    ("10.0.0.0/8", "", "orders", "172.16.0.1", True),
    # an allowed network opens its addresses, whatever name leads there
    ("127.0.0.0/8", "", "orders", "127.0.0.1", True),
    ("127.0.0.0/8", "", "127.0.0.1", "127.0.0.1", True),
    ("127.0.0.1", "", "orders", "127.0.0.2", False),
    ("127.0.0.1", "", "orders", "127.0.0.1", True),
    ("::1/128", "", "orders", "::1", True),
    ("0.0.0.0/0", "", "orders", "169.254.169.254", True),
    ("0.0.0.0/0", "", "orders", "::1", False),
    # an allowed name opens whatever address it has, and no other name
    ("localhost", "", "localhost", "127.0.0.1", True),
    ("localhost", "", "LOCALHOST.", "::1", True),
    ("LocalHost.", "", "localhost", "::1", True),
    ("localhost", "", "127.0.0.1", "127.0.0.1", False),
    ("localhost", "", "evil.example", "127.0.0.1", False),
    ("shop.svc", "", "evil.shop.svc", "127.0.0.1", False),
    # deny wins over allow
    ("127.0.0.1", "127.0.0.0/8", "orders", "127.0.0.1", False),
    ("localhost", "127.0.0.0/8", "localhost", "127.0.0.1", False),
    ("localhost", "localhost", "localhost", "127.0.0.1", False),
    ("10.1.0.0/16", "10.0.0.0/8", "orders", "10.1.0.1", False),
    ("", "10.0.0.0/8", "orders", "10.1.0.1", False),
    ("", "10.0.0.0/8", "orders", "11.1.0.1", True),
    # a denied name is that name only; a denied network is denied under every name
    ("", "orders.shop.svc", "orders.shop.svc", "10.1.0.1", False),
    ("", "orders.shop.svc", "Orders.Shop.SVC.", "10.1.0.1", False),
    ("", "orders.shop.svc", "orders.shop.svc.cluster.local", "10.1.0.1", True),
    ("orders", "10.1.0.1", "orders", "10.1.0.1", False),
    # embedded addresses: denied with the network, opened only by an exception of their own
    ("", "10.0.0.0/8", "orders", "::ffff:10.1.0.1", False),
    ("", "10.0.0.0/8", "orders", "64:ff9b::10.1.0.1", False),
    ("", "10.0.0.0/8", "orders", "2002:a01:1::", False),
    ("", "::ffff:10.0.0.0/104", "orders", "10.1.0.1", False),
    ("64:ff9b::/96", "", "orders", "64:ff9b::127.0.0.1", False),
    ("127.0.0.1", "", "orders", "64:ff9b::127.0.0.1", True),
    ("127.0.0.1", "", "orders", "::ffff:127.0.0.1", True),
    ("::ffff:127.0.0.1", "", "orders", "127.0.0.1", True),
    ("127.0.0.1", "", "orders", "::127.0.0.1", False),
    ("2000::/3", "", "orders", "2002:7f00:1::", False),
    # the API server: singly, never by a wider network
    ("10.0.0.0/8", "", "orders", "10.96.0.1", False),
    ("10.96.0.0/31", "", "orders", "10.96.0.1", False),
    ("10.96.0.1", "", "orders", "10.96.0.1", True),
    ("10.96.0.1/32", "", "orders", "10.96.0.1", True),
    ("fd00::/8", "", "orders", "fd00::1", False),
    ("fd00::1", "", "orders", "fd00::1", True),
    ("kubernetes.default.svc", "", "kubernetes.default.svc", "10.96.0.1", True),
    ("kubernetes.default.svc", "", "10.96.0.1", "10.96.0.1", False),
    ("10.96.0.1", "10.96.0.0/12", "orders", "10.96.0.1", False),
    ("", "", "api.cluster.example", "203.0.113.9", False),
    ("203.0.113.9", "", "api.cluster.example", "203.0.113.9", False),
    ("api.cluster.example", "", "api.cluster.example", "203.0.113.9", True),
]


@pytest.mark.parametrize(("allow", "deny", "host", "address", "fine"), COMBINED)
def test_how_rules_combine(allow: str, deny: str, host: str, address: str, fine: bool) -> None:
    found = denial(host, addresses.parse(address), rules(allow, deny))
    assert (found is None) == fine


Embed = Callable[[int], int]
EMBEDDINGS: dict[str, Embed] = {
    "mapped": lambda v4: (0xFFFF << 32) | v4,
    "compatible": lambda v4: v4,
    "NAT64": lambda v4: (0x64FF9B << 96) | v4,
    "6to4": lambda v4: (0x2002 << 112) | (v4 << 80) | 1,
    "Teredo server": lambda v4: (0x20010000 << 96) | (v4 << 64) | 0xF7F7F7F7,
    "Teredo client": lambda v4: (0x20010000 << 96) | (0x08080808 << 64) | (v4 ^ 0xFFFFFFFF),
}
INTERESTING = [0x7F000001, 0xA9FEA9FE, 0x0A600001, 0x0A000005, 0xE0000001, 0xFFFFFFFF, 0x00000001, 0x08080808]


@pytest.mark.fault(
    "a denied IPv4 address is hidden in an IPv6 one (mapped, NAT64, 6to4, Teredo)",
    "It is denied as well",
)
@given(integers(0, 2**32 - 1) | sampled_from(INTERESTING), sampled_from(sorted(EMBEDDINGS)))
def test_no_embedding_reaches_what_is_denied(number: int, embedding: str) -> None:
    """Whatever IPv4 address is denied, by itself or by a rule, is denied inside an IPv6 address as well."""
    some = rules(allow="10.0.0.5", deny="10.0.0.0/16, 8.8.0.0/16")
    if denial("orders", IPv4Address(number), some) is not None:
        inside = IPv6Address(EMBEDDINGS[embedding](number))
        assert denial("orders", inside, some) is not None


def test_an_api_server_on_loopback_stays_closed_when_loopback_is_opened() -> None:
    local = {"api_server": "127.0.0.1"}
    assert denial("orders", addresses.parse("127.0.0.1"), rules("127.0.0.0/8", **local)) is not None
    assert denial("orders", addresses.parse("127.0.0.2"), rules("127.0.0.0/8", **local)) is None
    assert denial("orders", addresses.parse("127.0.0.1"), rules("127.0.0.1", **local)) is None


def test_a_denied_name_is_known_before_it_has_an_address() -> None:
    assert denial("Evil.example.", None, rules(deny="evil.example")) is not None
    assert denial("orders", None, rules(deny="evil.example")) is None


PARSED = [
    ("", Destinations()),
    (" , ", Destinations()),
    ("Orders.Shop.svc., a_b", Destinations(names=frozenset({"orders.shop.svc", "a_b"}))),
    ("cafe1, 1a, node-0.web1", Destinations(names=frozenset({"cafe1", "1a", "node-0.web1"}))),
]


@pytest.mark.parametrize(("text", "expected"), PARSED)
def test_lists_are_read(text: str, expected: Destinations) -> None:
    assert Destinations.parse(text) == expected


MALFORMED = [
    ("10.0.0.1/8", "10.0.0.0/8"),
    ("10.0.0.0/33", "10.0.0.0/33"),
    ("127.1", "127.1"),
    ("0x7f.0.0.1", "0x7f.0.0.1"),
    ("2130706433", "2130706433"),
    ("*.example.com", "wildcards"),
    ("http://orders/", "URLs"),
    ("orders:8080", "ports"),
    ("[::1]", "[::1]"),
    ("-orders", "-orders"),
    ("a..b", "a..b"),
    ("orders shop", "orders shop"),
]


@pytest.mark.parametrize(("text", "said"), MALFORMED)
def test_what_is_no_destination_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("[", r"\[")):
        Destinations.parse(f"orders, {text}")
