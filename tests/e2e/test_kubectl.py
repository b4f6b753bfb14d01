"""What a user types: explain, get, wait, annotate, describe, events."""

import pytest
from examples.order.services import Mode
from tests.controlplane import eventually
from tests.e2e.sagas import Sagas
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


EXPLAINED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("fwf.spec.steps.retry", ("How often, and how soon, the call is tried again", "limit", "backoff")),
    ("fwf.spec.steps", ("-required-", "stepRef", "fallback", "requires", "acceptSkipped")),
    ("fwf.spec.steps.endpoint.service", ("Name of a Service in the run's namespace",)),
    ("fstep.spec.compensate", ("How the step is undone", "endpoint")),
    ("fwx.spec.input", ("rawBody", "numbers that must keep their text")),
    ("fwx.spec.suspend", ("True holds the run",)),
    ("fwx.status", ("compensation", "lastCommand", "progress", "Every step, in the order of the definition")),
    ("fwx.status.compensation.plan", ("The undo calls in one valid order",)),
)


def test_explain(bare_shop: Shop) -> None:
    bare_shop.kubectl("get", "fwf")  # explain alone does not look for kinds that are newer than what kubectl remembers
    for path, words in EXPLAINED:
        text = " ".join(bare_shop.kubectl("explain", path).split())
        assert "<empty>" not in text, path
        assert [word for word in words if word not in text] == [], path


def columns(shop: Shop, *arguments: str) -> list[dict[str, str]]:
    """The table of `kubectl get`, a dictionary per line."""
    lines = shop.kubectl("get", *arguments).splitlines()
    starts = [0, *(n for n in range(1, len(lines[0])) if lines[0][n] != " " and lines[0][n - 2 : n] == "  ")]
    spans = list(zip(starts, [*starts[1:], None], strict=True))
    heads = [lines[0][start:end].strip() for start, end in spans]
    return [dict(zip(heads, (line[a:b].strip() for a, b in spans), strict=True)) for line in lines[1:] if line]


def test_get(shop: Shop) -> None:
    shop.define_order()
    shop.behave("Payments.Charge", Mode.DECLINE)
    order = shop.place_order(1002)
    shop.until_ended(order)

    (workflow,) = columns(shop, "fwf")
    assert (workflow["NAME"], workflow["READY"]) == ("order", "True")
    assert [(step["NAME"], step["READY"]) for step in columns(shop, "fstep")] == [
        ("charge-card", "True"),
        ("reserve-stock", "True"),
    ]
    (run,) = columns(shop, "fwx", "-o", "wide")
    assert run["NAME"] == order
    assert run["WORKFLOW"] == "order"
    assert (run["PHASE"], run["COMPENSATION"], run["REASON"]) == ("Failure", "Success", "FailWhen")
    assert run["STEPS"] == shop.status(order)["progress"]
    assert run["REVISION"] == shop.status(order)["revision"]
    assert run["DURATION"] == shop.status(order)["duration"]
    assert columns(shop, "fwx", "--field-selector", "status.phase=Failure,spec.workflowRef.name=order")
    assert shop.kubectl("get", "fwx", "--field-selector", "status.phase=Success", "-o", "name") == ""
    everything = shop.kubectl("get", "flow", "-o", "name").split()
    assert {name.partition("/")[0] for name in everything} == {
        f"{kind}.flow.unistack.org" for kind in ("step", "workflow", "workflowexecution")
    }


def test_wait_and_annotate(shop: Shop, sagas: Sagas) -> None:
    shop.create(sagas.chain("order", "Stock.Reserve", "Courier.Ship"))
    shop.kubectl("wait", "fwf/order", "--for=condition=Ready", "--timeout=20s")
    shop.behave("Stock.Reserve", Mode.HOLD)
    shop.start("order")
    shop.until_called("run", "a")

    shop.kubectl("annotate", "fwx", "run", "flow.unistack.org/command=suspend")
    shop.kubectl("wait", "fwx/run", "--for=condition=Suspended", "--timeout=20s")
    shop.works_again("Stock.Reserve")
    eventually(lambda: not shop.annotations("run"), within=20, what="the annotation taken off")
    shop.kubectl("annotate", "fwx", "run", "flow.unistack.org/command=resume")

    shop.kubectl("wait", "--for=condition=Ended", "fwx/run", "--timeout=20s")
    shop.kubectl("wait", "--for=condition=Succeeded", "fwx/run", "--timeout=20s")
    shop.kubectl("wait", "--for=jsonpath={.status.phase}=Success", "fwx/run", "--timeout=20s")
    assert "CommandAccepted" in shop.kubectl("events", "--for", "fwx/run")


def test_describe_shows_what_happened_and_what_a_person_can_do(shop: Shop, sagas: Sagas) -> None:
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.behave("Courier.Ship", Mode.DECLINE)
    shop.behave("Payments.Refund", Mode.UNAVAILABLE)
    shop.start("order")
    shop.until_phase("run", "Suspend")
    eventually(lambda: len(shop.events("run")) >= 2, within=10, what="two events")

    text = shop.kubectl("describe", "fwx", "run")

    for word in ("RunFailed", "CompensationParked", "Warning", "Retries Exhausted"):
        assert word.replace(" ", "") in text


def test_events_are_for_what_a_person_must_see(shop: Shop, sagas: Sagas) -> None:
    """None while all goes well; a failure, a parked undo and each command once."""
    shop.define(sagas.chain("order", "Stock.Reserve", "Payments.Charge", "Courier.Ship"))
    shop.start("order", "fine")
    shop.until_ended("fine")
    shop.behave("Courier.Ship", Mode.DECLINE)
    shop.behave("Payments.Refund", Mode.UNAVAILABLE)
    shop.start("order")
    shop.until_phase("run", "Suspend")
    eventually(lambda: len(shop.events("run")) >= 2, within=10, what="two events")
    shop.operator.crash()
    shop.works_again("Payments.Refund")
    shop.obey("run", "retry")
    shop.until_ended("run")
    shop.obey("run", "explode")
    eventually(lambda: len(shop.events("run")) >= 4, within=10, what="four events")

    assert shop.events("fine") == []
    assert [(kind, reason) for kind, reason, _ in shop.events("run")] == [
        ("Warning", "RunFailed"),
        ("Warning", "CompensationParked"),
        ("Normal", "CommandAccepted"),
        ("Normal", "CommandRejected"),
    ]


def test_conditions_mean_what_kstatus_means(shop: Shop, sagas: Sagas) -> None:
    shop.define(sagas.chain("order", "Stock.Reserve"))
    shop.behave("Stock.Reserve", Mode.DECLINE)
    shop.start("order")

    status = shop.until_ended("run")

    told = {each["type"]: each["status"] for each in status["conditions"]}
    assert told == {"Ended": "True", "Succeeded": "False", "Reconciling": "False", "Stalled": "True"}
    assert {each["observedGeneration"] for each in status["conditions"]} == {1}
