"""The shell: it gathers, asks the core what to do, and does it in one order: remember before you act.

| file | what is in it |
|---|---|
| `runs` | every run that is known, who is awake, what wakes them |
| `actor` | one run that is awake: plan, store, act |
| `run_state`, `storing`, `calls` | what an actor knows of its run, reads and writes of it, and has on the wire |
| `reservations` | what its calls have asked for at their hosts |
| `notices` | when a run may be written only to say what it waits for |
| `run_log` | what the log says of runs |
| `entry` | what is kept of a run that waits or has ended |
| `definitions`, `statuses`, `revisions` | the caches of definitions, their statuses, and what runs are pinned to |
| `listing` | a comparison with the API server, now and then |
| `ports` | what the world outside must offer |
"""

from flow_operator.reconciler.reconciler import Reconciler, World

__all__ = ["Reconciler", "World"]
