"""How fast the operator is, beside what the API server itself can do: `python -m bench`.

Everything is measured in one run on one API server, and what matters are the ratios: how many runs per second of those
that the raw rate of status writes allows, how long until the first call beside how long a watch event and a write take.
Times are printed and never asserted: a slow machine is no fault of the operator.

| module | what is in it |
|---|---|
| `options`, `stage` | what is measured, and what it is measured on: control plane, service, operator |
| `saga`, `service`, `callee` | the workflow, the service that it calls, and how that is asked what it saw |
| `client`, `requests` | the API server as the bench reaches it, and what it says of the requests it had |
| `raw`, `latency`, `throughput`, `memory` | the measurements |
| `profiled`, `rooms` | the operator under a profiler, and whose code its time goes to |
| `results`, `targets`, `report` | what was measured, what is wanted, and tables of both |
| `page`, `plot` | docs/performance.md and its picture |
"""
