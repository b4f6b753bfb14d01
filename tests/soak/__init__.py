"""Minutes of mixed sagas while everything around them keeps failing: `python -m tests.soak --minutes 10 --seed 7`.

A real control plane, two operators that share the runs, the services of examples/order. Three people are at work, each
in a thread of their own and each with their own dice, which the seed sets:

| who | what they do |
|---|---|
| `customers` | start runs of `stories` at a steady rate; suspend, abort, delete and mend some; clear away what ended |
| `saboteurs` | one ends, freezes and restarts servers and operators; one makes services fail, hang and break off |
| `gauges`    | watch memory and file handles of the operator that is never ended |

At the end all is repaired; every run must end, the history of every run must be clean (tests/e2e/history), the
operators' logs too, and memory and file handles must be flat.
"""
