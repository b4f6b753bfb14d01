"""Whose turn it is."""

from tests.reconciler.stage import Stage, step
from tests.reconciler.virtual_time import run

from flow_operator.reconciler.entry import Entry
from flow_operator.reconciler.turns import Turns


def _entry(title: str) -> Entry:
    namespace, name = title.split("/")
    return Entry(namespace, name, uid=title)


def waiting(*names: str) -> tuple[Turns, list[Entry]]:
    """Runs, called namespace/name, that have come one second after the other."""
    turns, entries = Turns(), [_entry(name) for name in names]
    for second, entry in enumerate(entries):
        turns.add(entry, float(second))
    return turns, entries


def order(turns: Turns) -> list[str]:
    """All that wait, as they come."""
    return ["/".join(entry.key) for entry in iter(turns.next, None)]


def test_the_namespaces_take_turns_and_within_one_who_came_first_goes_first() -> None:
    turns, _ = waiting("big/1", "big/2", "big/3", "big/4", "small/1", "other/1", "small/2")

    assert order(turns) == ["big/1", "small/1", "other/1", "big/2", "small/2", "big/3", "big/4"]


def test_who_waits_already_keeps_the_place() -> None:
    turns, [first, *_] = waiting("shop/1", "shop/2")
    turns.add(first, 9.0)

    assert order(turns) == ["shop/1", "shop/2"]


def test_who_waits_no_more_has_no_turn() -> None:
    turns, [first, second, _] = waiting("shop/1", "gone/1", "shop/2")
    turns.discard(first)
    turns.discard(second)
    turns.discard(second)

    assert len(turns) == 1
    assert order(turns) == ["shop/2"]
    assert turns.next() is None


def test_a_run_made_anew_keeps_its_place_when_its_forerunner_is_discarded() -> None:
    turns, _ = waiting("shop/1")
    turns.discard(Entry("shop", "1", uid="forerunner"))

    assert len(turns) == 1


def test_how_long_somebody_has_waited() -> None:
    turns, [first, *_] = waiting("shop/1", "other/1", "shop/2")

    assert turns.longest(now=10.0) == 10.0
    turns.discard(first)
    assert turns.longest(now=10.0) == 9.0
    assert Turns().longest(now=10.0) == 0.0


def test_a_namespace_with_many_runs_is_no_reason_for_another_to_wait() -> None:
    async def story() -> list[str]:
        stage = await Stage(concurrency=1).open()
        stage.workflow(step("a"))
        stage.cluster.add("workflows", "order", {"spec": {"steps": [step("b")]}}, namespace="small")
        for number in range(20):
            stage.start(f"many-{number}")
        stage.start("one", namespace="small")
        await stage.until(lambda: bool(stage.lines("call b")))
        return stage.lines("call")

    assert run(story()).count("call a") < 3
