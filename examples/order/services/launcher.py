"""Start the services as processes, tell them how to behave, read what they did.

    with OrderServices(directory) as services:
        services.behave("Payments.Charge", Behaviour(Mode.DECLINE))
        ...
        services.entries("shop/order-1001")

Services share nothing: each knows only what is in its own journal.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType

from tests.controlplane.polling import eventually

from examples.order.services.behaviour import Behaviour
from examples.order.services.catalog import SERVICES, service_of
from examples.order.services.journal import Entry
from examples.order.services.process import ServiceProcess


class OrderServices(Mapping[str, ServiceProcess]):
    """All services of the order saga, by name; a context manager that starts and stops them."""

    def __init__(self, directory: Path, *, default_ports: bool = False, pace: float = 0) -> None:
        """Journals go to `directory`. Ports are free ones, or those that the manifests name."""
        self._processes = {
            name: ServiceProcess(name, directory, service.port if default_ports else None, pace)
            for name, service in SERVICES.items()
        }

    def __getitem__(self, name: str) -> ServiceProcess:
        return self._processes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._processes)

    def __len__(self) -> int:
        return len(self._processes)

    def __enter__(self) -> "OrderServices":
        try:
            for process in self.values():
                process.spawn()
            for process in self.values():
                process.wait_until_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all of them for good."""
        for process in self.values():
            process.ask_to_stop()
        for process in self.values():
            process.close()

    @property
    def ports(self) -> dict[str, int]:
        """Where each service listens."""
        return {name: process.port for name, process in self.items()}

    def behave(self, method: str, behaviour: Behaviour) -> None:
        """Tell a method, of whichever service, how to behave from now on; calls that it holds are answered."""
        self[service_of(method)].behave(method, behaviour)

    def work(self) -> None:
        """Everything works again: every process runs, every method does its work, nothing is held."""
        for name, process in self.items():
            process.start()
            for method in SERVICES[name].methods:
                process.behave(method, Behaviour())

    def entries(self, execution: str | None = None) -> list[Entry]:
        """Every call that any service received, in the order of time; of one run if it is named."""
        found = [entry for process in self.values() for entry in process.entries()]
        return sorted((e for e in found if execution in (None, e.execution)), key=lambda entry: entry.time)

    def wait_for(self, wanted: Callable[[Entry], bool], *, timeout: float = 20.0) -> Entry:
        """The first call that is `wanted`, once there is one. Raises TimeoutError with the journals' last lines."""
        try:
            return eventually(lambda: list(filter(wanted, self.entries())), within=timeout, what="such a call")[0]
        except TimeoutError as error:
            last = "\n".join(map(str, self.entries()[-10:]))
            raise TimeoutError(f"{error}; the last calls were:\n{last}") from None
