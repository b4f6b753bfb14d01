"""Customers start runs; a person looks after those that need one; what has ended is cleared away after a while.

The API server and the services may be away at any moment. What was asked of them in vain is not asked again: the next
look shows what is to be done.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from random import Random

from examples.order.services import Behaviour
from tests.e2e.kube import ApiError, Kube, Object
from tests.e2e.sagas import run_of
from tests.e2e.shop import COMMAND, Shop, condition
from tests.soak.decks import dealt
from tests.soak.stories import LATE_SECONDS, STORIES, Story

RUNS = "workflowexecutions"
LOOK_SECONDS = 1.0
KEPT_SECONDS = 20.0
"""An ended run stays for so long: how many runs there are does not grow."""
DEED_SECONDS = 0.3
"""Within that time after the start of a run a person acts on it."""
BORNE = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS,
)
"""Refusals of an API server that has just started, and of one that did what was asked although nobody heard so."""


class Customers:
    """Everybody who gives Flow work, with one connection to the API server."""

    def __init__(self, shop: Shop, kube: Kube, dice: Random, per_second: float) -> None:
        self.started: Counter[str] = Counter()
        """Runs by story."""
        self.ended: Counter[str] = Counter()
        """Runs by phase, and phase of the compensation."""
        self.commands: Counter[str] = Counter()
        """What people have asked for, by verb."""
        self._shop = shop
        self._kube = kube
        self._dice = dice
        self._pause = 1 / per_second
        self._stories = dealt(sorted(STORIES), dice)
        self._ended_at: dict[str, float] = {}
        self._deeds: list[tuple[float, str, str]] = []

    def work(self, stop: threading.Event) -> None:
        """Start runs and look after them until told to stop."""
        start_at = look_at = time.monotonic()
        while not stop.is_set():
            now = time.monotonic()
            if now >= start_at:
                start_at = max(start_at + self._pause, now)  # what could not be started in time is not made up for
                self._start(next(self._stories))
            if now >= look_at:
                look_at = now + LOOK_SECONDS
                self._look()
            self._act(now)
            stop.wait(0.02)

    def finish(self, within: float) -> list[str]:
        """Start nothing any more, and look after what is left; the runs that have not ended in time."""
        deadline = time.monotonic() + within
        while True:
            left = self._look()
            if left == [] or time.monotonic() > deadline:
                return ["a run that cannot be read"] if left is None else left
            time.sleep(LOOK_SECONDS)

    def _start(self, name: str) -> None:
        story = STORIES[name]
        run = f"{name}-{sum(self.started.values())}"
        self._prepare(story)
        if self._borne(lambda: self._kube.create(run_of(story.workflow, run, **story.spec), self._shop.namespace)):
            self.started[name] += 1
            if story.deed:
                self._deeds.append((time.monotonic() + self._dice.uniform(0, DEED_SECONDS), story.deed, run))

    def _prepare(self, story: Story) -> None:
        for method, (mode, times) in story.services.items():
            behaviour = Behaviour(mode, times, LATE_SECONDS)
            self._borne(partial(self._shop.services.behave, method, behaviour))

    def _act(self, now: float) -> None:
        due = [deed for deed in self._deeds if deed[0] <= now]
        self._deeds = [deed for deed in self._deeds if deed[0] > now]
        for _, deed, run in due:
            if deed == "delete":
                self.commands["delete"] += self._delete(run)
            elif deed == "abort":
                self._command(run, "abort", self._dice.choice((None, {"compensate": False}, {"reason": "changed"})))
            else:
                self._command(run, deed)

    def _look(self) -> list[str] | None:
        """See how all runs are, and help where it is needed; those that have not ended, None if it cannot be seen."""
        runs: list[Object] = []
        if not self._borne(lambda: runs.extend(self._kube.list(RUNS, self._shop.namespace))):
            return None
        unfinished = []
        for run in runs:
            name, status = run["metadata"]["name"], run.get("status", {})
            if "completionTime" in status:
                self._clear_away(name, status)
            else:
                unfinished.append(name)
                if COMMAND not in run["metadata"].get("annotations", {}) and self._dice.random() < 0.5:
                    self._help(name, run)
        return unfinished

    def _clear_away(self, name: str, status: Object) -> None:
        now = time.monotonic()
        if name not in self._ended_at:
            self._ended_at[name] = now
            self.ended[f"{status['phase']}, undo {status['compensation']['phase']}"] += 1
        if now - self._ended_at[name] > KEPT_SECONDS and self._delete(name):
            del self._ended_at[name]

    def _help(self, name: str, run: Object) -> None:
        """What a person does who sees a run that waits for one."""
        status = run.get("status", {})
        waiting = list(_waiting(status))
        if run["spec"].get("suspend"):
            patch = {"spec": {"suspend": False}}
            self.commands["lift"] += self._borne(lambda: self._kube.patch(RUNS, self._shop.namespace, name, patch))
        elif condition(status, "Suspended").get("reason") == "SuspendedByCommand":
            self._command(name, "resume")
        elif waiting:
            verb = self._dice.choices(("retry", "skip", "abort"), (6, 3, 1))[0]
            arguments = {
                "retry": None,
                "skip": {"step": self._dice.choice(waiting), "reason": "done by hand"},
                "abort": {"compensate": False},
            }
            self._command(name, verb, arguments[verb])

    def _command(self, run: str, verb: str, arguments: Object | None = None) -> None:
        self.commands[verb] += self._borne(lambda: self._shop.command(run, verb, arguments))

    def _delete(self, run: str) -> bool:
        return self._borne(lambda: self._kube.delete(RUNS, self._shop.namespace, run))

    def _borne(self, action: Callable[[], object]) -> bool:
        """Whether it could be done; what is away is expected to be away now and then."""
        try:
            action()
        except ApiError as error:
            if error.code not in BORNE and error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            return False
        except (OSError, HTTPException):
            return False
        return True


def _waiting(status: Object) -> Iterator[str]:
    """Steps that wait for a person."""
    for step in status.get("steps", ()):
        if "Suspend" in (step["phase"], step.get("compensation", {}).get("phase")):
            yield step["id"]
