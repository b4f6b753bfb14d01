"""Objects that no schema would let through: nothing fails inside the operator, and the others progress."""

import logging
from typing import Any

import pytest
from tests.reconciler.fake_cluster import Object
from tests.reconciler.stage import Stage, pristine, step
from tests.reconciler.virtual_time import pass_time, run

LONGEST = ".".join(["x" * 63, "y" * 63, "z" * 63, "w" * 61])
HUGE = "x" * 1_000_000
TEXTS = ("\u00e4\u4e16\u202e", "", " a b ", "a\u0000b", "\U0001f600" * 50, HUGE, "${steps.self}", "../..", "self")
VALUES: tuple[Any, ...] = (None, True, 7, -1.5e300, "text", "\u0000\u202e\ud83d\ude00", [], [[]], {}, {"": ""}, HUGE)
IDS = [f"s{number}" for number in range(200)]
MANY = [{"id": f"s{number}", "phase": "Pending"} for number in range(9999)]

# Kind, name, and what is in the object besides its metadata.
Poison = tuple[str, str, Object]


def run_of(workflow: Any, **spec: Any) -> Object:
    return {"spec": {"workflowRef": {"name": workflow}, **spec}, "status": pristine()}


def weird() -> list[Poison]:
    found: list[Poison] = [("workflows", LONGEST, {"spec": {"steps": [step("a")]}})]
    found += [("workflowexecutions", LONGEST, run_of(LONGEST)), ("steps", LONGEST, {"spec": step("a")})]
    for number, text in enumerate(TEXTS):
        wired = step("a", text, fallback=text, input={"header": {text: text}, "body": {text: text}}, when=text)
        workflows = {
            f"id-{number}": {"steps": [step(text), step("b", text)]},
            f"text-{number}": {"steps": [wired], "output": {text: f"${{{text}}}"}},
            f"url-{number}": {"steps": [{"id": "a", "endpoint": {"url": f"http://{text}/{text}"}}]},
        }
        found += [("workflows", name, {"spec": spec}) for name, spec in workflows.items()]
        found += [("workflowexecutions", name, run_of(name)) for name in workflows]
        found += [("steps", f"key-{number}", {"spec": {text: text, "endpoint": {text: text}}})]
        found += [("workflowexecutions", f"ref-{number}", run_of(text))]
        found += [("workflowexecutions", f"in-{number}", run_of("order", input={"header": {text: text}}))]
    return found


def huge() -> list[Poison]:
    crowd = [step(f"s{number}") for number in range(5000)]
    knot = [step(id, *IDS) for id in IDS]
    return [
        ("steps", "text", {"spec": HUGE}),
        ("workflows", "crowd", {"spec": {"steps": crowd}}),
        ("workflows", "knot", {"spec": {"steps": knot}}),
        ("workflows", "when", {"spec": {"steps": [step("a", when="1 + " * 250_000 + "1 == 1")]}}),
        *(("workflowexecutions", name, run_of(name)) for name in ("crowd", "knot", "when")),
        ("workflowexecutions", "input", run_of("order", input={"body": HUGE})),
        ("workflowexecutions", "steps", run_of("order") | {"status": {"phase": "Running", "steps": MANY}}),
    ]


def statuses() -> list[Poison]:
    return [
        (plural, f"{plural}-{number}", {"spec": spec, "status": value})
        for number, value in enumerate(VALUES)
        for plural, spec in (
            ("steps", {"endpoint": {"url": "http://services/a"}}),
            ("workflows", {"steps": [step("a")]}),
            ("workflowexecutions", {"workflowRef": {"name": "order"}, "suspend": True}),
        )
    ]


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param(
            weird,
            marks=pytest.mark.fault(
                "names of 253 characters; Unicode, NUL, blanks and a megabyte for ids, keys, URLs and references",
                "Findings, or a run that says why; other runs progress",
            ),
        ),
        pytest.param(
            huge,
            marks=pytest.mark.fault(
                "objects of a megabyte, 5,000 steps, every step requiring every other, a status of 9,999 steps",
                "Findings, or a run that says why; other runs progress",
            ),
        ),
        pytest.param(
            statuses,
            marks=pytest.mark.fault(
                "Steps, Workflows and runs whose status is no status: a text, a number, a list",
                "Definitions are judged all the same, such a run is left alone; other runs progress",
            ),
        ),
    ],
)
def test_the_others_progress(poison: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        stage = await Stage().open()
        stage.workflow(step("a"))
        for plural, name, fields in poison():
            stage.cluster.add(plural, name, fields)
        stage.start("sound")
        await stage.until_phase("Success", "sound")
        await pass_time(60)

    with caplog.at_level(logging.ERROR):
        run(story())
    assert [record.getMessage()[:300] for record in caplog.records] == []
