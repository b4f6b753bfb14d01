"""Every setting, said once: its name, its type, its default and its meaning, which `--help` shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, get_type_hints

from flow_operator.adapters.egress import Destinations
from flow_operator.settings import values
from flow_operator.settings.values import Listen


@dataclass(frozen=True, slots=True)
class Setting:
    """What is said about a setting beside its name and its type."""

    parse: Callable[[str], object]
    default: str | None
    """As a person would write it; None if it follows from where the operator runs."""
    meaning: str
    shown: str = ""
    """What `--help` calls the default, if it is not the default's own text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that a person can set when the operator is started; it never changes while it runs."""

    namespaces: Annotated[
        tuple[str, ...], Setting(values.namespaces, "", "comma-separated namespaces to watch", shown="all")
    ]
    http_listen: Annotated[
        Listen, Setting(values.listen, "0.0.0.0:8080", "where /healthz, /readyz and /metrics are served")
    ]
    service_url: Annotated[
        str,
        Setting(
            values.service_url,
            "http://{service}.{namespace}.svc:{port}/{method}",
            "what service and method of an endpoint become",
        ),
    ]
    egress_allow: Annotated[
        Destinations,
        Setting(
            values.destinations,
            "",
            "comma-separated CIDRs, addresses and host names that may be called although they are loopback, "
            "link-local, metadata, multicast or reserved; the API server only by a single address or name",
            shown="none",
        ),
    ]
    egress_deny: Annotated[
        Destinations,
        Setting(
            values.destinations,
            "",
            "comma-separated CIDRs, addresses and host names that may never be called; wins over --egress-allow",
            shown="none",
        ),
    ]
    shards: Annotated[
        int,
        Setting(values.shards, "1", "leases, 1 to 64, that share the runs between replicas; with 1, one of them acts"),
    ]
    identity: Annotated[
        str,
        Setting(
            values.identity,
            None,
            "under which leases are held; a restart under the same identity takes its leases back at once",
            shown="the pod's name, that is HOSTNAME",
        ),
    ]
    lease_namespace: Annotated[
        str,
        Setting(
            values.namespace, None, "where the leases are", shown="the pod's namespace, outside of a pod 'default'"
        ),
    ]
    lease_duration: Annotated[
        float,
        Setting(values.lease_duration, "15s", "after how long a replica that went away is replaced; whole seconds"),
    ]
    """Seconds."""
    run_concurrency: Annotated[int, Setting(values.positive, "1000", "runs that are acted on at once")]
    host_concurrency: Annotated[int, Setting(values.positive, "50", "calls in flight per host")]
    namespace_concurrency: Annotated[
        int,
        Setting(
            values.not_negative,
            "0",
            "runs acted on, and calls in flight per host, of one namespace; 0 for a share of what is free, so that one "
            "namespace never has all",
        ),
    ]
    circuit: Annotated[
        bool,
        Setting(values.on_or_off, "on", "on: a host that cannot be reached is tried by one call at a time; or off"),
    ]
    answer_memory: Annotated[
        int, Setting(values.memory, "128Mi", "what the answers that are being read may take together, at least 1Mi")
    ]
    """Bytes."""
    log_format: Annotated[str, Setting(values.one_of("json", "text"), "json", "json or text")]
    log_level: Annotated[
        str,
        Setting(values.one_of("debug", "info", "warning", "error"), "info", "debug, info, warning or error"),
    ]


SETTINGS: dict[str, Setting] = {
    name: hint.__metadata__[0] for name, hint in get_type_hints(Settings, include_extras=True).items()
}
"""By the name of the field, in the order in which they are shown."""


def flag(name: str) -> str:
    """How the setting is spelt on the command line."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """How the setting is spelt in the environment."""
    return "FLOW_" + name.upper()
