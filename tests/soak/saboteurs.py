"""Those who break things, one thing after the other, and mend each before they go on to the next."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from random import Random

from examples.order.services import Behaviour, Mode, OrderServices
from examples.order.services.catalog import SERVICES
from tests.controlplane import ControlPlane
from tests.e2e.operator import Operator
from tests.soak.decks import dealt

ENDS_WITHIN = 30.0
"""What Kubernetes gives a process after SIGTERM."""


class Saboteur:
    """Commits its faults in random order, each as often as the others, with pauses of up to `pause` seconds."""

    def __init__(self, dice: Random, pause: float) -> None:
        self.committed: Counter[str] = Counter()
        self._dice = dice
        self._longest_pause = pause
        self._stop = threading.Event()

    @property
    def faults(self) -> Mapping[str, Callable[[], None]]:
        """What it can do, by name; each returns when all is mended."""
        raise NotImplementedError

    def work(self, stop: threading.Event) -> None:
        """Commit faults until told to stop."""
        self._stop = stop
        for name in dealt(sorted(self.faults), self._dice):
            if stop.wait(self._dice.uniform(0, self._longest_pause)):
                return
            self.faults[name]()
            self.committed[name] += 1

    def _wait(self, least: float, most: float) -> None:
        self._stop.wait(self._dice.uniform(least, most))


class OfServers(Saboteur):
    """Ends, freezes and restarts operators and the API server. One of the two operators is frozen only."""

    def __init__(
        self, dice: Random, pause: float, plane: ControlPlane, mortal: Operator, survivor: Operator, lease: float
    ) -> None:
        super().__init__(dice, pause)
        self._plane = plane
        self._mortal = mortal
        self._survivor = survivor
        self._lease = lease

    @property
    def faults(self) -> Mapping[str, Callable[[], None]]:
        """What it can do."""
        return {
            "operator killed": self._mortal.crash,
            "operator killed, and away": self._kill_for_long,
            "operator ended": self._end,
            "operator frozen": lambda: self._freeze(0.2, 0.9),
            "operator frozen for longer than its lease": lambda: self._freeze(1.2, 2.5),
            "API server killed": lambda: self._plane.restart_apiserver(crash=True),
            "API server restarted": self._plane.restart_apiserver,
        }

    def _kill_for_long(self) -> None:
        self._mortal.kill()
        self._wait(0, 2 * self._lease)
        self._mortal.start()

    def _end(self) -> None:
        self._mortal.ask_to_end()
        code = self._mortal.wait(ENDS_WITHIN)
        assert code == 0, f"the operator ended with code {code} upon SIGTERM"
        self._wait(0, self._lease)
        self._mortal.start()

    def _freeze(self, least: float, most: float) -> None:
        """One or the other, for so many durations of the lease."""
        operator = self._dice.choice((self._mortal, self._survivor))
        operator.pause()
        try:
            self._wait(least * self._lease, most * self._lease)
        finally:
            operator.go_on()


class OfServices(Saboteur):
    """Makes methods misbehave, and ends services."""

    def __init__(self, dice: Random, pause: float, services: OrderServices) -> None:
        super().__init__(dice, pause)
        self._services = services
        self._methods = dealt([method for service in SERVICES.values() for method in service.methods], dice)
        self._names = dealt(sorted(SERVICES), dice)

    @property
    def faults(self) -> Mapping[str, Callable[[], None]]:
        """What it can do."""
        modes = {
            "answers 503": Mode.UNAVAILABLE,
            "closes the connection": Mode.DISCONNECT,
            "loses its answers": Mode.LOSE,
            "hangs": Mode.HOLD,
            "is late": Mode.LATE,
            "declines": Mode.DECLINE,
        }
        return {
            **{f"service {what}": partial(self._misbehave, mode) for what, mode in modes.items()},
            "service killed": self._kill,
        }

    def _misbehave(self, mode: Mode) -> None:
        method = next(self._methods)
        self._services.behave(method, Behaviour(mode, delay=self._dice.uniform(0.2, 2)))
        try:
            self._wait(0.5, 3)
        finally:
            self._services.behave(method, Behaviour())

    def _kill(self) -> None:
        service = self._services[next(self._names)]
        service.kill()
        self._wait(0, 2)
        service.start()


@contextmanager
def at_work(*jobs: Callable[[threading.Event], None]) -> Iterator[Callable[[], None]]:
    """Threads that do these jobs until the block ends; what is yielded raises what one of them has raised."""
    stop, errors = threading.Event(), list[BaseException]()

    def do(job: Callable[[threading.Event], None]) -> None:
        try:
            job(stop)
        except BaseException as error:  # noqa: BLE001 it is raised again where the block is
            errors.append(error)

    def check() -> None:
        if errors:
            raise errors[0]

    threads = [threading.Thread(target=do, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    try:
        yield check
    finally:
        stop.set()
        for thread in threads:
            thread.join(ENDS_WITHIN * 3)
    check()
