"""Expressions: CEL, templates, and exact JSON. Nothing here knows of a step, a message or a run.

| file | what is in it |
|---|---|
| `json_text` | JSON that keeps the text of numbers: reading, writing, weighing |
| `syntax`, `reads` | the syntax tree of an expression; what it reads and what it may cost |
| `evaluation` | compiling and evaluating CEL |
| `cel_values` | values on their way into CEL and out of it |
| `templates` | JSON with expressions in its strings |
| `pinned` | expressions of a pinned definition, which an older operator may have accepted |
| `expression_errors`, `expression_mistakes` | what went wrong, in words for the author, and what to write instead |
| `spelling` | did you mean |
"""
