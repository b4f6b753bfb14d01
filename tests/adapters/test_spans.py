"""Which spans end between two statuses, by stories of the real engine."""

from tests.cli.stories import begin, go_on
from tests.engine.scenario import Story

from flow_operator.adapters.spans import Span, ended


def told(story: Story, directives: str) -> list[Span]:
    """The spans that end with each of these directives."""
    spans: list[Span] = []
    for directive in directives.splitlines():
        before = story.world.stored
        go_on(story, directive)
        spans += ended(story.world.run, before, story.world.stored)
    return spans


def brief(spans: list[Span]) -> list[str]:
    """Name, operation, number, verdict and effect of each attempt; the phase of the run."""
    return [
        " ".join(str(value) for name, value in {"": span.name, **span.attributes}.items() if name in SHOWN)
        for span in spans
    ]


SHOWN = ("", "flow.operation", "flow.attempt", "flow.verdict", "flow.effect", "flow.phase", "flow.compensation")


SHORT = """  timeout: {run: 1m}
  steps:
  - {id: a, endpoint: {url: "http://services/a"}}"""


def test_a_span_per_attempt_and_one_for_the_run() -> None:
    story = begin("start")
    spans = told(
        story,
        "answer reserve 200\nanswer fraud 200\nanswer charge 503\nwait 2s\nanswer charge 402\n"
        "answer undo charge 200\nanswer undo reserve 503\nwait 1m\nanswer undo reserve 200",
    )
    assert brief(spans) == [
        "reserve do 1 Success Applied",
        "fraud do 1 Success Applied",
        "charge do 1 Retry Unknown",
        "charge do 2 Failure None",
        "charge undo 1 Success Applied",
        "reserve undo 1 Retry Unknown",
        "reserve undo 2 Success Applied",
        "order Failure Success",
    ]
    root = spans[-1]
    assert root.parent_id is None
    assert {span.parent_id for span in spans[:-1]} == {root.span_id}
    assert {span.trace_id for span in spans} == {root.trace_id}
    assert [span.error for span in spans] == [
        None,
        None,
        "HTTP 503",
        "HTTP 402",
        None,
        "HTTP 503",
        None,
        "charge: HTTP 402",
    ]
    assert all(root.start <= span.start <= span.end <= root.end for span in spans)


def test_the_span_is_the_one_that_the_call_carried() -> None:
    story = begin("start")
    spans = told(story, "answer reserve 200\nanswer fraud 503\nwait 2s\nanswer fraud 200")
    sent = {attempt.request.header["traceparent"] for attempt in story.world.sent}
    carried = {f"00-{span.trace_id:032x}-{span.span_id:016x}-01" for span in spans}
    assert len(carried) == 3
    assert carried < sent


def test_an_attempt_that_the_operator_did_not_survive_has_a_span() -> None:
    spans = told(begin("start\nanswer reserve 200"), "crash\nanswer fraud 200")
    assert brief(spans) == ["fraud do 1 Retry Unknown", "fraud do 1 Success Applied"]
    assert spans[0].attributes["error.type"] == "AttemptLost"
    assert spans[0].span_id != spans[1].span_id


def test_an_attempt_that_is_cut_has_a_span() -> None:
    story = begin(f"workflow\n{SHORT}\nstart")
    assert brief(told(story, "wait 1m")) == ["a do 1 Failure Unknown", "order Failure NotNeeded"]


def test_attributes_are_those_of_the_semantic_conventions() -> None:
    (span,) = told(begin("start"), "answer reserve 422")
    assert span.attributes == {
        "flow.execution": "shop/order-1",
        "flow.workflow": "order",
        "flow.step": "reserve",
        "flow.operation": "do",
        "flow.attempt": 1,
        "flow.verdict": "Failure",
        "flow.effect": "None",
        "http.request.method": "POST",
        "server.address": "stock",
        "server.port": 80,
        "http.response.status_code": 422,
        "error.type": "UnexpectedCode",
    }


def test_a_run_that_never_started_has_no_trace() -> None:
    assert told(begin("missing workflow\nstart"), "command abort") == []
