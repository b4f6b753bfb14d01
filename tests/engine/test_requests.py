"""What is sent (semantics: Remember before you act, Endpoints)."""

from hashlib import sha256

import pytest

from flow_operator.api.execution import ExecutionSpec
from flow_operator.api.status import Direction, ExecutionStatus, Phase, StepStatus
from flow_operator.engine.contract import Run
from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.readiness import definition_of
from flow_operator.engine.requests import Rendered, Unrenderable, digest, rendered
from flow_operator.engine.snapshot import Snapshot


def request_to(url: str, *, stored: str | None = None) -> Rendered:
    """The request of a step whose URL is the run's input."""
    definition = definition_of("order", {"steps": [{"id": "a", "endpoint": {"url": "${input}"}}]}, {})
    assert isinstance(definition, Definition)
    spec = ExecutionSpec.model_validate({"workflowRef": {"name": "order"}, "input": {"body": url}})
    status = ExecutionStatus(steps=(StepStatus(id="a", phase=Phase.PENDING),))
    snapshot = Snapshot(Run("shop", "order-1", "uid", 1, spec), definition, status)
    return rendered(snapshot, "a", Direction.DO, "http://{service}", stored)


@pytest.mark.parametrize(
    "url",
    [
        "http://s",
        "https://s:8443/a/b?c=d#e",
        "HTTP://s/",
        "http://[::1]:80/",
        "http://s/%20",
        "http://s/ü",
        "http://10.0.0.1",
    ],
)
def test_a_url_is_absolute(url: str) -> None:
    assert request_to(url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "", "s", "/a", "//s/a", "s:80", "ftp://s", "file:///etc/passwd", "http:", "http://", "http:///a", "http://:80",
        "http://s:99999", "http://s:x", "http://[::1", "http://s/a b", "http://s/\n", "http://s/\x00", "http://u:p@s/",
        "http://u@s", "javascript://s",
    ],
)  # fmt: skip
def test_anything_else_is_not_called(url: str) -> None:
    with pytest.raises(Unrenderable, match="is no absolute http or https URL without credentials"):
        request_to(url)


def test_a_repeated_request_goes_where_the_first_went() -> None:
    assert request_to("http://new", stored="http://old").url == "http://old"


def test_the_digest_covers_all_that_makes_a_request_the_same() -> None:
    header = {"b": "2", "a": "1"}
    same = digest("POST", "http://s", header, b"{}")
    assert same == digest("POST", "http://s", {"a": "1", "b": "2"}, b"{}")
    assert same == "sha256:" + sha256(b'["POST","http://s",[["a","1"],["b","2"]]]\n{}').hexdigest()
    assert len({
        same,
        digest("PUT", "http://s", header, b"{}"),
        digest("POST", "http://s/", header, b"{}"),
        digest("POST", "http://s", {"a": "1"}, b"{}"),
        digest("POST", "http://s", {"a": "12", "b": ""}, b"{}"),
        digest("POST", "http://s", header, b"[]"),
        digest("POST", "http://s", header, b""),
    }) == 7  # fmt: skip
