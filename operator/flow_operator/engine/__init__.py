"""The decision as a value: what to do next is computed here, and nothing here does anything.

| room or file | what is in it |
|---|---|
| `expressions`, `messages`, `definitions` | rooms that know nothing of a run, and each only of those before it |
| `contract` | what the core and the shell tell each other |
| `planning`, `recording` | the two functions of the core: what to do next, and what an outcome made of a run |
| `starting`, `forward`, `backward`, `settling` | the parts of a plan, in their order |
| `commands`, `verbs`, `command_context`, `aborting`, `suspension` | what a person asks for |
| `sending`, `requests`, `snapshot`, `verdicts`, `retries` | one attempt, from its request to what it means |
| `state`, `calls`, `conditions`, `compensation`, `waiting` | reading and changing a status |
| `deadlines`, `alignment`, `size` | its clocks, its steps beside those of the definition, its bytes |
| `readiness` | the status of definitions |
| `errors`, `fairness` | decisions for the shell: what follows from an error, who gets the next slot |
"""
