"""What the value of a setting may be. Each function takes the text and raises ValueError, whose message says what is
wrong and how to write it; the name of the setting is added by who calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter

from yarl import URL

from flow_operator.adapters.egress import Destinations
from flow_operator.api.duration import seconds

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^\s:\[\]]*):(?P<port>[0-9]{1,5})")
MOST_SHARDS = 64
_UNITS = {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}
LEAST_MEMORY = 1024**2
_SAMPLE = {"service": "orders", "namespace": "shop", "port": "80", "method": "orders.v1.Orders/Reserve"}


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen. Port 0 takes any free one."""

    host: str
    port: int


def listen(text: str) -> Listen:
    """`0.0.0.0:8080`, `[::]:8080`, or `:8080` for every IPv4 address."""
    found = _LISTEN.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise ValueError(f"{text!r} is no address to listen at: write host:port, for example 0.0.0.0:8080 or [::]:8080")
    return Listen(found["host"].strip("[]") or "0.0.0.0", int(found["port"]))


def namespace(text: str) -> str:
    """The name of a namespace."""
    if _LABEL.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no name of a namespace: small letters, digits and '-', at most 63")
    return text


def namespaces(text: str) -> tuple[str, ...]:
    """Comma-separated names, each once; none for all namespaces."""
    names = [part.strip() for part in text.split(",")]
    return tuple(dict.fromkeys(namespace(name) for name in names if name))


def destinations(text: str) -> Destinations:
    """Comma-separated CIDRs, addresses and host names."""
    return Destinations.parse(text)


def service_url(text: str) -> str:
    """A URL with placeholders, as `str.format` takes it."""
    known = ", ".join(f"{{{name}}}" for name in _SAMPLE)
    try:
        fields = [part[1:] for part in Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        raise ValueError(f"{text!r} is no template ({error}): the placeholders are {known}") from None
    for name, form, conversion in fields:
        if name not in _SAMPLE or form or conversion:
            raise ValueError(f"{text!r} has a placeholder {{{name}}}: only {known} are known, without any format")
    if not fields or "{{" in text or "}}" in text:
        raise ValueError(f"{text!r} would be the same URL for every call: the placeholders are {known}")
    if not _is_url(text.format(**_SAMPLE)):
        raise ValueError(f"{text!r} is no absolute http or https URL without credentials, query and fragment")
    return text


def _is_url(text: str) -> bool:
    try:
        url = URL(text)
    except ValueError:
        return False
    plain = url.raw_user is None and not url.raw_query_string and not url.raw_fragment
    return plain and url.scheme in ("http", "https") and bool(url.raw_host) and not re.search(r"[\s\x00-\x1f]", text)


def shards(text: str) -> int:
    """The number of leases that share the runs."""
    value = positive(text)
    if value > MOST_SHARDS:
        raise ValueError(f"{text!r} shards are too many: 1 to {MOST_SHARDS}, each is a lease to be renewed")
    return value


def identity(text: str) -> str:
    """The holder of a lease: one word."""
    if re.fullmatch(r"[!-~]{1,253}", text) is None:
        raise ValueError(f"{text!r} is no identity: 1 to 253 printable ASCII characters without blanks")
    return text


def lease_duration(text: str) -> float:
    """Seconds; a Lease can only say whole ones."""
    value = seconds(text)
    if value < 1 or value != int(value):
        raise ValueError(f"{text!r} is no duration of a lease: whole seconds, at least 1s")
    return value


def positive(text: str) -> int:
    """An integer of at least 1."""
    return _integer(text, at_least=1)


def not_negative(text: str) -> int:
    """An integer of at least 0."""
    return _integer(text, at_least=0)


def _integer(text: str, *, at_least: int) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) is None or int(text) < at_least:
        raise ValueError(f"{text!r} is not an integer of at least {at_least}")
    return int(text)


def on_or_off(text: str) -> bool:
    """The word on or off, in any case."""
    return one_of("on", "off")(text) == "on"


def one_of(*words: str) -> Callable[[str], str]:
    """One of these words, in any case."""

    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"{text!r} is none of {', '.join(words)}")
        return text.lower()

    return parse


def memory(text: str) -> int:
    """Bytes, as a quantity of Kubernetes with a binary unit."""
    found = re.fullmatch(r"([0-9]{1,9})(Ki|Mi|Gi)", text)
    if found is None:
        raise ValueError(f"{text!r} is not an amount of memory: write an integer and Ki, Mi or Gi, for example 128Mi")
    size = int(found[1]) * _UNITS[found[2]]
    if size < LEAST_MEMORY:
        raise ValueError(f"{text!r} is too little memory: at least 1Mi")
    return size
