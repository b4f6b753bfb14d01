"""What a test works with: a namespace of its own, the services, and an operator that watches that namespace only."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from examples.order.demo.operator_process import PROGRAM
from examples.order.manifests import DIRECTORY, definitions
from examples.order.services import Behaviour, Entry, Mode, OrderServices
from tests.controlplane import Cluster, eventually
from tests.e2e.kube import Kube, Object
from tests.e2e.operator import Operator
from tests.e2e.role import ServiceAccount
from tests.e2e.sagas import run_of

COMMAND = "flow.unistack.org/command"
WITHIN = 30.0


class Shop:
    """One test's world. Every run in it is checked when the test has ended."""

    def __init__(
        self,
        cluster: Cluster,
        kube: Kube,
        namespace: str,
        services: OrderServices,
        account: ServiceAccount,
        directory: Path,
        group: int,
    ) -> None:
        """Operators are `account`, log to `directory`, and belong to the process group `group`."""
        self.cluster = cluster
        self.kube = kube
        self.namespace = namespace
        self.services = services
        self.account = account
        self.operators: list[Operator] = []
        self.kubeconfig = cluster.kubeconfig_for(account.token)
        """What operators are started with."""
        self.refusals_are_borne = False
        """Whether the API server may refuse the operator something: the test brings it about."""
        self._directory = directory
        self._group = group

    @property
    def operator(self) -> Operator:
        """The operator, in a shop that has one."""
        return self.operators[0]

    def hire(self, identity: str = "one", program: Sequence[str | Path] = PROGRAM, **settings: str) -> Operator:
        """Start an operator for this namespace."""
        defaults = {
            "FLOW_NAMESPACES": self.namespace,
            "FLOW_LEASE_NAMESPACE": self.namespace,
            "FLOW_IDENTITY": identity,
            "FLOW_SERVICE_URL": "http://127.0.0.1:{port}/{method}",
            "FLOW_EGRESS_ALLOW": "127.0.0.1",
        }
        log = self._directory / f"operator-{identity}.log"
        operator = Operator(self.kubeconfig, log, defaults | settings, self._group, program)
        self.operators.append(operator)
        operator.start()
        return operator

    def bear_refusals(self) -> None:
        """That the API server refuses the operator something is no fault: the test brings it about."""
        self.refusals_are_borne = True
        for operator in self.operators:
            operator.expect_error(": 403 ")

    def close(self) -> None:
        """End every operator."""
        for operator in self.operators:
            operator.kill()

    # What a person, a program or GitOps does.

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl prints for a person in this namespace."""
        return self.cluster.kubectl("--namespace", self.namespace, *arguments, stdin=stdin)

    def create(self, *documents: Mapping[str, Any]) -> None:
        """Create these objects."""
        for document in documents:
            self.kube.create(document, self.namespace)

    def define(self, *documents: Mapping[str, Any]) -> None:
        """Create Steps and Workflows, and wait until they are ready."""
        self.create(*documents)
        for document in documents:
            self.until_ready(f"{document['kind'].lower()}s", document["metadata"]["name"])

    def define_order(self) -> None:
        """Create the order saga of examples/order, and wait until it is ready."""
        self.define(*definitions(self.services.ports))

    def place_order(self, number: int, **spec: Any) -> str:
        """Create the run of one of the orders of examples/order; its name."""
        document = yaml.safe_load((DIRECTORY / "orders" / f"{number}.yaml").read_text())
        document["spec"] |= spec
        self.create(document)
        name: str = document["metadata"]["name"]
        return name

    def start(self, workflow: str, name: str = "run", **spec: Any) -> str:
        """Create a run of a workflow; its name."""
        self.create(run_of(workflow, name, **spec))
        return name

    def command(self, run: str, verb: str, args: Any = None, id: str | None = None) -> None:
        """Give a run a command by annotation."""
        annotations = {COMMAND: verb}
        if args is not None:
            annotations[f"{COMMAND}-args"] = args if isinstance(args, str) else json.dumps(args)
        if id is not None:
            annotations[f"{COMMAND}-id"] = id
        self.kube.patch("workflowexecutions", self.namespace, run, {"metadata": {"annotations": annotations}})

    def obey(self, run: str, verb: str, args: Any = None, id: str | None = None) -> Object:
        """Give a command and wait until it is answered and taken off; the answer."""
        before = self.status(run).get("lastCommand")
        self.command(run, verb, args, id)
        self.until(run, lambda status: status.get("lastCommand") != before, f"an answer to {verb}")
        eventually(lambda: not self.annotations(run), within=WITHIN, what=f"the annotations of {verb} taken off")
        answer: Object = self.status(run)["lastCommand"]
        return answer

    # What services do.

    def behave(self, method: str, mode: Mode, **how: Any) -> None:
        """Tell a method how to behave from now on; calls that it holds are answered."""
        self.services.behave(method, Behaviour(mode, **how))

    def works_again(self, *methods: str) -> None:
        """These methods do their work; calls that they held are answered."""
        for method in methods:
            self.services.behave(method, Behaviour())

    def calls(self, run: str, operation: str | None = None) -> list[Entry]:
        """Every call that any service received for a run, in the order of time."""
        return [
            call for call in self.services.entries(f"{self.namespace}/{run}") if operation in (None, call.operation)
        ]

    def until_called(self, run: str, step: str, operation: str = "do", *, times: int = 1) -> None:
        """Wait until a service has received so many calls of a step."""
        eventually(
            lambda: sum(call.step == step for call in self.calls(run, operation)) >= times,
            within=WITHIN,
            what=f"{operation} {step} called {times} times; {self._so_far(run)}",
        )

    # What there is to see.

    def object(self, run: str) -> Object:
        """A run as the API server has it."""
        found = self.kube.get("workflowexecutions", self.namespace, run)
        assert found is not None, f"there is no run {run}"
        return found

    def status(self, run: str) -> Object:
        """The status of a run."""
        status: Object = self.object(run).get("status", {})
        return status

    def step(self, run: str, id: str) -> Object:
        """The status of a step of a run."""
        return next(step for step in self.status(run)["steps"] if step["id"] == id)

    def annotations(self, run: str) -> Object:
        """The annotations of a run that are commands."""
        annotations = self.object(run)["metadata"].get("annotations", {})
        return {name: value for name, value in annotations.items() if name.startswith(COMMAND)}

    def until(self, run: str, wanted: Callable[[Object], Any], what: str, *, within: float = WITHIN) -> Object:
        """Wait until the status of a run is as wanted, and return it."""
        seen: list[Object] = []

        def look() -> bool:
            seen[:] = [self.status(run)]
            return bool(wanted(seen[0]))

        try:
            eventually(look, within=within, what=what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self._so_far(run)}\n{self.operator.tail()}") from None
        return seen[0]

    def until_step(self, run: str, id: str, wanted: Callable[[Object], Any], what: str) -> Object:
        """Wait until a step of a run is as wanted, and return its status."""

        def step(status: Object) -> Object:
            return next((step for step in status.get("steps", ()) if step["id"] == id), {})

        return step(self.until(run, lambda status: wanted(step(status)), f"{id} {what}"))

    def until_phase(self, run: str, phase: str) -> Object:
        """Wait until a run is in a phase."""
        return self.until(run, lambda status: status.get("phase") == phase, f"{run} in phase {phase}")

    def until_ended(self, run: str, *, within: float = WITHIN) -> Object:
        """Wait until a run has ended."""
        return self.until(run, lambda status: "completionTime" in status, f"{run} ended", within=within)

    def until_ready(self, plural: str, name: str, status: str = "True", reason: str | None = None) -> Object:
        """Wait until the operator has judged a definition so, for this reason if one is given; return its status."""

        def judged() -> Object | None:
            found = self.kube.get(plural, self.namespace, name) or {}
            told: Object = found.get("status", {})
            current = told.get("observedGeneration") == found.get("metadata", {}).get("generation")
            ready = condition(told, "Ready")
            right = ready.get("status") == status and reason in (None, ready.get("reason"))
            return told if current and right else None

        answer = eventually(judged, within=WITHIN, what=f"{plural} {name} with Ready={status}")
        assert answer is not None
        return answer

    def events(self, run: str) -> list[tuple[str, str, str]]:
        """Type, reason and message of the events on a run, oldest first."""
        found = [each for each in self.kube.list("events", self.namespace) if each["involvedObject"]["name"] == run]
        found.sort(key=lambda each: int(each["metadata"]["resourceVersion"]))
        return [(each["type"], each["reason"], each["message"]) for each in found]

    def _so_far(self, run: str) -> str:
        status = self.status(run)
        steps = " ".join(
            f"{step['id']}={step['phase']}/{step.get('effect', 'None')}" for step in status.get("steps", ())
        )
        return f"{run} is {status.get('phase')} ({status.get('reason')}: {status.get('message')}) {steps}"


def condition(status: Object, type: str) -> Object:
    """A condition of a status; empty if it is not there."""
    return next((each for each in status.get("conditions", ()) if each["type"] == type), {})
