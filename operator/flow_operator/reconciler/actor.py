"""One run, from the moment it is woken until it only waits. Its rule is the order: remember before you act.

    take what is new → record the answers → plan → store → only then send → rest

A write that is refused means that nothing of its plan happens: the run is read, the answers that are not stored yet are
recorded on what it says now, and it is planned again. A write whose reply is lost may have happened: the run is read,
as often as it takes, and if the attempts of that plan stand in it they are sent; they are this process's own.
"""

import asyncio
import logging
import os
from collections.abc import Callable
from datetime import datetime

from flow_operator.api.status import CompensationPhase, ExecutionStatus, Verdict
from flow_operator.engine.contract import Plan, Unresolved
from flow_operator.engine.definition import Definition
from flow_operator.engine.errors import Refused
from flow_operator.reconciler.backoff import Backoff
from flow_operator.reconciler.calls import Calls
from flow_operator.reconciler.entry import Entry, intentions
from flow_operator.reconciler.held import Held, Unreadable
from flow_operator.reconciler.ports import Object
from flow_operator.reconciler.shell import Shell
from flow_operator.reconciler.storing import Deleted, Demoted, Storage, Written
from flow_operator.reconciler.versions import is_newer, version_of

log = logging.getLogger(__name__)

COMPANY_SECONDS = 1.0
"""How long a status that lets nothing start may wait for another to share its write."""
SHORTEST_REST_SECONDS = 0.01
"""No moment, however past, keeps the loop from everything else."""
LONGEST_REST_SECONDS = 30.0
"""The wall clock is looked at this often, in case it was set."""


class Actor:
    """The only writer of its run."""

    def __init__(self, entry: Entry, shell: Shell, moved: Callable[[], None]) -> None:
        """`moved` is called when `stands_in_line` may have changed."""
        self.entry = entry
        self.unresolved: Unresolved | None = None
        """Why there is no definition; the run is to be woken when there may be one."""
        self._shell = shell
        self._held = Held(entry, shell.record, shell.now)
        self._storage = Storage(entry, self._held, shell)
        self._bell = asyncio.Event()
        self._calls = Calls(shell.caller, shell.now, self._bell.set, moved, self._may_act)
        self._troubles = Backoff(first=1.0, longest=60.0)
        self._news: Object | None = None
        self._look = True
        self._patience: float | None = None

    @property
    def stands_in_line(self) -> bool:
        """All it waits for are places at hosts: it costs memory, and nothing else."""
        return self._calls.stands_in_line

    @property
    def _draining(self) -> bool:
        return self._shell.shards.is_draining(self.entry.uid)

    def tell(self, body: Object) -> None:
        """The watch brought this object."""
        self._news = body
        self._bell.set()

    def ring(self) -> None:
        """Something else has changed: look again."""
        self._look = True
        self._bell.set()

    def leftovers(self) -> bool:
        """After the end: whether something came that nobody looked at. The entry knows it now."""
        news = self._take_news()
        if news:
            self.entry.pack()
        return news or self._look

    async def run(self) -> datetime | None:
        """Act until there is nothing to do but wait; when to look again, None for never."""
        wake_at: datetime | None = None
        try:
            while True:
                self._bell.clear()
                if self._look or self._news or not self._calls.quiet:
                    wake_at = await self._guarded_turn(wake_at)
                elif self._calls.idle:
                    return wake_at
                else:
                    await self._rest_until(wake_at)
        finally:
            self._calls.cut_all()
            self._take_news()
            self.entry.pack()

    async def _guarded_turn(self, wake_at: datetime | None) -> datetime | None:
        try:
            if self._take():
                wake_at = await self._turn()
            self._troubles.reset()
        except (Deleted, Demoted, Unreadable):
            raise
        except Exception as error:
            # Whatever it was: as long as there are answers in memory or calls in flight, they are worth more than a
            # clean end, and what is being waited for must not be asked for twice.
            if self._calls.idle and not self._held.unstored:
                raise
            if isinstance(error, Refused):
                log.error("run %s/%s: %s", *self.entry.key, error)
            else:
                log.exception("run %s/%s failed inside the operator", *self.entry.key)
            self._look = True
            await asyncio.sleep(self._troubles.pause())
        return wake_at

    def _take(self) -> bool:
        """Take what is new; whether anything was."""
        look, self._look = self._look, False
        news = self._take_news()
        if news:
            self._held.adopt()
        outcomes = self._calls.take_outcomes()
        for outcome in outcomes:
            closed = self._held.record(outcome)
            if closed is not None:
                verdict = closed.attempt_log[-1].verdict if closed.attempt_log else Verdict.SUCCESS
                seconds = (outcome.ended - outcome.started).total_seconds()
                self._shell.meter.attempt(
                    self.entry.workflow, outcome.step, outcome.direction, verdict, seconds, _trace(self._held.working)
                )
        return look or news or bool(outcomes)

    def _take_news(self) -> bool:
        news, self._news = self._news, None
        if news is None or not is_newer(version_of(news["metadata"]), self.entry.version):
            return False
        self.entry.take(news)
        return True

    async def _turn(self) -> datetime | None:
        """Plan, store and act once; when to look again."""
        if self._draining:
            self._calls.cut_those_in_line()
        definition = await self._definition()
        plan = self._plan(definition)
        if plan.status == self._held.stored:
            self._calls.cut(plan.cut)
        elif plan.urgent or not await self._company():
            await self._store(plan, definition)
        entry = self.entry
        if entry.command is not None and entry.new_command is None and not self._draining:
            self._look = True
            await self._storage.acknowledge()
        return plan.wake_at

    def _may_act(self) -> bool:
        return self._shell.shards.may_act(self.entry.uid)

    def _plan(self, definition: Definition | Unresolved) -> Plan:
        held, shell = self._held, self._shell
        if self._draining:
            return Plan(held.working, urgent=True)
        nonce = os.urandom(8).hex()
        return shell.plan(
            held.run, definition, held.working, self._calls.in_flight, shell.now(), nonce, shell.service_url
        )

    async def _definition(self) -> Definition | Unresolved:
        held, entry = self._held, self.entry
        revision = held.working.revision
        found: Definition | Unresolved
        if revision is not None and held.definition is not None and held.definition.revision == revision:
            found = held.definition
        elif revision is not None:
            found = await self._storage.definition(revision)
        else:
            found = held.unreadable_spec or self._shell.lookup(entry.namespace, entry.workflow)
        self.unresolved = found if isinstance(found, Unresolved) and found is not held.unreadable_spec else None
        held.definition = None if isinstance(found, Unresolved) else found
        return found

    async def _company(self) -> bool:
        """Wait for something that can share the write; whether it came within the second."""
        now = asyncio.get_running_loop().time()
        if self._patience is None:
            self._patience = now + COMPANY_SECONDS
        came = self._patience > now and await self._rest(self._patience - now)
        self._look = self._look or came
        return came

    async def _store(self, plan: Plan, definition: Definition | Unresolved) -> None:
        """Write the status of the plan, and act upon it once it is certain that it was written."""
        held, storage, self._patience = self._held, self._storage, None
        stored, document = held.stored, plan.status.document()
        new_pin = plan.status.revision is not None and plan.status.revision != stored.revision
        if new_pin and isinstance(definition, Definition) and not await storage.pin(definition):
            self._look = True
            return
        written = await storage.write(document)
        if written is not Written.YES:
            self._look = True
            if written is Written.NO:
                return
            if not self._happened(plan, document):
                await storage.pause()
                return
        held.keep(plan.status, document)
        self._act(plan)
        self._count_end(stored, plan.status)
        self._shell.tracer.stored(held.run, stored, plan.status)

    def _count_end(self, before: ExecutionStatus, after: ExecutionStatus) -> None:
        ended = after.completion_time
        if ended is not None and before.completion_time is None:
            seconds, trace = (ended - (after.start_time or ended)).total_seconds(), _trace(after)
            self._shell.meter.run_ended(self.entry.workflow, after.phase.value, seconds, trace)
            undone = after.compensation.phase if after.compensation else None
            if undone in (CompensationPhase.SUCCESS, CompensationPhase.FAILURE):
                self._shell.meter.undo_ended(self.entry.workflow, undone.value, trace)

    def _happened(self, plan: Plan, document: Object) -> bool:
        """Whether what was just read is what this plan wrote: nobody else knows the ids of its attempts."""
        if plan.attempts:
            return not intentions(self._held.stored).isdisjoint(attempt.id for attempt in plan.attempts)
        return self._held.document == document

    def _act(self, plan: Plan) -> None:
        """Do what is remembered now."""
        self._calls.cut(plan.cut)
        if self._may_act() and not self._draining:
            for attempt in plan.attempts:
                self._calls.send(attempt)
        for event in plan.events:
            self._shell.recorder.post(self.entry.namespace, self.entry.name, self.entry.uid, event)

    async def _rest_until(self, moment: datetime | None) -> None:
        if moment is None:
            await self._bell.wait()
            return
        left = (moment - self._shell.now()).total_seconds()
        if not await self._rest(min(max(left, SHORTEST_REST_SECONDS), LONGEST_REST_SECONDS)):
            self._look = self._shell.now() >= moment

    async def _rest(self, seconds: float) -> bool:
        """Wait for the bell; whether it rang before the time was up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        timer = loop.call_at(until, self._bell.set)
        try:
            await self._bell.wait()
        finally:
            timer.cancel()
        return loop.time() < until


def _trace(status: ExecutionStatus) -> str | None:
    """The id of the run's trace, out of its traceparent."""
    return status.trace.traceparent.split("-")[1] if status.trace else None
