"""What the API server says of the requests it had: counters of its own /metrics, so that counting costs it nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE", "DELETECOLLECTION", "APPLY"})
RUNS = "workflowexecutions"

Labels = Mapping[str, str]


def samples(exposition: str, name: str) -> Iterator[tuple[Labels, float]]:
    """The samples of one metric: only its lines are parsed, of megabytes."""
    lines = "\n".join(line for line in exposition.splitlines() if line.startswith(name))
    for family in text_string_to_metric_families(lines + "\n"):
        for sample in family.samples:
            if sample.name == name:
                yield sample.labels, sample.value


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests the API server has answered so far, by what they were."""

    status_writes: int = 0
    """Status writes of runs that were stored."""
    conflicts: int = 0
    """Status writes of runs that were refused as stale."""
    creates: int = 0
    """Runs created."""
    other_writes: int = 0
    """Everything else that was written by anybody, but for leases."""
    lists: int = 0
    """Pages of runs that were listed."""

    def since(self, before: "Requests") -> "Requests":
        """What came after."""
        names = ("status_writes", "conflicts", "creates", "other_writes", "lists")
        return Requests(**{name: getattr(self, name) - getattr(before, name) for name in names})


def requests_in(exposition: str) -> Requests:
    """Read the API server's /metrics."""
    counts = dict.fromkeys(("status_writes", "conflicts", "creates", "other_writes", "lists"), 0)
    for labels, value in samples(exposition, "apiserver_request_total"):
        kind = _kind(labels)
        if kind is not None:
            counts[kind] += int(value)
    return Requests(**counts)


def _kind(labels: Labels) -> str | None:
    verb, code, resource = labels.get("verb", ""), labels.get("code", ""), labels.get("resource", "")
    if resource == RUNS and labels.get("subresource") == "status" and verb == "PUT":
        return {"200": "status_writes", "409": "conflicts"}.get(code)
    if resource == RUNS and verb == "LIST":
        return "lists"
    if verb not in WRITING or resource == "leases" or not code.startswith("2"):
        return None
    return "creates" if resource == RUNS and verb == "POST" else "other_writes"
