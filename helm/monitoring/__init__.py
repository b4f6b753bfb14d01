"""Alerts and dashboards: generated, so that they name only metrics that there are.

`python -m helm.monitoring` writes the chart's files; `--check` proves them current.
"""
