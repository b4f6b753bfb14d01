"""Definitions: what a workflow says, and everything that is wrong with it. Nothing here knows of a run.

| file | what is in it |
|---|---|
| `graph`, `succession` | the steps as a directed acyclic graph, and the order in which they are undone |
| `definition` | a workflow with every reference resolved and every default filled in |
| `findings` | everything that is wrong with a definition, at once |
| `field_findings`, `graph_findings`, `expression_findings` | its parts |
| `field_mistakes` | what is wrong with a value, and what to write instead |
"""
