"""What is walked: which workflows, under which policies, with which moves. Together they are the proof.

Everything that can happen, a command at every point and a change of `spec.suspend` included, happens to every workflow
of one step under every policy, and to every one of two steps without retries. Larger ones have less, and this is all
that they have less of:

- Names. Of workflows that differ only in the names of their steps one is walked, and of states that differ only in
  which of two interchangeable steps is where (`alike`) one is followed. Nothing is left out: what follows in the one
  follows in the other under other names. The order in which steps are listed could tell them apart; the same workflow
  with its children listed first is walked as well, and so is each of two steps without this reduction.
- `POSSIBLE`: commands that the table of verbs does not allow are not given. They change nothing
  (`a_rejected_command_changes_nothing`), which is proved wherever they are given, so they lead nowhere.
- `FEW`: besides, of the answers only one for each way a call can go on: done, failed, not known. (Conflicts, calls that
  were not sent and answers that are too large differ from these in the effect of one call, which knows no other.) And
  no new keys, and nobody touches `spec.suspend`: what these do with other steps about is left to the smaller workflows.
- `CALM`: no commands but `retry` and `skip`, without which a parked run would not go on. What a command does to the
  other steps of larger workflows is left out there.
- Policies. Retries and timeouts multiply the states by the time that is left; they meet every answer in workflows of
  three steps, and commands in those of three that can all be undone. Four steps go without.
- Kinds of steps. `when: true` is the same as no `when`; one that is false meets no retries in three steps and is not in
  four. A request that cannot be built is not in three. With commands the steps of the largest can all be undone
  (`UNDONE`): a step without an undo does less of the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

from tests.engine.explorer.graphs import BROKEN, PLAIN, Part, Policy, graphs
from tests.engine.explorer.invariants import INVARIANTS
from tests.engine.explorer.moves import FEW_ANSWERS, FEW_UNDO_ANSWERS, Alphabet
from tests.engine.explorer.walk import Walk

EVERYTHING = Alphabet()
POSSIBLE = replace(EVERYTHING, impossible=False)
FEW = replace(POSSIBLE, answers=FEW_ANSWERS, undo_answers=FEW_UNDO_ANSWERS, new_keys=False, held_by_spec=False)
CALM = replace(EVERYTHING, people=False)
FEW_CALM = replace(FEW, people=False)
AT_ONCE = replace(EVERYTHING, together=2)
"""Everything, and any two things before the operator looks."""
CALM_AT_ONCE = replace(CALM, together=2)
FEW_AT_ONCE = replace(FEW, together=2)

PROMPT = Policy()
PATIENT = Policy(retries=1, undo_retries=1)
NEVER_UNDONE = Policy(mode="None")
BOUNDED = Policy(retries=1, run="3s")
HURRIED = Policy(retries=1, undo_retries=1, total="1s")
POLICIES = (PROMPT, PATIENT, NEVER_UNDONE, BOUNDED, HURRIED)

UNDONE = (Part(undo=True),)
"""Steps that can be undone, which are those of which most can come."""
UNCONDITIONAL = (Part(), Part(undo=True))


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every workflow of some size, each walked under some policies."""

    name: str
    size: int
    kinds: Sequence[Part]
    policies: Sequence[Policy]
    alphabet: Alphabet
    backwards: bool = False
    alike: bool = False
    shards: int = 1
    """How many parts it is walked in, each in less than a minute."""

    def walks(self, shard: int) -> Iterator[Walk]:
        """The walks of one part."""
        for graph, policy in islice(product(graphs(self.size, self.kinds), self.policies), shard, None, self.shards):
            yield Walk(graph, policy, self.alphabet, INVARIANTS, backwards=self.backwards, alike=self.alike)


SHORT = (
    Matrix("two steps, all answers and crashes", 2, PLAIN, (PROMPT,), CALM_AT_ONCE),
    Matrix("three steps that can be undone, all answers", 3, UNDONE, (PROMPT,), CALM, alike=True),
    Matrix("two steps that can be undone, a few commands", 2, UNDONE, (PROMPT, BOUNDED), FEW),
    Matrix("one step, everything", 1, BROKEN, (PROMPT, NEVER_UNDONE, BOUNDED, HURRIED), EVERYTHING),
)
"""What every `make test` walks."""

FULL = (
    Matrix("one step, any two things at once", 1, BROKEN, POLICIES, AT_ONCE),
    Matrix("two steps, everything", 2, PLAIN, (PROMPT,), EVERYTHING, shards=4),
    Matrix("two steps with retries, all commands", 2, UNCONDITIONAL, POLICIES[1:], POSSIBLE, alike=True, shards=8),
    Matrix("two steps, any two things at once", 2, UNCONDITIONAL, POLICIES, FEW_AT_ONCE, shards=2),
    Matrix("two steps of every kind, all answers", 2, BROKEN, POLICIES, CALM_AT_ONCE, shards=4),
    Matrix("two steps, children listed first", 2, PLAIN, POLICIES, CALM, backwards=True),
    Matrix("three steps, all answers", 3, PLAIN, (PROMPT,), CALM, alike=True, shards=2),
    Matrix("three steps with retries, all answers", 3, UNCONDITIONAL, POLICIES[1:], CALM, alike=True, shards=4),
    Matrix("three steps, children listed first", 3, UNCONDITIONAL, (PROMPT,), CALM, backwards=True),
    Matrix("three steps, a few commands", 3, PLAIN, (PROMPT,), FEW, alike=True, shards=6),
    Matrix("three steps, children listed first, a few commands", 3, UNDONE, (PROMPT,), FEW, backwards=True, shards=2),
    Matrix("three steps with retries, a few commands", 3, UNDONE, (PATIENT, BOUNDED), FEW, alike=True, shards=4),
    Matrix("three steps that can be undone, all commands", 3, UNDONE, (PROMPT,), POSSIBLE, alike=True, shards=10),
    Matrix("four steps that can be undone, a few commands", 4, UNDONE, (PROMPT,), FEW, alike=True, shards=4),
    Matrix("four steps, a few answers", 4, UNCONDITIONAL, (PROMPT,), FEW_CALM, alike=True, shards=2),
)
"""What `make test-full` walks besides."""
