"""Services that misbehave, and the operator as a process: what the run says, what is undone, and what others notice."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.adapters.gzip_bomb import UNPACKED, gzip_bomb
from tests.adapters.raw_server import Behaviour, RawServer, Reader, Writer, read_request
from tests.adapters.test_caller import CHUNKED, Make, answer, endless, hang, ok
from tests.controlplane import eventually
from tests.e2e.hostile import HostileServices
from tests.e2e.kube import Object
from tests.e2e.raw_service import RawService
from tests.e2e.sagas import Sagas, workflow
from tests.e2e.shop import WITHIN, Shop

pytestmark = pytest.mark.e2e

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
UGLY = b"\x1b[2J\x1b[31mred\x07\x7f"

# What the service does, and phase, effect and reason of the step that calls it, without retries.
MISBEHAVIOUR: dict[str, tuple[Make, str]] = {
    "hangs": (answer(b"", hang), "Failure/Unknown RequestTimeout"),
    "drips": (endless(ok(body=b"", length=99999), b"x", 0.05), "Failure/Unknown RequestTimeout"),
    "closes after reading": (answer(b""), "Failure/Unknown ConnectionLost"),
    "half an answer": (answer(ok(length=10)), "Failure/Unknown IncompleteAnswer"),
    "a length that is too short": (answer(ok(body=b"okmore", length=2)), "Failure/Unknown NotHTTP"),
    "a negative length": (answer(ok(length=-2)), "Failure/Unknown NotHTTP"),
    "speaks no HTTP": (answer(b"SSH-2.0-OpenSSH_9.9\r\n", asked=False), "Failure/Unknown NotHTTP"),
    "2 GiB in 2 MiB of gzip": (
        answer(ok(b"Content-Encoding: gzip", body=gzip_bomb())),
        "Failure/Applied PayloadTooLarge",
    ),
    "an endless answer": (endless(CHUNKED, b"2000\r\n" + bytes(0x2000) + b"\r\n"), "Failure/Applied PayloadTooLarge"),
    "endless headers": (endless(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 100), "Failure/Unknown NotHTTP"),
    "control characters in an answer": (
        answer(ok(b"ETag: " + UGLY, b"X-Request-Id: " + UGLY).replace(b" OK", b" " + UGLY)),
        "Success/Applied",
    ),
    "control characters in a refusal": (
        answer(b"HTTP/1.1 422 %b\r\nLocation: /%b\r\nContent-Length: 0\r\n\r\n" % (UGLY, UGLY)),
        "Failure/None UnexpectedCode",
    ),
    "control characters instead of HTTP": (answer(UGLY * 9 + b"\r\n\r\n"), "Failure/Unknown NotHTTP"),
    "redirects to the metadata service": (
        answer(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"),
        "Failure/None Redirect",
    ),
    "sets cookies": (answer(ok(b"Set-Cookie: session=1; Path=/; Domain=127.0.0.1")), "Success/Applied"),
}


@pytest.fixture
def hostile() -> Iterator[HostileServices]:
    with HostileServices() as services:
        yield services


@pytest.fixture
def undoing() -> Iterator[RawService]:
    """Undoes whatever it is asked to."""
    with RawService({}) as running:
        yield running


def saga(name: str, url: str, undoing: RawService, request: str) -> Object:
    """A call of that URL, and then one that is declined, so that the first is undone if it may have had an effect."""
    return workflow(
        name,
        {
            "id": "a",
            "endpoint": {"url": url},
            "timeout": {"request": request},
            "retry": {"limit": 0},
            "compensate": {"endpoint": {"url": undoing.url(f"/undo/{name}")}},
        },
        {
            "id": "b",
            "requires": ["a"],
            "input": {"body": {}},
            "endpoint": {"url": undoing.url(f"/declined/{name}")},
            "outcome": {"failWhen": "true"},
        },
    )


def told(step: Object) -> str:
    """Phase, effect and the reason of the attempt."""
    reason = step["attemptLog"][-1].get("reason", "") if step.get("attemptLog") else step.get("reason", "")
    return f"{step['phase']}/{step.get('effect', 'None')} {'' if step['phase'] == 'Success' else reason}".strip()


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for below in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from texts(below)


@pytest.mark.fault(MISBEHAVIOUR)
def test_services_that_misbehave_all_at_once(
    shop: Shop, sagas: Sagas, hostile: HostileServices, undoing: RawService
) -> None:
    """Undone is exactly what may have happened, others notice nothing, and no control character gets through."""
    servers = {f"run-{n}": hostile.serve(make) for n, (make, _) in enumerate(MISBEHAVIOUR.values())}
    servers["stuck"] = hostile.serve(answer(b"", hang))
    expected = {f"run-{n}": means for n, (_, means) in enumerate(MISBEHAVIOUR.values())}
    patience = {name: "3s" if "Timeout" in means else "2m" for name, means in expected.items()} | {"stuck": "1h"}
    shop.define(*(saga(name, server.url, undoing, patience[name]) for name, server in servers.items()))
    for name in servers:
        shop.start(name, name)
    cookies = f"run-{list(MISBEHAVIOUR).index('sets cookies')}"
    shop.start(cookies, "once-more")

    shop.define(sagas.chain("sound", "Stock.Reserve", "Courier.Ship"))
    shop.start("sound", "sound")
    assert shop.until_ended("sound")["phase"] == "Success"
    statuses = {name: shop.until_ended(name) for name in (*expected, "once-more")}

    assert {name: told(statuses[name]["steps"][0]) for name in expected} == expected
    undone = {path.rpartition("/")[2] for path in undoing.received if path.startswith("/undo/")}
    assert undone == {name for name, means in expected.items() if "/None" not in means}
    assert {name for name in servers if len(servers[name].requests) > 1} == {cookies}
    assert not any(b"\ncookie:" in request.lower() for request in servers[cookies].requests)
    assert shop.status("stuck")["phase"] == "Running"
    eventually(lambda: all(shop.events(name) for name in expected), within=WITHIN, what="the events of all runs")
    everything = [*statuses.values(), *(shop.events(name) for name in expected), shop.operator.log.read_text()]
    assert [text for text in texts(json.loads(json.dumps(everything))) if CONTROL.search(text)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.fault(
    "many services answer with 2 GiB, packed into 2 MiB of gzip, all at once",
    "The operator's memory stays where it was: nothing is unpacked, and nothing is read past the limit",
)
def test_the_memory_of_the_operator_stays_bounded(shop: Shop, hostile: HostileServices, undoing: RawService) -> None:
    bomb = hostile.serve(answer(ok(b"Content-Encoding: gzip", body=gzip_bomb())))
    shop.define(saga("bomb", bomb.url, undoing, "2m"))
    shop.start("bomb", "first")
    shop.until_ended("first")
    before = peak_bytes(shop.operator.pid)

    names = [f"run-{number}" for number in range(20)]
    for name in names:
        shop.start("bomb", name)
    assert {told(shop.until_ended(name)["steps"][0]) for name in names} == {"Failure/Applied PayloadTooLarge"}

    assert peak_bytes(shop.operator.pid) - before < UNPACKED // 64


def peak_bytes(pid: int) -> int:
    """The most memory that a process has ever had resident."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.fault(
    "more runs call a slow host than FLOW_HOST_CONCURRENCY and FLOW_RUN_CONCURRENCY allow",
    "They wait for slots, Pending and with nothing stored; runs that call other hosts go on as if nothing was",
)
def test_a_slow_host_holds_up_nobody_elses_runs(
    bare_shop: Shop, sagas: Sagas, hostile: HostileServices, undoing: RawService
) -> None:
    shop, at_last, most = bare_shop, asyncio.Event(), [0, 0]

    def slow(state: RawServer) -> Behaviour:
        async def act(reader: Reader, writer: Writer) -> None:
            state.record(await read_request(reader))
            most[:] = [most[0] + 1, max(most[1], most[0] + 1)]
            await at_last.wait()
            most[0] -= 1
            writer.write(ok(b"Connection: close"))

        return act

    server = hostile.serve(slow)
    shop.hire(
        FLOW_HOST_CONCURRENCY="3",
        FLOW_RUN_CONCURRENCY="5",
        FLOW_NAMESPACE_CONCURRENCY="5",
        FLOW_EGRESS_ALLOW="127.0.0.1,localhost",
    )
    url = f"http://localhost:{server.port}/"
    shop.define(saga("slow", url, undoing, "1h"), sagas.chain("sound", "Stock.Reserve", "Courier.Ship"))
    waiting = [f"slow-{number}" for number in range(12)]
    for name in waiting:
        shop.start("slow", name)
    eventually(lambda: len(server.requests) == 3, within=WITHIN, what="the slow host as busy as may be")

    for name in ("one", "two", "three"):
        shop.start("sound", name)
    assert {shop.until_ended(name)["phase"] for name in ("one", "two", "three")} == {"Success"}
    assert (len(server.requests), most[1]) == (3, 3)

    hostile.tell(at_last)
    assert {told(shop.until_ended(name)["steps"][0]) for name in waiting} == {"Success/Applied"}
    assert (len(server.requests), most[1]) == (12, 3)
