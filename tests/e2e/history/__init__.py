"""Checks the history of a run: every rule that binds the operator, whatever went wrong meanwhile.

| rule | its sentence in semantics.md |
|---|---|
| `recorded_first` | Before a call is sent, the status says: this step is Running, attempt n, this idempotency key |
| `sent_once` | A step in flight that was lost is repeated under the same number and key: recorded, like any attempt |
| `one_key` | Idempotency-Key: `<run uid>/<step id>/<do or undo>/<generation>`, the same across retries and restarts |
| `same_bytes` | A retry sends the same bytes |
| `one_effect` | At most one key per step and direction can have an effect |
| `honest_effect` | Effect says what may have happened at the service: None, Applied, Unknown |
| `parents_first` | A result is stored before any step that depends on it starts |
| `children_undone_first` | The undo of S may start when every member that (transitively) required S has been undone |
| `still_before_undo` | Nothing may be in flight when it starts |
| `undone_exactly` | Undone are the steps that have `compensate` and whose effect is Applied or Unknown |
| `undone_once` | An undo that succeeded is never called again, whatever happens |
| `nothing_forward` | Never repeated after abort or failure; steps that never started stay Pending |
| `frozen` | Frozen at once (phase Suspend): no new attempt of anything |
| `counted` | X-Flow-Attempt: from 1, growing; effect is Applied if any attempt was, else Unknown if any was |
| `pinned` | The write that makes the phase Running also names the revision; editing never changes a run that started |
| `final` | A run has ended when completionTime is set |

Each rule is a function from a `Run` to what violates it, in words; `calls`, `order` and `course` have them, `trail`
reads what they look at. A call's time is compared with the time at which the API server received a write, never with
the time of its answer, which the log may take late (see controlplane/audit.py).
"""

from collections.abc import Callable, Iterable

from tests.e2e.history.calls import honest_effect, one_effect, one_key, recorded_first, same_bytes, sent_once
from tests.e2e.history.course import counted, final, frozen, nothing_forward, pinned
from tests.e2e.history.order import (
    children_undone_first,
    parents_first,
    still_before_undo,
    undone_exactly,
    undone_once,
)
from tests.e2e.history.trail import RUNS, Run, Write, runs

__all__ = ["RULES", "RUNS", "Run", "Write", "runs", "violations"]

RULES: tuple[Callable[[Run], Iterable[str]], ...] = (
    recorded_first,
    sent_once,
    one_key,
    same_bytes,
    one_effect,
    honest_effect,
    parents_first,
    children_undone_first,
    still_before_undo,
    undone_exactly,
    undone_once,
    nothing_forward,
    frozen,
    counted,
    pinned,
    final,
)


def violations(run: Run) -> list[str]:
    """Everything in the history of a run that should not have been."""
    return [f"{run.name}: {rule.__name__}: {found}" for rule in RULES for found in rule(run)]
