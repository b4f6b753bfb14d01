"""Two namespaces that share an operator: one that asks for much, and one that is entitled not to notice it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examples.order.services import Entry, OrderServices
from tests.controlplane import ControlPlane, eventually
from tests.e2e.audit import checked
from tests.e2e.kube import Kube, Object
from tests.e2e.operator import Operator
from tests.e2e.role import install
from tests.e2e.shop import WITHIN, Shop


class Tenants:
    """Both of them."""

    def __init__(self, ordinary: Shop, greedy: Shop) -> None:
        self.ordinary = ordinary
        self.greedy = greedy
        greedy.operators = ordinary.operators

    @property
    def operator(self) -> Operator:
        """The operator of both."""
        return self.ordinary.operator

    def hire(self, **settings: str) -> Operator:
        """Start it."""
        both = f"{self.ordinary.namespace},{self.greedy.namespace}"
        return self.ordinary.hire(FLOW_NAMESPACES=both, **settings)

    def bear_refusals(self) -> None:
        """That the API server refuses the operator something is no fault: the test brings it about."""
        self.ordinary.bear_refusals()
        self.greedy.bear_refusals()


@contextmanager
def opened(
    control_plane: ControlPlane, kube: Kube, namespace: str, services: OrderServices, directory: Path, group: int
) -> Iterator[Tenants]:
    """Both namespaces, and no operator yet; at the end all that happened in either is checked."""
    other = control_plane.create_namespace("greedy")
    try:
        account = install(kube, namespace, other)
        world = (services, account, directory, group)
        with (
            checked(Shop(control_plane, kube, namespace, *world)) as ordinary,
            checked(Shop(control_plane, kube, other, *world)) as greedy,
        ):
            yield Tenants(ordinary, greedy)
    finally:
        control_plane.delete_namespace(other)


def statuses(shop: Shop) -> dict[str, Object]:
    """The status of each run of a namespace, as far as it has one."""
    return {
        each["metadata"]["name"]: each.get("status", {})
        for each in shop.kube.list("workflowexecutions", shop.namespace)
    }


def calls(shop: Shop) -> list[Entry]:
    """Every call that any service received for a run of a namespace."""
    return [each for each in shop.services.entries() if each.execution.startswith(f"{shop.namespace}/")]


def called(shop: Shop, operation: str = "do") -> set[str]:
    """The runs of a namespace for which a service has received a call, by the services' journals."""
    return {each.execution.partition("/")[2] for each in calls(shop) if each.operation == operation}


def in_flight(shop: Shop) -> set[str]:
    """The runs of a namespace that have a call in flight, by their statuses."""
    return {
        name
        for name, status in statuses(shop).items()
        if any(step["phase"] == "Running" and "attemptId" in step for step in status.get("steps", ()))
    }


def perhaps_applied(status: Object) -> bool:
    """Whether a step of a run may have had an effect, by the status."""
    return any(step.get("effect", "None") != "None" for step in status.get("steps", ()))


def refused(operator: Operator) -> float:
    """How many writes of a status the API server has refused, as the operator counts them."""
    lines = operator.get("/metrics").splitlines()
    found = (line for line in lines if line.startswith('flow_status_writes_total{result="refused"}'))
    return sum(float(line.rpartition(" ")[2]) for line in found)


def until_all_ended(shop: Shop, names: set[str], *, within: float = WITHIN) -> dict[str, Object]:
    """Wait until these runs have ended; their statuses."""

    def ended() -> dict[str, Object] | None:
        found = statuses(shop)
        return found if all("completionTime" in found[name] for name in names) else None

    found = eventually(ended, within=within, what=f"{len(names)} runs of {shop.namespace} ended", every=0.2)
    return {name: found[name] for name in names}
