"""The shortest way through everything: two steps, from `kubectl apply` to Success. If this fails, look here first."""

import pytest
import yaml
from examples.order.services import Mode
from tests.controlplane import eventually
from tests.e2e.audit import RUNS, until_compared, writes
from tests.e2e.sagas import Sagas, run_of
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


def apply(shop: Shop, *documents: object) -> None:
    """What a person types."""
    shop.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents))


def made(shop: Shop) -> list[tuple[str, str]]:
    """Verb and resource of every write of the operator, those of definitions' statuses aside."""
    told = [(each["verb"], each["objectRef"]["resource"]) for each in writes(shop)]
    return [each for each in told if each[1] not in ("workflows", "steps")]


def test_from_apply_to_success(shop: Shop, sagas: Sagas) -> None:
    until_compared(shop)
    apply(shop, sagas.chain("order", "Stock.Reserve", "Payments.Charge"), run_of("order", "run"))

    shop.kubectl("wait", "--for=condition=Succeeded", "--timeout=30s", f"{RUNS}/run")

    assert [(call.step, call.operation) for call in shop.calls("run")] == [("a", "do"), ("b", "do")]
    eventually(lambda: len(made(shop)) >= 4, within=10, what="four writes in the audit log")
    assert made(shop) == [("create", "controllerrevisions")] + [("update", RUNS)] * 3


def test_killed_in_the_middle(shop: Shop, sagas: Sagas) -> None:
    shop.behave("Payments.Charge", Mode.HOLD)
    apply(shop, sagas.chain("order", "Stock.Reserve", "Payments.Charge"), run_of("order", "run"))
    shop.until_called("run", "b")
    shop.operator.kill()
    shop.works_again("Payments.Charge")

    shop.operator.start()

    assert shop.until_ended("run")["phase"] == "Success"
    assert [(call.step, call.attempt) for call in shop.calls("run")] == [("a", 1), ("b", 1), ("b", 1)]
    assert len({call.key for call in shop.calls("run")}) == 2
