"""One run, from the moment it is woken until it only waits. Its rule is the order: remember before you act.

    take what is new → record the outcomes → plan → reserve slots → store → only then send → rest

A call that gets no slot is left out of the plan: it has no attempt, and the run is woken when there is a slot. A write
that is refused means that nothing of its plan happens: the run is read, the outcomes that are not stored yet are
recorded on what it says now, and it is planned again. A write whose reply is lost may have happened: the run is read,
as often as it takes, and if the attempts of that plan stand in it they are sent; they are this process's own.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta

from flow_operator.api.status import CompensationPhase, ExecutionStatus, Verdict
from flow_operator.engine.contract import Plan
from flow_operator.engine.definitions.definition import Definition, Unresolved
from flow_operator.engine.errors import Next, Refused, disposition
from flow_operator.reconciler import run_log
from flow_operator.reconciler.backoff import Backoff
from flow_operator.reconciler.calls import Calls
from flow_operator.reconciler.entry import Entry, intentions
from flow_operator.reconciler.ports import Object
from flow_operator.reconciler.reservations import Reservations
from flow_operator.reconciler.run_state import RunState, Unreadable
from flow_operator.reconciler.shell import Shell
from flow_operator.reconciler.storing import Deleted, Demoted, Rest, Storage
from flow_operator.reconciler.versions import is_newer, version_of

log = logging.getLogger(__name__)

COALESCE_SECONDS = 1.0
"""How long a status that lets nothing start may wait for another to share its write."""
SHORTEST_REST_SECONDS = 0.01
"""No moment, however past, keeps the loop from everything else."""
LONGEST_REST_SECONDS = 30.0
"""The wall clock is looked at this often, in case it was set."""


class Actor:
    """The only writer of its run."""

    def __init__(self, entry: Entry, shell: Shell, wake: Callable[[], None]) -> None:
        """`wake` wakes the run, whether this actor is still there or not."""
        self.entry = entry
        self.unresolved: Unresolved | None = None
        """Why there is no definition; the run is to be woken when there may be one."""
        self._shell = shell
        self._state = RunState(entry, shell.record, shell.now)
        self._wakeup = asyncio.Event()
        self._calls = Calls(entry.namespace, shell.caller, shell.slots, shell.now, self._wakeup.set, self._may_act)
        self._reservations = Reservations(entry, shell.slots, wake)
        self._storage = Storage(entry, self._state, shell, may_rest=lambda: self._calls.idle)
        self._troubles = Backoff(first=1.0, longest=60.0)
        self._news: Object | None = None
        self._dirty = True
        self._coalesce_until: float | None = None

    @property
    def _draining(self) -> bool:
        return self._shell.shards.is_draining(self.entry.uid)

    def observe(self, body: Object) -> None:
        """The watch brought this object."""
        self._news = body
        self._wakeup.set()

    def wake(self) -> None:
        """Something else has changed: look again."""
        self._dirty = True
        self._wakeup.set()

    def leftovers(self) -> bool:
        """After the end: whether something came that was not looked at. The entry knows it now."""
        news = self._take_news()
        if news:
            self.entry.pack()
        return news or self._dirty

    async def run(self) -> datetime | None:
        """Act until there is nothing to do but wait; when to look again, None for never."""
        wake_at: datetime | None = None
        queues = False
        try:
            while True:
                self._wakeup.clear()
                if self._dirty or self._news or self._calls.has_outcomes:
                    wake_at = await self._guarded_turn(wake_at)
                elif self._calls.idle:
                    queues = True
                    return wake_at
                else:
                    await self._rest_until(wake_at)
        finally:
            self._calls.cut_all()
            if not queues:
                self._reservations.keep_only(())
            self._take_news()
            self._state.definition = None
            self.entry.pack()

    async def _guarded_turn(self, wake_at: datetime | None) -> datetime | None:
        try:
            if self._take():
                wake_at = await self._turn()
            self._troubles.reset()
        except (Deleted, Demoted, Unreadable, Rest):
            raise
        except Exception as error:
            # Whatever it was: as long as calls are in flight, what they bring is worth more than a clean end.
            if self._calls.idle:
                raise
            if isinstance(error, Refused):
                log.error("run %s/%s: %s", *self.entry.key, error)
            else:
                log.exception("run %s/%s failed inside the operator", *self.entry.key)
            self._dirty = True
            self._reservations.give_back_granted()
            await asyncio.sleep(self._troubles.pause())
        return wake_at

    def _take(self) -> bool:
        """Take what is new; whether anything was."""
        dirty, self._dirty = self._dirty, False
        news = self._take_news()
        outcomes = self._calls.take_outcomes()
        self._state.add(outcomes)  # first of all: whatever fails below, they are not lost
        if news:
            self._state.adopt()
        for outcome, call in self._state.record_unstored():
            verdict = call.attempt_log[-1].verdict if call.attempt_log else Verdict.SUCCESS
            seconds = (outcome.ended - outcome.started).total_seconds()
            self._shell.meter.attempt(
                self.entry.workflow, outcome.step, outcome.direction, verdict, seconds, _trace(self._state.working)
            )
        return dirty or news or bool(outcomes)

    def _take_news(self) -> bool:
        news, self._news = self._news, None
        if news is None or not is_newer(version_of(news["metadata"]), self.entry.version):
            return False
        self.entry.take(news)
        return True

    async def _turn(self) -> datetime | None:
        """Plan, store and act once; when to look again."""
        definition = await self._definition()
        plan = self._plan(definition)
        if plan.status == self._state.stored:
            self._calls.cut(plan.cut)
        elif self._only_tells(plan) and (pause := self._shell.notices.pause(self.entry, _loop_time())):
            later = self._shell.now() + timedelta(seconds=pause)
            return later if plan.wake_at is None else min(later, plan.wake_at)
        elif plan.urgent or not await self._coalesce(plan.wake_at):
            await self._store(plan, definition)
        entry = self.entry
        if entry.command is not None and entry.new_command is None and not self._draining:
            self._dirty = True
            await self._storage.acknowledge()
        return plan.wake_at

    def _only_tells(self, plan: Plan) -> bool:
        """All that this plan would store is what the run waits for."""
        if plan.urgent or not plan.postponed or self._state.has_unstored or not self._calls.idle:
            return False
        stored, after = self._state.stored, plan.status
        return after.start_time is None or after.model_copy(update={"waiting": stored.waiting}) == stored

    def _may_act(self) -> bool:
        return self._shell.shards.may_act(self.entry.uid)

    def _plan(self, definition: Definition | Unresolved) -> Plan:
        """What to do next, with a slot reserved for every call of it."""
        state, shell, reservations = self._state, self._shell, self._reservations
        if self._draining:
            reservations.keep_only(())
            return Plan(state.working, urgent=True)
        command = self.entry.new_command
        eager = command is not None and command.verb == "retry"
        blocked = reservations.blocked()
        while True:
            nonce = os.urandom(8).hex()
            plan = shell.plan(
                state.run,
                definition,
                state.working,
                self._calls.in_flight,
                shell.now(),
                nonce,
                shell.service_url,
                blocked,
            )
            lacking = reservations.reserve(plan.attempts, eager=eager)
            if not lacking:
                needed = {(attempt.step, attempt.direction) for attempt in plan.attempts}
                reservations.keep_only(needed | plan.postponed)
                return plan
            blocked |= lacking

    async def _definition(self) -> Definition | Unresolved:
        state, entry = self._state, self.entry
        revision = state.working.revision
        found: Definition | Unresolved
        if revision is not None and state.definition is not None and state.definition.revision == revision:
            found = state.definition
        elif revision is not None:
            found = await self._storage.definition(revision)
        else:
            found = state.unreadable_spec or self._shell.lookup(entry.namespace, entry.workflow)
        self.unresolved = found if isinstance(found, Unresolved) and found is not state.unreadable_spec else None
        state.definition = None if isinstance(found, Unresolved) else found
        return found

    async def _coalesce(self, wake_at: datetime | None) -> bool:
        """Wait for something that can share the write; whether it came within the second.

        What is due by the clock within that second is such a thing: its intention shares the write of the result.
        """
        now = _loop_time()
        if self._coalesce_until is None:
            self._coalesce_until = now + COALESCE_SECONDS
        left = self._coalesce_until - now
        due = None if wake_at is None else (wake_at - self._shell.now()).total_seconds()
        if due is not None and due < left:
            await self._rest(max(due, SHORTEST_REST_SECONDS))
            came = True
        else:
            came = left > 0 and await self._rest(left)
        self._dirty = self._dirty or came
        return came

    async def _store(self, plan: Plan, definition: Definition | Unresolved) -> None:
        """Write the status of the plan, and act upon it once it is certain that it was written."""
        state, storage, self._coalesce_until = self._state, self._storage, None
        self.entry.notice_at = None
        stored, document = state.stored, plan.status.document()
        new_pin = plan.status.revision is not None and plan.status.revision != stored.revision
        if new_pin and isinstance(definition, Definition) and not await storage.pin(definition):
            self._reservations.give_back_granted()
            self._dirty = True
            return
        error = await storage.write(document)
        if error is not None:
            self._dirty = True
            perhaps = disposition(error).next is Next.CHECK
            if not perhaps:
                self._reservations.give_back_granted()
            await storage.recover(error)
            if not perhaps:
                return
            if not self._happened(plan, document):
                self._reservations.give_back_granted()
                await storage.pause(error)
                return
        state.keep(plan.status, document)
        self._act(plan)
        run_log.write(state.run, stored, plan.status, plan.events)
        self._count_end(stored, plan.status)
        self._shell.tracer.stored(state.run, stored, plan.status)

    def _count_end(self, before: ExecutionStatus, after: ExecutionStatus) -> None:
        ended = after.completion_time
        if ended is not None and before.completion_time is None:
            seconds, trace = (ended - (after.start_time or ended)).total_seconds(), _trace(after)
            self._shell.meter.run_ended(self.entry.workflow, after.phase.value, seconds, trace)
            undone = after.compensation.phase if after.compensation else None
            if undone in (CompensationPhase.SUCCESS, CompensationPhase.FAILURE):
                self._shell.meter.undo_ended(self.entry.workflow, undone.value, trace)

    def _happened(self, plan: Plan, document: Object) -> bool:
        """Whether what was just read is what this plan wrote: only this process knows the ids of its attempts."""
        if plan.attempts:
            return not intentions(self._state.stored).isdisjoint(attempt.id for attempt in plan.attempts)
        return self._state.document == document

    def _act(self, plan: Plan) -> None:
        """Do what is remembered now."""
        self._calls.cut(plan.cut)
        if self._may_act():  # also while draining: what is remembered as in flight had better be
            for attempt in plan.attempts:
                self._calls.send(attempt, self._reservations.take(attempt))
        for event in plan.events:
            self._shell.recorder.post(self.entry.namespace, self.entry.name, self.entry.uid, event)

    async def _rest_until(self, moment: datetime | None) -> None:
        if moment is None:
            await self._wakeup.wait()
            return
        left = (moment - self._shell.now()).total_seconds()
        if not await self._rest(min(max(left, SHORTEST_REST_SECONDS), LONGEST_REST_SECONDS)):
            self._dirty = self._shell.now() >= moment

    async def _rest(self, seconds: float) -> bool:
        """Wait to be woken; whether that was before the time was up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        timer = loop.call_at(until, self._wakeup.set)
        try:
            await self._wakeup.wait()
        finally:
            timer.cancel()
        return loop.time() < until


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _trace(status: ExecutionStatus) -> str | None:
    """The id of the run's trace, out of its traceparent."""
    return status.trace.traceparent.split("-")[1] if status.trace else None
