"""The services of the order saga: one effect per key, an honest journal, and every way to misbehave."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from examples.order.services import SERVICES, Behaviour, Did, Entry, Mode, OrderServices, PortTakenError, Sent
from examples.order.services.journal import Journal, JournalReader
from examples.order.services.process import ServiceProcess

CHARGE, REFUND, RESERVE = "Payments.Charge", "Payments.Refund", "Stock.Reserve"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrderServices]:
    with OrderServices(tmp_path_factory.mktemp("journals")) as services:
        yield services


@pytest.fixture
def services(running: OrderServices) -> OrderServices:
    running.work()
    return running


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """A key that no other test uses."""
    return f"{request.node.name}/do/0"


def call(
    services: OrderServices, method: str, key: str, body: Any = None, *, execution: str = "", timeout: float = 5
) -> tuple[int, Any]:
    """Call a method as the operator would; code and body of the answer."""
    owner = next(name for name, service in SERVICES.items() if method in service.methods)
    header = {"Idempotency-Key": key, "X-Flow-Execution": execution, "X-Flow-Attempt": "1", "X-Flow-Operation": "do"}
    url = f"http://127.0.0.1:{services[owner].port}/{method}"
    request = urllib.request.Request(url, json.dumps(body).encode(), header, method="POST")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=timeout) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def did(services: OrderServices, key: str) -> list[Did]:
    return [entry.did for entry in services.entries() if entry.key == key]


def test_a_call_has_its_effect_and_is_in_the_journal_with_all_that_matters(services: OrderServices, key: str) -> None:
    code, answer = call(services, CHARGE, key, {"amount": 42}, execution="shop/order-1")
    assert code == 200
    assert answer["state"] == "charged"
    (entry,) = services.entries("shop/order-1")
    assert (entry.service, entry.method, entry.key, entry.attempt) == ("payments", CHARGE, key, 1)
    assert (entry.did, entry.sent, entry.code, entry.answer) == (Did.APPLIED, Sent.AT_ONCE, 200, answer)
    assert entry.operation == "do"
    assert len(entry.digest) == 64


def test_the_same_key_gets_the_same_answer_and_one_effect(services: OrderServices, key: str) -> None:
    first = call(services, CHARGE, key, {"amount": 42})
    assert call(services, CHARGE, key, {"amount": 42}) == first
    assert did(services, key) == [Did.APPLIED, Did.REPLAYED]


def test_the_same_key_with_another_body_is_refused(services: OrderServices, key: str) -> None:
    call(services, CHARGE, key, {"amount": 42})
    assert call(services, CHARGE, key, {"amount": 43})[0] == 422
    assert did(services, key) == [Did.APPLIED, Did.MISMATCH]


def test_two_keys_make_two_things(services: OrderServices, key: str) -> None:
    assert call(services, CHARGE, key)[1]["payment"] != call(services, CHARGE, key + "1")[1]["payment"]


def test_a_restarted_service_knows_its_keys(services: OrderServices, key: str) -> None:
    first = call(services, CHARGE, key)
    services["payments"].kill()
    services["payments"].start()
    assert call(services, CHARGE, key) == first
    assert did(services, key) == [Did.APPLIED, Did.REPLAYED]


@pytest.mark.parametrize("named", ["by the answer", "by the key"])
def test_an_undo_finds_what_it_undoes(services: OrderServices, key: str, named: str) -> None:
    payment = call(services, CHARGE, key)[1]["payment"]
    body = {"payment": payment, "key": None} if named == "by the answer" else {"payment": None, "key": key}
    undo = key.replace("/do/", "/undo/")
    assert call(services, REFUND, undo, body) == (200, {"payment": payment, "state": "refunded"})
    assert services.wait_for(lambda entry: entry.key == undo).undoes == key
    assert call(services, REFUND, undo + "1", body)[0] == 410


def test_an_undo_of_what_never_came_forbids_it(services: OrderServices, key: str) -> None:
    assert call(services, REFUND, key + "/undo", {"key": key})[0] == 404
    assert call(services, CHARGE, key)[0] == 410
    assert did(services, key) == [Did.NOTHING]


def test_an_undo_without_a_name_finds_nothing(services: OrderServices, key: str) -> None:
    assert call(services, REFUND, key, {"payment": None})[0] == 404
    assert call(services, REFUND, key + "1", None)[0] == 404


@pytest.mark.parametrize(("method", "code"), [(CHARGE, 200), (RESERVE, 422)])
def test_a_refusal_has_no_effect_and_stays_one(services: OrderServices, key: str, method: str, code: int) -> None:
    services.behave(method, Behaviour(Mode.DECLINE, times=1))
    refused = call(services, method, key)
    assert refused == (code, {"state": "declined"})
    assert call(services, method, key) == refused
    assert did(services, key) == [Did.DECLINED, Did.REPLAYED]


def test_a_refusal_to_undo_is_not_final(services: OrderServices, key: str) -> None:
    call(services, CHARGE, key)
    services.behave(REFUND, Behaviour(Mode.DECLINE))
    assert call(services, REFUND, key + "/undo", {"key": key})[0] == 422
    services.work()
    assert call(services, REFUND, key + "/undo", {"key": key})[0] == 200


def test_a_service_can_fail_twice_and_then_work(services: OrderServices, key: str) -> None:
    services.behave(CHARGE, Behaviour(Mode.UNAVAILABLE, times=2))
    assert [call(services, CHARGE, key)[0] for _ in range(3)] == [503, 503, 200]
    assert did(services, key) == [Did.FAILED, Did.FAILED, Did.APPLIED]


@pytest.mark.parametrize(("mode", "what", "code"), [(Mode.DISCONNECT, Did.FAILED, None), (Mode.LOSE, Did.APPLIED, 200)])
def test_a_connection_can_be_closed_without_an_answer(
    services: OrderServices, key: str, mode: Mode, what: Did, code: int | None
) -> None:
    services.behave(CHARGE, Behaviour(mode, times=1))
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        call(services, CHARGE, key)
    (entry,) = [entry for entry in services.entries() if entry.key == key]
    assert (entry.did, entry.sent, entry.code) == (what, Sent.NEVER, code)
    assert call(services, CHARGE, key)[0] == 200


def test_an_answer_can_be_late_although_the_effect_is_there(services: OrderServices, key: str) -> None:
    services.behave(CHARGE, Behaviour(Mode.LATE, delay=60))
    with pytest.raises(TimeoutError):
        call(services, CHARGE, key, timeout=0.2)
    entry = services.wait_for(lambda entry: entry.key == key)
    assert (entry.did, entry.sent) == (Did.APPLIED, Sent.LATE)


def test_a_call_can_be_held_until_it_is_let_go(services: OrderServices, key: str) -> None:
    services.behave(CHARGE, Behaviour(Mode.HOLD))
    answers: list[tuple[int, Any]] = []
    waiting = threading.Thread(target=lambda: answers.append(call(services, CHARGE, key, timeout=20)))
    waiting.start()
    assert services.wait_for(lambda entry: entry.key == key).sent is Sent.HELD
    assert not answers
    services.behave(CHARGE, Behaviour())
    waiting.join(20)
    assert answers[0][0] == 200


def test_a_service_that_is_stopped_refuses_connections_and_comes_back_on_its_port(
    services: OrderServices, key: str
) -> None:
    port = services["payments"].port
    services["payments"].stop()
    with pytest.raises(urllib.error.URLError):
        call(services, CHARGE, key)
    services.work()
    assert services["payments"].port == port
    assert call(services, CHARGE, key)[0] == 200


def test_a_service_can_take_its_time(tmp_path: Path) -> None:
    with OrderServices(tmp_path, pace=0.2) as slow:
        began = time.monotonic()
        assert call(slow, CHARGE, "key")[0] == 200
        assert time.monotonic() - began >= 0.2


def test_requests_that_make_no_sense_are_refused(services: OrderServices) -> None:
    assert call(services, CHARGE, "")[0] == 400
    for document in ({"mode": "fly"}, {"times": 0}, {"delay": -1}, {"speed": 1}):
        with pytest.raises(ValueError, match=r"\w"):
            Behaviour.from_json(document)
    with pytest.raises(urllib.error.HTTPError) as refused:
        services["payments"].behave(RESERVE, Behaviour())
    assert refused.value.code == 404
    refused.value.close()


def test_a_port_that_is_taken_is_named(services: OrderServices, tmp_path: Path) -> None:
    second = ServiceProcess("payments", tmp_path, services["payments"].port)
    with pytest.raises(PortTakenError, match=f"payments cannot listen on 127.0.0.1:{second.port}"):
        second.start()


def test_a_line_that_a_crash_cut_off_is_dropped(tmp_path: Path) -> None:
    entry = Entry("t", "payments", CHARGE, "k", "shop/a", "charge", "do", 1, "d", {}, Did.APPLIED, Sent.LATE, 200, {})
    path = tmp_path / "payments.jsonl"
    reader = JournalReader(path)
    assert reader.entries() == []
    with Journal(path) as journal:
        journal.append(entry)
    path.write_bytes(path.read_bytes() + b'{"time": "t2", "serv')
    assert reader.entries() == [entry]
    with Journal(path) as journal:
        journal.append(entry)
    assert reader.entries() == JournalReader(path).entries() == [entry, entry]
