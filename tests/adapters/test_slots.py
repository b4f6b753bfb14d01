"""Slots are given without waiting, shared between namespaces, and not given at all while a circuit is open."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.reconciler.virtual_time import now, pass_time, run

from flow_operator.adapters.circuits import TRIAL_SECONDS
from flow_operator.adapters.slots import Slots, Ticket
from flow_operator.engine.messages.observation import Answered, Denied, NoAnswer, NotSent, Request

FINE = Answered(200, {}, b"")
REFUSED = NotSent("ConnectionRefused", "no connection")


class Queue:
    """Asks for slots, and knows who was woken."""

    def __init__(self, per_host: int = 1, per_namespace: int = 0, *, circuits: bool = True) -> None:
        self.slots = Slots(now, per_host=per_host, per_namespace=per_namespace, circuits=circuits)
        self.woken: list[str] = []

    def ask(self, name: str, *, host: str = "orders", namespace: str = "shop", eager: bool = False) -> Ticket:
        wake: Callable[[], None] = lambda: self.woken.append(name)  # noqa: E731
        return self.slots.ask(namespace, request(host), wake, eager=eager)

    def fail(self, times: int) -> None:
        """So many calls in a row cannot reach the host."""
        for _ in range(times):
            ticket = self.ask("failing")
            assert ticket.granted
            self.slots.give_back(ticket, REFUSED)


def request(host: str) -> Request:
    """A call to this host."""
    return Request("POST", f"http://{host}/", {}, b"", 1.0, 1.0)


def test_slots_are_given_in_order_and_given_back() -> None:
    async def story() -> list[str]:
        queue = Queue()
        first = queue.ask("first")
        waiting = [queue.ask(name) for name in ("second", "third", "fourth")]
        assert first.granted
        assert not any(ticket.granted for ticket in waiting)
        queue.slots.give_back(waiting[1])
        queue.slots.give_back(first, FINE)
        queue.slots.give_back(waiting[0], FINE)
        queue.slots.give_back(waiting[2], FINE)
        assert len(queue.slots) == 0, "a host that is not called any more takes no memory"
        return queue.woken

    assert run(story()) == ["second", "fourth"]


@pytest.mark.fault(
    "a host is slow and many calls want it",
    "They wait for slots, and nothing of them is stored; calls to other hosts are not held up",
)
def test_a_host_fills_its_own_slots_only_and_a_port_is_a_host_of_its_own() -> None:
    async def story() -> None:
        queue = Queue()
        assert queue.ask("one").granted
        assert not queue.ask("two").granted
        assert queue.ask("three", host="orders:8080").granted
        assert queue.ask("four", host="stock").granted

    run(story())


def test_one_namespace_never_has_all_slots_of_a_host() -> None:
    async def story() -> list[str]:
        queue = Queue(per_host=10)
        greedy = [queue.ask(f"greedy-{number}") for number in range(100)]
        assert sum(ticket.granted for ticket in greedy) == 8
        modest = [queue.ask(f"modest-{number}", namespace="bank") for number in range(3)]
        assert [ticket.granted for ticket in modest] == [True, False, False], "one is kept for a third"
        queue.slots.give_back(greedy[0], FINE)
        queue.slots.give_back(greedy[1], FINE)
        return queue.woken

    assert run(story()) == ["modest-1", "modest-2"]


def test_a_fixed_number_per_namespace_replaces_the_share() -> None:
    async def story() -> None:
        queue = Queue(per_host=10, per_namespace=3)
        assert sum(queue.ask("one").granted for _ in range(10)) == 3
        assert sum(queue.ask("two", namespace="bank").granted for _ in range(10)) == 3

    run(story())


def test_what_waits_knows_since_when() -> None:
    async def story() -> None:
        queue = Queue()
        queue.ask("first")
        await pass_time(5)
        blocked = queue.ask("second").blocked
        assert blocked is not None
        assert (blocked.since, blocked.circuit) == (now(), None)

    run(story())


def test_five_calls_in_a_row_that_find_nobody_open_the_circuit_and_wake_who_waits() -> None:
    async def story() -> None:
        queue = Queue(per_host=2, per_namespace=2)
        queue.fail(4)
        assert list(queue.slots.open_circuits()) == []
        last, _other, waiting = queue.ask("last"), queue.ask("other"), queue.ask("waiting")
        queue.slots.give_back(last, REFUSED)
        assert list(queue.slots.open_circuits()) == ["orders:80"]
        assert queue.woken == ["waiting"]
        assert waiting.blocked is not None
        assert waiting.blocked.circuit == "orders:80"
        assert queue.ask("stock", host="stock").granted, "other hosts are not concerned"

    run(story())


@pytest.mark.parametrize("seen", [FINE, Answered(503, {}, b""), NoAnswer("RequestTimeout", "no response")])
def test_a_host_that_answers_anything_or_takes_the_request_is_there(seen: Answered | NoAnswer) -> None:
    async def story() -> None:
        queue = Queue()
        queue.fail(4)
        queue.slots.give_back(queue.ask("reaches"), seen)
        queue.fail(4)
        assert list(queue.slots.open_circuits()) == []

    run(story())


@pytest.mark.parametrize("seen", [None, Denied("not allowed")])
def test_a_call_that_was_cut_or_denied_says_nothing_about_its_host(seen: Denied | None) -> None:
    async def story() -> None:
        queue = Queue()
        queue.fail(4)
        queue.slots.give_back(queue.ask("cut"), seen)
        queue.fail(1)
        assert list(queue.slots.open_circuits()) == ["orders:80"]

    run(story())


@pytest.mark.fault(
    "a host cannot be reached five times in a row",
    "Its circuit is open: one call at a time tries, at most every 5 s; what is due meanwhile waits for its back-off",
)
def test_while_it_is_open_one_call_at_a_time_tries_and_the_first_that_gets_through_opens_the_way_for_all() -> None:
    async def story() -> None:
        queue = Queue(per_host=10)
        queue.fail(5)
        tickets = [queue.ask(f"call-{number}") for number in range(3)]
        assert not any(ticket.granted for ticket in tickets)
        await pass_time(TRIAL_SECONDS + 0.1)
        assert [ticket.granted for ticket in tickets] == [True, False, False]
        await pass_time(60)
        assert [ticket.granted for ticket in tickets] == [True, False, False], "one at a time"
        queue.slots.give_back(tickets[0], REFUSED)
        await pass_time(TRIAL_SECONDS + 0.1)
        assert tickets[1].granted
        queue.slots.give_back(tickets[1], FINE)
        assert tickets[2].granted
        assert list(queue.slots.open_circuits()) == []

    run(story())


def test_what_a_person_asks_for_tries_at_once() -> None:
    async def story() -> None:
        queue = Queue()
        queue.fail(5)
        assert not queue.ask("by itself").granted
        assert queue.ask("retry", eager=True).granted
        assert not queue.ask("second retry", eager=True).granted, "still one at a time"

    run(story())


def test_a_trial_that_is_cut_lets_the_next_one_try() -> None:
    async def story() -> None:
        queue = Queue()
        queue.fail(5)
        trial, waiting = queue.ask("trial", eager=True), queue.ask("waiting")
        queue.slots.give_back(trial)
        await pass_time(TRIAL_SECONDS + 0.1)
        assert waiting.granted

    run(story())


def test_who_waits_for_a_circuit_has_waited_since_it_opened_at_the_earliest() -> None:
    async def story() -> tuple[datetime, datetime]:
        queue = Queue()
        queue.fail(4)
        last, waiting = queue.ask("last"), queue.ask("waiting")
        await pass_time(30)
        queue.slots.give_back(last, REFUSED)
        blocked = waiting.blocked
        assert blocked is not None
        return blocked.since, now()

    since, opened = run(story())
    assert opened - since < timedelta(seconds=1)
    assert since.tzinfo is UTC


def test_circuits_can_be_switched_off() -> None:
    async def story() -> None:
        queue = Queue(circuits=False)
        queue.fail(50)
        assert queue.ask("still granted").granted
        assert list(queue.slots.open_circuits()) == []

    run(story())


def test_what_lacks_room_for_its_response_is_served_when_there_is_some() -> None:
    class Memory:
        """Room for one."""

        taken = 0

        def try_reserve(self, _: str) -> bool:
            if self.taken:
                return False
            self.taken = 1
            return True

        def release(self, _: str) -> None:
            self.taken = 0

    async def story() -> list[str]:
        slots = Slots(now, per_host=10, memory=Memory())
        woken: list[str] = []
        first = slots.ask("shop", request("orders"), lambda: woken.append("first"))
        elsewhere = slots.ask("shop", request("stock"), lambda: woken.append("elsewhere"))
        assert first.granted
        assert not elsewhere.granted
        slots.give_back(first, FINE)
        return woken

    assert run(story()) == ["elsewhere"]


def test_a_url_that_will_not_be_called_gets_a_slot_so_that_the_caller_says_why() -> None:
    async def story() -> None:
        assert Queue().ask("odd", host="[").granted

    run(story())
