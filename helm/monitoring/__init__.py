"""Alerts and dashboards: generated, so that they name only metrics that there are, and each alert its runbook.

`python -m helm.monitoring` writes the chart's files; `--check` proves them current.
"""
