"""What goes over the wire: exact numbers, headers, and the run's result."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from examples.order.services import Mode
from tests.e2e.kube import Object
from tests.e2e.raw_service import RawService
from tests.e2e.sagas import Sagas, workflow
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

INPUT = b'{"big":1e400,"id":1180591620717411303424,"price":0.10}'
ANSWER = b'{"id": 1180591620717411303425, "rate": 2.50, "tiny": 1E-400, "none": null}'


@pytest.fixture
def service() -> Iterator[RawService]:
    with RawService({"/quote": ANSWER}) as running:
        yield running


def step(id: str, url: str, *requires: str, **fields: Any) -> Object:
    return {"id": id, "endpoint": {"url": url}, "requires": list(requires), **fields}


def test_numbers_keep_their_text_from_input_to_service_to_service_to_result(shop: Shop, service: RawService) -> None:
    body = {"rate": "${steps.quote.output.rate}", "id": "${steps.quote.output.id}", "price": "${input.price}"}
    shop.define(
        workflow(
            "order",
            step("quote", service.url("/quote")),
            step("all", service.url("/all"), "quote"),
            step("some", service.url("/some"), "quote", input={"body": body}),
            output={"quote": "${steps.quote.output}"},
        )
    )
    shop.start("order", input={"rawBody": INPUT.decode()})

    assert shop.until_ended("run")["phase"] == "Success"
    assert service.received["/quote"] == [INPUT]
    assert service.received["/all"] == [b'{"id":1180591620717411303425,"none":null,"rate":2.50,"tiny":1E-400}']
    assert service.received["/some"] == [b'{"id":1180591620717411303425,"price":0.10,"rate":2.50}']
    output = shop.status("run")["output"]["rawBody"]
    assert output == '{"quote":{"id":1180591620717411303425,"none":null,"rate":2.50,"tiny":1E-400}}'


def test_a_restart_in_the_middle_changes_no_number(shop: Shop, service: RawService, sagas: Sagas) -> None:
    wait = sagas.step("wait", "Mail.Send", "quote")
    shop.define(
        workflow(
            "order",
            step("quote", service.url("/quote")),
            wait,
            step("after", service.url("/after"), "wait", input={"body": "${steps.quote.output}"}),
        )
    )
    shop.behave("Mail.Send", Mode.HOLD)
    shop.start("order", input={"rawBody": INPUT.decode()})
    shop.until_called("run", "wait")
    shop.operator.kill()
    shop.works_again("Mail.Send")

    shop.operator.start()

    assert shop.until_ended("run")["phase"] == "Success"
    assert service.received["/after"] == [b'{"id":1180591620717411303425,"none":null,"rate":2.50,"tiny":1E-400}']


def test_the_headers_of_every_call(shop: Shop, service: RawService) -> None:
    call = step("quote", service.url("/quote"), input={"header": {"X-Kind": "a ${input.kind}"}})
    call["endpoint"]["header"] = [{"name": "x-shop", "value": "corner"}]
    shop.define(workflow("order", call))
    shop.start("order", input={"header": {"X-Tenant": "acme", "X-Kind": "theirs"}, "body": {"kind": "gift"}})

    assert shop.until_ended("run")["phase"] == "Success"
    sent = service.headers["/quote"]
    uid = shop.object("run")["metadata"]["uid"]
    assert sent["idempotency-key"] == f"{uid}/quote/do/0"
    assert sent["x-flow-execution"] == f"{shop.namespace}/run"
    assert (sent["x-flow-step"], sent["x-flow-operation"], sent["x-flow-attempt"]) == ("quote", "do", "1")
    assert (sent["x-tenant"], sent["x-kind"], sent["x-shop"]) == ("acme", "a gift", "corner")
    assert sent["content-type"] == "application/json"
    assert sent["traceparent"].split("-")[1] == shop.status("run")["trace"]["traceparent"].split("-")[1]


def test_the_result_of_a_run_with_several_leaves(shop: Shop, service: RawService) -> None:
    shop.define(workflow("order", step("quote", service.url("/quote")), step("other", service.url("/other"))))
    shop.start("order", input={"body": {"kind": "gift"}})

    output = shop.until_ended("run")["output"]

    assert json.loads(output["rawBody"])["other"] is None
    assert output["rawBody"].startswith('{"other":null,"quote":{"id":1180591620717411303425')
    assert service.received["/other"] == [b'{"kind":"gift"}']


def test_a_destination_that_is_not_allowed(shop: Shop) -> None:
    shop.define(workflow("order", step("steal", "http://169.254.169.254/latest/meta-data")))
    shop.start("order")

    status = shop.until_ended("run")

    assert (status["phase"], status["reason"]) == ("Failure", "EgressDenied")
    assert status["steps"][0].get("effect", "None") == "None"


@pytest.mark.fault("a workflow calls an endpoint of the API server by its address", "Failure/None EgressDenied")
def test_an_address_behind_the_service_of_the_api_server(bare_shop: Shop) -> None:
    shop = bare_shop
    endpoints = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": shop.namespace,
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": "kubernetes"},
        },
        "addressType": "IPv4",
        "ports": [{"name": "https", "port": 6443}],
        "endpoints": [{"addresses": ["192.0.2.7"]}],
    }
    shop.kube.request("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", endpoints)
    shop.hire()
    shop.define(workflow("order", step("steal", "https://192.0.2.7:6443/api/v1/secrets")))
    shop.start("order")

    status = shop.until_ended("run")

    assert (status["phase"], status["reason"]) == ("Failure", "EgressDenied")
    assert status["steps"][0].get("effect", "None") == "None"
