"""Plays the operator of one run on a real API server: writes what the real engine makes of a story."""

import json
from typing import Any

from tests.cli.stories import begin, go_on
from tests.controlplane import Cluster, eventually

from flow_operator.api.meta import API_VERSION, COMMAND_ANNOTATIONS
from flow_operator.engine.contract import Command
from flow_operator.engine.definitions.definition import Definition
from flow_operator.reconciler.commands import command_in

WITHIN = 30.0


class Operator:
    """The story of one run, which is created when this is, or was there before."""

    def __init__(self, cluster: Cluster, namespace: str, name: str = "order-1", *, create: bool = True) -> None:
        self.cluster, self.namespace, self.name = cluster, namespace, name
        self.story = begin()
        self.pinned = False
        if create:
            run = {
                "apiVersion": API_VERSION,
                "kind": "WorkflowExecution",
                "metadata": {"name": name},
                "spec": self.story.world.spec,
            }
            self._kubectl("create", "-f", "-", stdin=json.dumps(run))

    def tell(self, directives: str) -> None:
        """Go on with the story, and store what became of it."""
        go_on(self.story, directives)
        self.pin()
        run = self.read()
        run["status"] = self.story.world.status.document()
        self._kubectl("replace", "--subresource=status", "-f", "-", stdin=json.dumps(run))

    def pin(self) -> None:
        """Store the definition that the run names."""
        definition = self.story.world.definition
        if self.pinned or self.story.world.status.revision is None or not isinstance(definition, Definition):
            return
        self.pinned = True
        revision = {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": {"name": definition.revision},
            "revision": 1,
            "data": {"definition": definition.document()},
        }
        self._kubectl("create", "-f", "-", stdin=json.dumps(revision))

    def read(self) -> dict[str, Any]:
        """The run as it is stored."""
        found: dict[str, Any] = json.loads(
            self._kubectl("get", "fwx", self.name, "-o", "json", "--show-managed-fields")
        )
        return found

    def obey(self) -> Command:
        """Wait for a command, carry it out, and take it off again."""
        command = eventually(lambda: command_in(self.read()["metadata"]), within=WITHIN, what="a command")
        self.story.world.command = command
        self.tell("wait 1s")
        self._kubectl("annotate", "fwx", self.name, *(f"{annotation}-" for annotation in COMMAND_ANNOTATIONS))
        return command

    def _kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        return self.cluster.kubectl(*arguments, "-n", self.namespace, stdin=stdin)
