"""What a story is made of: commands that are shown and run, services that are told to misbehave, and waiting."""

import json
import shlex
import signal
import subprocess
from collections.abc import Callable
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

    def run(self, line: str) -> None:
        """Show a command, run it, show what it printed. Raises StoryError when it fails."""
        words = shlex.split(line)
        self.screen.command(words)
        done = subprocess.run(words, cwd=ROOT, env=self.world.environment, capture_output=True, text=True, check=False)
        self.screen.output(done.stdout)
        if done.returncode:
            raise StoryError(f"{line} ended with code {done.returncode}: {done.stderr.strip()}")

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

    def watch(self, order: str, until: Callable[[], bool] | None = None) -> None:
        """Show the live tree of an order until it has ended, or until a condition holds."""
        words = ["kubectl", "flow", "watch", order]
        self.screen.command(words)
        watching = subprocess.Popen(words, cwd=ROOT, env=self.world.environment, stdin=subprocess.DEVNULL)
        try:
            eventually(
                lambda: watching.poll() is not None or (until is not None and until()),
                within=WITHIN,
                every=0.1,
                what=f"the end of {order}" if until is None else f"what the demo waits for in {order}",
            )
        finally:
            watching.send_signal(signal.SIGINT)
            watching.wait()

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

    def called(self, order: str, step: str) -> Callable[[], bool]:
        """The condition that a service has received the call of a step."""
        return lambda: any(call.step == step for call in self.calls(order))

    def phase(self, order: str, phase: str) -> Callable[[], bool]:
        """The condition that an order is in a phase."""
        return lambda: self.status(order).get("phase") == phase

    def status(self, order: str) -> dict[str, Any]:
        """The status of an order, as the API server has it."""
        status: dict[str, Any] = json.loads(self.world.kubectl("get", "fwx", order, "-o", "json")).get("status", {})
        return status

    def reset(self) -> None:
        """Everything runs and works, whatever a story left behind."""
        self.world.services.work()
        self.world.operator.start()
