"""What a story is made of: commands that are shown and run, services that are told to misbehave, and waiting."""

import json
import shlex
import subprocess
from collections.abc import Sequence
from typing import Any

from tests.controlplane import eventually

from examples.order.demo.screen import Screen
from examples.order.demo.world import ROOT, World
from examples.order.services import Behaviour, Entry, Mode
from examples.order.services.catalog import service_of

WITHIN = 60.0


class StoryError(Exception):
    """A story could not be told to its end; the message says at what."""


class Stage:
    """The demo's world, with everything that happens on it visible."""

    def __init__(self, world: World, screen: Screen) -> None:
        self.world = world
        self.screen = screen

    def run(self, line: str, *, codes: Sequence[int] = (0,)) -> None:
        """Show a command and run it, with its output as it comes. Raises StoryError when it fails."""
        words = shlex.split(line)
        self.screen.command(words)
        environment = self.world.environment
        try:
            done = subprocess.run(
                words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, timeout=WITHIN, check=False
            )
        except subprocess.TimeoutExpired:
            raise StoryError(f"not within {WITHIN:g} s: {line}") from None
        if done.returncode not in codes:
            raise StoryError(f"{line} ended with code {done.returncode}")

    def install(self) -> None:
        """Create the Steps and the Workflow, and wait until the operator finds them good."""
        folder = self.world.definitions
        shown = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder
        self.run(f"kubectl apply -f {shown}/steps.yaml -f {shown}/workflow.yaml")
        self.run("kubectl wait fwf/order --for=condition=Ready --timeout=30s")
        self.run("kubectl get fstep,fwf")

    def place(self, order: str) -> None:
        """Create the run of an order."""
        self.run(f"kubectl apply -f examples/order/orders/{order.removeprefix('order-')}.yaml")

    def watch(self, order: str) -> None:
        """Show the live tree of an order until it has ended; in a pipe the changes, and then the tree."""
        self.run(f"kubectl flow watch {order}", codes=(0, 1))
        if not self.screen.is_terminal:
            self.look(order)

    def look(self, order: str) -> None:
        """Show the tree of an order as it is now."""
        self.run(f"kubectl flow describe {order}")

    def behave(self, method: str, behaviour: Behaviour, why: str) -> None:
        """Show and tell how a method of a service behaves from now on."""
        self.screen.note(why)
        service = self.world.services[service_of(method)]
        wish = json.dumps({"mode": behaviour.mode, **({"times": behaviour.times} if behaviour.times else {})})
        self.screen.command(["curl", "-X", "PUT", f"http://127.0.0.1:{service.port}/control/{method}", "-d", wish])
        service.behave(method, behaviour)

    def works_again(self, method: str, why: str) -> None:
        """Show and tell that a method works; calls that it held are answered."""
        self.behave(method, Behaviour(Mode.WORK), why)

    def calls(self, order: str) -> list[Entry]:
        """Every call that any service received for an order, in the order of time."""
        return self.world.services.entries(f"{self.world.namespace}/{order}")

    def wait_for_call(self, order: str, step: str) -> None:
        """Wait until a service has received the call of a step."""
        execution = f"{self.world.namespace}/{order}"
        self.world.services.wait_for(lambda call: (call.execution, call.step) == (execution, step))

    def wait_for_step(self, order: str, step: str) -> None:
        """Wait until a step has succeeded, and that is stored."""

        def has_succeeded() -> bool:
            steps = self.status(order).get("steps", [])
            return any((each["id"], each["phase"]) == (step, "Success") for each in steps)

        eventually(has_succeeded, within=WITHIN, what=f"{step} of {order} stored")

    def wait_for_answer(self, order: str) -> None:
        """Wait until a command is answered, and taken off."""

        def is_taken_off() -> bool:
            return "flow.unistack.org/command" not in self._read(order)["metadata"].get("annotations", {})

        eventually(is_taken_off, within=WITHIN, what=f"the command to {order} answered")

    def status(self, order: str) -> dict[str, Any]:
        """The status of an order, as the API server has it."""
        status: dict[str, Any] = self._read(order).get("status", {})
        return status

    def _read(self, order: str) -> Any:
        return json.loads(self.world.kubectl("get", "fwx", order, "-o", "json"))

    def reset(self) -> None:
        """Everything runs and works, whatever a story left behind."""
        self.world.services.work()
        self.world.operator.start()
        if self.world.prometheus is not None:
            self.world.prometheus.scrape(self.world.operator.address)
