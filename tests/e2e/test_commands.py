"""Verbs by annotation: acted upon once, answered always, and taken off."""

from functools import partial
from typing import Any

import pytest
from examples.order.services import Mode
from tests.controlplane import eventually
from tests.e2e.audit import RUNS, writes
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


@pytest.fixture
def halfway(shop: Shop, sagas: Sagas) -> Shop:
    """A run whose second step is in flight."""
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.behave("Payments.Charge", Mode.HOLD)
    shop.start("order")
    shop.until_called("run", "b")
    return shop


def goes_on(shop: Shop) -> bool:
    """Whether the run ends in Success when its service answers."""
    shop.works_again("Payments.Charge")
    return bool(shop.until_ended("run")["phase"] == "Success")


IMPOSSIBLE: tuple[tuple[str, Any, str], ...] = (
    ("explode", None, "unknown verb 'explode': use one of suspend, resume, abort"),
    ("Suspend", None, "unknown verb 'Suspend'"),
    ("", None, "unknown verb ''"),
    ("abort", "{not json", "command-args is not a JSON object"),
    ("abort", "[]", "command-args is not a JSON object"),
    ("abort", "[" * 5000, "command-args is not a JSON object"),
    ("abort", {"compensate": "yes"}, "arguments of abort: compensate"),
    ("abort", {"compensat": True}, "arguments of abort: compensat"),
    ("skip", {"step": "b"}, "arguments of skip: reason"),
    ("skip", {"step": "b", "reason": "by hand"}, "b is not suspended or parked"),
    ("skip", {"step": "zzz", "reason": "by hand"}, "zzz is not suspended or parked"),
    ("retry", None, "no step waits for a person"),
    ("resume", None, "the run is not suspended"),
)
"""Verb, arguments, and what the answer says."""


def is_posted(shop: Shop, event: tuple[str, str, str]) -> bool:
    """Whether the run has this event."""
    return event in shop.events("run")


def test_what_is_not_possible_is_rejected_and_says_why(halfway: Shop) -> None:
    for verb, args, why in IMPOSSIBLE:
        answer = halfway.obey("run", verb, args)
        assert (answer["result"], answer["verb"]) == ("Rejected", verb)
        assert why in answer["message"]
        event = ("Normal", "CommandRejected", f"{verb}: {answer['message']}")
        eventually(partial(is_posted, halfway, event), within=10, what=f"the event {event}")

    assert goes_on(halfway)


def test_the_same_id_acts_once(halfway: Shop) -> None:
    """A client that does not know whether its write arrived writes it again, also after the operator has crashed."""
    assert halfway.obey("run", "suspend", id="first")["result"] == "Accepted"
    assert halfway.obey("run", "resume", id="second")["result"] == "Accepted"
    eventually(lambda: len(halfway.events("run")) == 2, within=10, what="two events")
    halfway.operator.kill()
    halfway.command("run", "resume", id="second")

    halfway.operator.start()

    halfway.until("run", lambda _: not halfway.annotations("run"), "the annotations taken off")
    assert halfway.status("run")["lastCommand"]["result"] == "Accepted"
    assert [reason for _, reason, _ in halfway.events("run")] == ["CommandAccepted", "CommandAccepted"]
    assert goes_on(halfway)


def test_the_same_verb_again_without_an_id_is_another_command(halfway: Shop) -> None:
    assert halfway.obey("run", "suspend")["result"] == "Accepted"
    assert halfway.obey("run", "resume", id="resumed")["result"] == "Accepted"
    halfway.obey("run", "suspend", id="again")
    assert halfway.status("run")["phase"] == "Suspend"
    halfway.obey("run", "resume")
    assert goes_on(halfway)


def test_of_two_commands_set_before_either_was_read_the_later_counts(halfway: Shop) -> None:
    halfway.operator.kill()
    halfway.command("run", "abort")
    halfway.command("run", "suspend")

    halfway.operator.start()

    status = halfway.until_phase("run", "Suspend")
    assert status["lastCommand"]["verb"] == "suspend"
    halfway.obey("run", "resume")
    assert goes_on(halfway)


def test_two_commands_one_right_after_the_other(halfway: Shop) -> None:
    halfway.command("run", "suspend", id="one")
    halfway.command("run", "abort", id="two")

    halfway.until("run", lambda status: status.get("lastCommand", {}).get("id") == "two", "the second answered")
    halfway.works_again("Payments.Charge")

    assert halfway.until_ended("run")["phase"] == "Aborted"
    halfway.until("run", lambda _: not halfway.annotations("run"), "the annotations taken off")


def test_a_run_that_has_ended_rejects_everything_and_stays_as_it_is(halfway: Shop) -> None:
    assert goes_on(halfway)
    before = halfway.status("run")

    for verb in ("suspend", "resume", "abort", "retry"):
        answer = halfway.obey("run", verb)
        assert (answer["result"], "ended" in answer["message"]) == ("Rejected", True)

    after = halfway.status("run")
    assert {**before, "lastCommand": None} == {**after, "lastCommand": None}


def test_the_answer_names_who_gave_the_command(halfway: Shop) -> None:
    halfway.kubectl("annotate", "fwx", "run", "flow.unistack.org/command=suspend", "--field-manager=ada")

    status = halfway.until_phase("run", "Suspend")

    assert status["lastCommand"]["by"] == "ada"
    assert "ada" in status["message"]
    halfway.obey("run", "resume")
    assert goes_on(halfway)


def test_a_command_costs_a_write_of_the_status_one_of_the_annotations_and_an_event(halfway: Shop) -> None:
    before = len(writes(halfway))

    halfway.obey("run", "suspend")

    def made() -> list[tuple[str, str]]:
        return [(each["verb"], each["objectRef"]["resource"]) for each in writes(halfway)[before:]]

    eventually(lambda: len(made()) >= 3, within=10, what="three writes")
    assert sorted(made()) == [("create", "events"), ("patch", RUNS), ("update", RUNS)]
    halfway.obey("run", "resume")
    assert goes_on(halfway)
