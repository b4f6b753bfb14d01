"""The history checker finds what it is there to find: each rule, broken once, is named; a clean history is clean."""

from dataclasses import replace
from datetime import timedelta

import pytest
from examples.order.services import Did
from tests.e2e.forgery import UID, Forgery, ended, undone
from tests.e2e.history import RULES, violations

STEPS = (
    {"id": "reserve", "compensate": {}},
    {"id": "charge", "requires": ["reserve"], "compensate": {}},
    {"id": "ship", "requires": ["charge"], "fallback": "post", "compensate": {}},
    {"id": "post", "compensate": {}},
)


@pytest.fixture
def story() -> Forgery:
    """A history that has just begun, with the graph of `STEPS`."""
    return Forgery(STEPS)


def broken(story: Forgery) -> set[str]:
    """The rules that a history violates."""
    return {violation.split(": ")[1] for violation in violations(story.run)}


def does(story: Forgery, step: str, then: str | None = None) -> None:
    """A step is called and succeeds; the write that stores it records the first attempt of the next."""
    story.call(step)
    story.write({step: ended(), **({then: story.running(then)} if then else {})})


def charged(story: Forgery) -> None:
    """`reserve` and `charge` are done, `ship` is in flight."""
    story.write({"reserve": story.running("reserve")})
    does(story, "reserve", "charge")
    does(story, "charge", "ship")


def declined(story: Forgery) -> None:
    """`ship` and `post` fail without effect; nothing is undone yet."""
    charged(story)
    story.call("ship", did=Did.DECLINED, code=422)
    story.write({"ship": ended("Failure", "None", fallback="post"), "post": story.running("post")})
    story.call("post", did=Did.DECLINED, code=422)
    story.write(
        {"post": ended("Failure", "None"), "charge": story.running("charge", "undo")},
        phase="Failure",
        compensation={"phase": "Running", "trigger": "Failure"},
    )


def undoes_all(story: Forgery) -> None:
    """`charge`, then `reserve` is undone, and the run ends."""
    story.call("charge", "undo")
    story.write({"charge": undone(), "reserve": story.running("reserve", "undo")})
    story.call("reserve", "undo")
    story.write({"reserve": undone()}, compensation={"phase": "Success"}, completionTime="t")


def test_a_clean_success(story: Forgery) -> None:
    charged(story)
    story.call("ship")
    story.write(
        {"ship": ended(), "post": {"phase": "Skipped"}},
        phase="Success",
        compensation={"phase": "NotNeeded"},
        completionTime="t",
    )

    assert not broken(story)


def test_a_clean_undo(story: Forgery) -> None:
    declined(story)
    undoes_all(story)

    assert not broken(story)


def test_a_clean_repetition_of_a_lost_attempt(story: Forgery) -> None:
    charged(story)
    story.call("ship")
    story.write({"ship": story.running("ship", effect="Unknown")})
    story.call("ship", did=Did.REPLAYED)

    assert not broken(story)


def test_an_owner_may_be_undone_before_its_fallback_and_its_followers_after_it(story: Forgery) -> None:
    charged(story)
    story.call("ship", code=500)
    story.write({"ship": {**ended("Failure", "Unknown"), **story.running("ship", "undo")}})
    story.call("ship", "undo")
    story.write({"ship": {**undone(), "fallback": "post"}, "post": story.running("post")})

    assert not broken(story)


def test_a_call_that_no_write_recorded(story: Forgery) -> None:
    story.write()
    story.call("reserve")

    assert broken(story) == {"recorded_first", "sent_once"}


def test_a_call_that_was_sent_before_its_write(story: Forgery) -> None:
    story.call("reserve")
    story.write({"reserve": story.running("reserve")})

    assert broken(story) == {"recorded_first"}


def test_a_call_with_another_number_than_recorded(story: Forgery) -> None:
    story.write({"reserve": story.running("reserve", attempt=1)})
    story.call("reserve", attempt=2)

    assert "recorded_first" in broken(story)


def test_a_write_that_a_killed_api_server_did_not_log_may_have_recorded_the_call(story: Forgery) -> None:
    story.write()
    story.call("reserve")
    story.write({"reserve": {**story.running("reserve"), **ended()}})
    story.writes[-1] = replace(story.writes[-1], after_gap=True)

    assert not broken(story)


def test_an_attempt_that_was_sent_twice(story: Forgery) -> None:
    story.write({"reserve": story.running("reserve")})
    story.call("reserve")
    story.call("reserve", did=Did.REPLAYED)

    assert broken(story) == {"sent_once"}


def test_two_keys_for_one_step(story: Forgery) -> None:
    story.write({"reserve": story.running("reserve", idempotencyKey="other")})
    story.call("reserve", key="other", did=Did.REPLAYED)

    assert broken(story) == {"one_key"}


def test_two_bodies_under_one_key(story: Forgery) -> None:
    story.write({"reserve": story.running("reserve")})
    story.call("reserve", did=Did.FAILED)
    story.write({"reserve": story.running("reserve", attempt=2)})
    story.call("reserve", attempt=2, digest="another body")

    assert broken(story) == {"same_bytes"}


def test_two_effects_of_one_step(story: Forgery) -> None:
    story.write({"reserve": story.running("reserve")})
    story.call("reserve")
    story.write({"reserve": story.running("reserve", attempt=2)})
    story.call("reserve", attempt=2)

    assert broken(story) == {"one_effect"}


def test_a_second_effect_that_a_person_allowed_by_a_new_key(story: Forgery) -> None:
    key = f"{UID}/reserve/do/1"
    story.write({"reserve": story.running("reserve")})
    story.call("reserve")
    story.write({"reserve": story.running("reserve", generation=1, idempotencyKey=key)})
    story.call("reserve", key=key)

    assert not broken(story)


def test_an_effect_that_the_status_denies(story: Forgery) -> None:
    story.write({"reserve": story.running("reserve")})
    story.call("reserve")
    story.write({"reserve": ended("Failure", "None")})

    assert broken(story) == {"honest_effect"}


def test_a_step_that_began_before_its_parent_was_stored_as_done(story: Forgery) -> None:
    story.write({"reserve": story.running("reserve"), "charge": story.running("charge")})

    assert broken(story) == {"parents_first"}


def test_a_step_that_was_called_before_its_parent(story: Forgery) -> None:
    charged(story)
    reserve, charge = story.calls
    story.calls[:] = [replace(charge, step="reserve", key=reserve.key), replace(reserve, step="charge", key=charge.key)]
    story.calls.sort(key=lambda call: call.time)

    assert "parents_first" in broken(story)


def test_a_fallback_that_began_before_its_owner_was_undone(story: Forgery) -> None:
    charged(story)
    story.write({"ship": ended("Failure", "Unknown", fallback="post"), "post": story.running("post")})

    assert broken(story) == {"parents_first"}


def test_an_undo_that_began_before_that_of_a_follower(story: Forgery) -> None:
    declined(story)
    story.write({"reserve": story.running("reserve", "undo")})

    assert broken(story) == {"children_undone_first"}


def test_an_undo_that_was_called_before_that_of_a_follower(story: Forgery) -> None:
    declined(story)
    undoes_all(story)
    story.calls.append(
        replace(story.calls[-2], time=story.calls[-1].time.replace("00:00:", "00:01:"), did=Did.REPLAYED)
    )

    assert "children_undone_first" in broken(story)


def test_an_undo_while_something_was_in_flight(story: Forgery) -> None:
    charged(story)
    story.write(phase="Aborted", compensation={"phase": "Running", "trigger": "Aborted"})

    assert broken(story) == {"still_before_undo"}


def test_an_undo_of_what_had_no_effect(story: Forgery) -> None:
    declined(story)
    story.write({"ship": story.running("ship", "undo")})

    assert broken(story) == {"undone_exactly"}


def test_an_effect_that_was_left_over(story: Forgery) -> None:
    declined(story)
    story.call("charge", "undo")
    story.write({"charge": undone()}, compensation={"phase": "Success"}, completionTime="t")

    assert broken(story) == {"undone_exactly"}


def test_an_undo_that_only_the_status_knows_of(story: Forgery) -> None:
    declined(story)
    undoes_all(story)
    story.calls.pop()

    assert broken(story) == {"undone_exactly"}


def test_an_undo_that_a_person_has_done_by_hand(story: Forgery) -> None:
    declined(story)
    story.call("charge", "undo", did=Did.FAILED, code=503, undoes=None)
    story.write({"charge": {"compensation": ended(reason="SkippedByCommand")}})
    story.write({"reserve": story.running("reserve", "undo")})
    story.call("reserve", "undo")
    story.write({"reserve": undone()}, compensation={"phase": "Success"}, completionTime="t")

    assert not broken(story)


def test_an_undo_in_a_run_that_needed_none(story: Forgery) -> None:
    charged(story)
    story.write({"charge": story.running("charge", "undo")})
    story.call("charge", "undo")
    story.call("ship")
    story.write(
        {"charge": undone(), "ship": ended()}, phase="Success", compensation={"phase": "NotNeeded"}, completionTime="t"
    )

    assert broken(story) == {"undone_exactly"}


def test_an_undo_that_was_called_again_after_it_had_succeeded(story: Forgery) -> None:
    declined(story)
    story.call("charge", "undo")
    story.write({"charge": undone()})
    story.write({"charge": story.running("charge", "undo", attempt=2)})
    story.call("charge", "undo", attempt=2, did=Did.REPLAYED)

    assert broken(story) == {"undone_once"}


def test_a_step_that_began_after_the_abort(story: Forgery) -> None:
    charged(story)
    story.write({"ship": ended("Aborted", "Unknown")}, phase="Aborted", compensation={"phase": "NotNeeded"})
    story.write({"post": story.running("post")})

    assert "nothing_forward" in broken(story)


def test_a_lost_attempt_that_was_repeated_after_the_abort(story: Forgery) -> None:
    charged(story)
    story.write(phase="Aborted", compensation={"phase": "Pending", "trigger": "Aborted"})
    story.write({"ship": story.running("ship")})

    assert broken(story) == {"nothing_forward"}


def test_an_attempt_that_began_while_the_run_was_suspended(story: Forgery) -> None:
    suspended = {"type": "Suspended", "status": "True", "reason": "SuspendedByCommand"}
    story.write(phase="Suspend", conditions=[suspended])
    story.write({"reserve": story.running("reserve")})

    assert broken(story) == {"frozen"}


def test_a_run_that_waits_for_a_person_goes_on_elsewhere(story: Forgery) -> None:
    suspended = {"type": "Suspended", "status": "True", "reason": "CompensationParked"}
    story.write(phase="Suspend", conditions=[suspended])
    story.write({"reserve": story.running("reserve")})

    assert not broken(story)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"attempts": 2}, {"attempts": 1}),
        ({"effect": "Unknown"}, {"effect": "None"}),
        ({"generation": 1}, {"generation": 0}),
    ],
)
def test_what_can_only_grow_went_back(
    story: Forgery, before: dict[str, int | str], after: dict[str, int | str]
) -> None:
    story.write({"reserve": before})
    story.write({"reserve": after})

    assert broken(story) == {"counted"}


def test_a_run_whose_revision_changed(story: Forgery) -> None:
    story.write()
    story.write(revision="order-2")

    assert broken(story) == {"pinned"}


def test_a_change_after_the_end(story: Forgery) -> None:
    declined(story)
    undoes_all(story)
    story.write(phase="Success")

    assert broken(story) == {"final"}


def test_a_rejected_command_after_the_end_is_no_change_of_what_happened(story: Forgery) -> None:
    declined(story)
    undoes_all(story)
    story.write(lastCommand={"result": "Rejected"})

    assert not broken(story)


def test_a_call_after_the_end(story: Forgery) -> None:
    charged(story)
    story.write({"ship": ended()}, phase="Success", compensation={"phase": "NotNeeded"}, completionTime="t")
    story.call("ship")

    assert broken(story) == {"final"}


def test_time_is_compared_with_when_a_write_was_received(story: Forgery) -> None:
    story.write({"reserve": story.running("reserve")})
    story.call("reserve")
    story.writes[0] = replace(story.writes[0], time=story.writes[0].time + timedelta(seconds=2))

    assert broken(story) == {"recorded_first"}


def test_every_rule_says_what_it_wants() -> None:
    assert all(rule.__doc__ for rule in RULES)
