"""Panels of a Grafana dashboard, with no more of its JSON model than needed, and the grid that holds them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, STAT_HEIGHT = 24, 8, 4
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One question, and the queries that answer it, by legend."""

    title: str
    description: str
    queries: dict[str, str]
    unit: str = "short"
    stat: bool = False
    """One number instead of its course."""

    def model(self, id: int, x: int, y: int, width: int) -> dict[str, Any]:
        """As Grafana has it."""
        letters = (chr(ord("A") + number) for number in range(len(self.queries)))
        return {
            "id": id,
            "type": "stat" if self.stat else "timeseries",
            "title": self.title,
            "description": self.description,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": width, "h": STAT_HEIGHT if self.stat else HEIGHT},
            "fieldConfig": {"defaults": {"unit": self.unit, "min": 0}, "overrides": []},
            "options": {} if self.stat else {"tooltip": {"mode": "multi"}, "legend": {"placement": "bottom"}},
            "targets": [
                {
                    "refId": letter,
                    "datasource": SOURCE,
                    "expr": query,
                    "legendFormat": legend,
                    "exemplar": not self.stat,
                }
                for letter, (legend, query) in zip(letters, self.queries.items(), strict=True)
            ],
        }


def variable(name: str, query: str, *, several: bool) -> dict[str, Any]:
    """A variable whose values a query finds."""
    chosen: dict[str, Any] = {
        "type": "query",
        "name": name,
        "label": name.capitalize(),
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
    }
    return chosen | ({"allValue": ".*", "current": {"text": "All", "value": "$__all"}} if several else {})


def dashboard(
    uid: str, title: str, description: str, variables: Sequence[dict[str, Any]], rows: Sequence[Sequence[Panel]]
) -> dict[str, Any]:
    """The dashboard: each row of panels shares the width."""
    panels: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        width = WIDTH // len(row)
        for place, panel in enumerate(row):
            panels.append(panel.model(len(panels) + 1, place * width, y, width))
        y += STAT_HEIGHT if row[0].stat else HEIGHT
    source = {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"}
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["flow"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [source, *variables]},
        "annotations": {"list": []},
        "panels": panels,
    }
