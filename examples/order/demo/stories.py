"""The seven stories: what happens in each, and how each must end."""

from collections.abc import Callable
from dataclasses import dataclass

from examples.order.demo.checks import Expected
from examples.order.demo.stage import Stage, StoryError
from examples.order.services import Behaviour, Mode


@dataclass(frozen=True, slots=True)
class Story:
    """One order, told and checked."""

    order: str
    title: str
    tell: Callable[[Stage, str], None]
    expected: Expected


def _succeeds(stage: Stage, order: str) -> None:
    hiccup = Behaviour(Mode.UNAVAILABLE, times=2)
    stage.behave("Mail.Send", hiccup, "The mail server will answer 503 twice; its step is retried.")
    stage.place(order)
    stage.watch(order)


def _is_declined(stage: Stage, order: str) -> None:
    stage.behave("Payments.Charge", Behaviour(Mode.DECLINE), "The bank declines the card.")
    stage.place(order)
    stage.watch(order)


def _may_be_charged(stage: Stage, order: str) -> None:
    late = Behaviour(Mode.LATE)
    stage.behave("Payments.Charge", late, "The payment service charges the card, but responds too late.")
    stage.place(order)
    stage.watch(order)


def _is_saved(stage: Stage, order: str) -> None:
    stage.screen.note("The courier's service is down: connections to it are refused.")
    stage.world.services["courier"].stop()
    stage.place(order)
    stage.watch(order)


def _survives_a_crash(stage: Stage, order: str) -> None:
    operator = stage.world.operator
    stage.behave("Courier.Ship", Behaviour(Mode.HOLD), "The courier takes the parcel, but does not respond yet.")
    stage.place(order)
    stage.wait_for_call(order, "ship")
    stage.wait_for_step(order, "invoice")
    stage.look(order)
    stage.run(f"kubectl annotate fwx {order} flow.unistack.org/command=suspend")
    stage.run(f"kubectl wait fwx/{order} --for=condition=Suspended --timeout=20s")
    stage.wait_for_answer(order)
    stage.screen.note("The operator is killed before the courier responds.")
    stage.screen.command(["kill", "-KILL", str(operator.pid)])
    operator.kill()
    stage.works_again("Courier.Ship", "The courier responds while no operator is running.")
    before = len(stage.calls(order))
    stage.screen.command(["flow-operator"])
    operator.start()
    stage.look(order)
    if len(stage.calls(order)) != before:
        raise StoryError("something was called although the run was suspended")
    stage.screen.note("Suspended, so nothing was called. Once resumed, it calls the courier again, under the same key.")
    stage.run(f"kubectl annotate fwx {order} flow.unistack.org/command=resume")
    stage.watch(order)


def _is_aborted(stage: Stage, order: str) -> None:
    stage.behave("Courier.Ship", Behaviour(Mode.HOLD), "The courier is at the door.")
    stage.place(order)
    stage.wait_for_call(order, "ship")
    stage.look(order)
    stage.screen.note("The customer changes their mind.")
    stage.run(f"kubectl annotate fwx {order} flow.unistack.org/command=abort")
    stage.run(f"kubectl wait fwx/{order} --for=jsonpath={{.status.phase}}=Aborted --timeout=20s")
    stage.works_again("Courier.Ship", "The call in flight is waited for: only then is it known what must be undone.")
    stage.watch(order)


def _is_parked(stage: Stage, order: str) -> None:
    stage.behave("Courier.Ship", Behaviour(Mode.DECLINE), "The courier does not deliver there.")
    stage.behave("Post.Send", Behaviour(Mode.DECLINE), "Nor does the post.")
    stage.behave("Payments.Refund", Behaviour(Mode.UNAVAILABLE), "And refunds do not work today.")
    stage.place(order)
    stage.run(f"kubectl wait fwx/{order} --for=jsonpath={{.status.phase}}=Suspend --timeout=30s")
    stage.look(order)
    stage.screen.note("The refund is parked. The stock stays reserved: it was reserved first, so it is released last.")
    stage.works_again("Payments.Refund", "The payment service is repaired, and the undo is retried by a command.")
    stage.run(f"kubectl flow retry {order}")
    stage.watch(order)


_BEFORE_SHIPPING = dict.fromkeys(("reserve", "fraud", "wrap", "charge", "invoice"), "applied")

STORIES = (
    Story(
        "order-1001",
        "An order that succeeds",
        _succeeds,
        Expected(
            phase="Success",
            compensation="NotNeeded",
            done=_BEFORE_SHIPPING | {"ship": "applied", "notify": "failed, failed, applied"},
            undone={},
            steps={"post": "Skipped/None", "notify": "Success/Applied"},
        ),
    ),
    Story(
        "order-1002",
        "An order whose card is declined: undone in reverse order",
        _is_declined,
        Expected(
            phase="Failure",
            compensation="Success",
            done={"reserve": "applied", "fraud": "applied", "wrap": "applied", "charge": "declined"},
            undone={"wrap": "applied", "reserve": "applied"},
            steps={"charge": "Failure/None", "ship": "Pending/None"},
        ),
    ),
    Story(
        "order-1003",
        "An order that may have been charged, so it is refunded",
        _may_be_charged,
        Expected(
            phase="Failure",
            compensation="Success",
            done={"reserve": "applied", "fraud": "applied", "wrap": "applied", "charge": "applied, replayed"},
            undone={"charge": "applied", "wrap": "applied", "reserve": "applied"},
            steps={"charge": "Failure/Unknown"},
        ),
    ),
    Story(
        "order-1004",
        "An order saved by its fallback",
        _is_saved,
        Expected(
            phase="Success",
            compensation="NotNeeded",
            done=dict.fromkeys(("reserve", "fraud", "charge", "invoice", "post", "notify"), "applied"),
            undone={},
            steps={"wrap": "Skipped/None", "ship": "Failure/None", "post": "Success/Applied"},
        ),
    ),
    Story(
        "order-1005",
        "An order that is suspended, survives the death of the operator, and is resumed",
        _survives_a_crash,
        Expected(
            phase="Success",
            compensation="NotNeeded",
            done=_BEFORE_SHIPPING | {"ship": "applied, replayed", "notify": "applied"},
            undone={},
            steps={"ship": "Success/Applied"},
        ),
    ),
    Story(
        "order-1006",
        "An order that is aborted and undone",
        _is_aborted,
        Expected(
            phase="Aborted",
            compensation="Success",
            done=_BEFORE_SHIPPING | {"ship": "applied"},
            undone=dict.fromkeys(("reserve", "wrap", "charge", "invoice", "ship"), "applied"),
            steps={"ship": "Success/Applied", "notify": "Pending/None"},
        ),
    ),
    Story(
        "order-1007",
        "An order whose refund is parked, and retried by a command",
        _is_parked,
        Expected(
            phase="Failure",
            compensation="Success",
            done=_BEFORE_SHIPPING | {"ship": "declined", "post": "declined"},
            undone={
                "reserve": "applied",
                "wrap": "applied",
                "charge": "failed, failed, failed, applied",
                "invoice": "applied",
            },
            steps={"ship": "Failure/None", "post": "Failure/None"},
        ),
    ),
)
