"""A story on the stage: its runs, the persons who tend them, and how they end."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import zip_longest
from typing import Any

from examples.order.services import Did, Mode
from tests.controlplane import eventually
from tests.e2e.failpoints.points import Failpoints, Kind, Point
from tests.e2e.failpoints.stories import Story
from tests.e2e.kube import Object
from tests.e2e.proxied_shop import ProxiedShop
from tests.e2e.proxy import Fault, Passing
from tests.e2e.sagas import Sagas

WITHIN = 60.0
AT_ONCE = 12
"""Runs that are held together: the operator has no more than 16 writes in flight."""
PLAIN = "plain"


def batches(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Points at which runs can be held together: events are posted one after the other, so one of them at most."""
    events = [point for point in points if point.kind is Kind.EVENT]
    others = [point for point in points if point.kind is not Kind.EVENT]
    chunks = [others[first : first + AT_ONCE] for first in range(0, len(others), AT_ONCE)]
    for chunk, event in zip_longest(chunks, events):
        yield [*(chunk or ()), *([event] if event else ())]


class Stage:
    """Plays one story, with an operator that is surrounded by proxies."""

    def __init__(self, proxied_shop: ProxiedShop, sagas: Sagas, story: Story) -> None:
        self._shop = proxied_shop.shop
        self._sagas = sagas
        self._story = story
        self._failpoints = Failpoints()
        self._acts: Counter[str] = Counter()
        """How many acts have been done for a run."""
        self._released: set[str] = set()
        proxied_shop.api.rules = [self._failpoints]
        proxied_shop.calls.rules = [self._failpoints, self._answer]
        self._shop.define(story.workflow(sagas, PLAIN))
        if story.declining:
            self._shop.behave(story.declining, Mode.DECLINE)

    def points(self) -> list[Point]:
        """Play it without a fault: every point that there is. The operator has ended, and so posted its events."""
        self._shop.start(PLAIN, PLAIN)
        self._tend([PLAIN], _has_ended, "ended")
        self._shop.operator.stop()
        passed = self._failpoints.passed(PLAIN).items()
        self._shop.operator.start()
        return [
            Point(kind, number, answer)
            for answer in (False, True)
            for kind, count in passed
            for number in range(1, count + 1)
        ]

    def die_at(self, points: Sequence[Point], *, again: bool | None = None) -> list[str]:
        """Play it with one run for each point; kill the operator when each is held at its own; start it again.

        Unless `again` is None, the operator is killed once more at the first write or call of each run's recovery:
        before it goes through, or before its answer is back. Returns the runs.
        """
        runs = {self._begin(point, again): point for point in points}
        self._tend(runs, self._is_held, "held")
        self._kill(runs)
        if again is not None:
            for run in runs:
                self._failpoints.hold_next(run, answer=again)
            self._shop.operator.start()
            self._tend(runs, lambda run: self._is_held(run) or _has_ended(run), "held again, or ended")
            missed = [run for run, point in runs.items() if point.leaves_work and not self._failpoints.is_held(run)]
            assert not missed, f"not held a second time: {missed}"
            self._kill(runs)
        self._shop.operator.start()
        self._tend(runs, _has_ended, "ended")
        return list(runs)

    def outcome(self, run: str = PLAIN) -> tuple[Any, ...]:
        """How a run has ended: phases, steps, and what was done at the services."""
        status, lost = self._shop.status(run), self._story.may_be_lost
        steps = [
            (step["id"], step["phase"], step.get("effect"), step.get("compensation", {}).get("phase"))
            for step in status["steps"]
            if step["id"] != lost
        ]
        effects = Counter((call.step, call.operation) for call in self._shop.calls(run) if call.did is Did.APPLIED)
        stays = {step for step, _ in effects if effects[step, "do"] > effects[step, "undo"]}
        surely = {effect: count for effect, count in effects.items() if effect[0] != lost}
        return status["phase"], status["compensation"]["phase"], steps, surely, stays

    def _kill(self, runs: Collection[str]) -> None:
        self._shop.operator.kill()
        # The proxies are told by their connections, and what was sent before may still be on its way.
        eventually(lambda: not any(map(self._failpoints.is_held, runs)), within=WITHIN, what="all let go")

    def _begin(self, point: Point, again: bool | None) -> str:
        words = ["after" if point.answer else "before", point.kind.name, str(point.number)]
        if again is not None:
            words += ["then", "after" if again else "before"]
        run = "-".join(words).lower()
        saga = PLAIN
        if point.kind is Kind.REVISION:  # runs of one workflow share theirs
            saga = run
            self._shop.define(self._story.workflow(self._sagas, saga))
        self._failpoints.hold(run, point)
        self._shop.start(saga, run)
        return run

    def _tend(self, runs: Collection[str], done: Callable[[Object], bool], what: str) -> None:
        """Do what the persons of each run have to do, until it is so far."""
        left: list[str] = []

        def look() -> bool:
            found = self._shop.kube.list("workflowexecutions", self._shop.namespace)
            mine = [each for each in found if each["metadata"]["name"] in runs]
            for run in mine:
                self._do_next_act(run)
            left[:] = [_told(run) for run in mine if not done(run)]
            return not left

        try:
            eventually(look, within=WITHIN, what=what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {left}\n{self._shop.operator.tail()}") from None

    def _do_next_act(self, run: Object) -> None:
        name: str = run["metadata"]["name"]
        done = self._acts[name]
        if done == len(self._story.acts) or not self._story.acts[done].when(run):
            return
        self._acts[name] += 1
        if verb := self._story.acts[done].verb:
            self._shop.command(name, verb)
        else:
            self._released.add(name)

    def _answer(self, passing: Passing) -> Fault | None:
        run = passing.header["X-Flow-Execution"].partition("/")[2]
        return self._story.answer(passing, lambda: run in self._released)

    def _is_held(self, run: Object) -> bool:
        return self._failpoints.is_held(run["metadata"]["name"])


def _has_ended(run: Object) -> bool:
    return "completionTime" in run.get("status", {}) and not run["metadata"].get("annotations")


def _told(run: Object) -> str:
    return f"{run['metadata']['name']} is {run.get('status', {}).get('phase')}"
