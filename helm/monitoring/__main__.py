"""Write the chart's alerts and dashboards, or prove them current: `python -m helm.monitoring [--check]`."""

import sys
from collections.abc import Mapping
from pathlib import Path

from helm.monitoring.alerts import rules
from helm.monitoring.dashboards import fleet, text, workflow

from flow_operator.api.generated import write_or_check

FILES = Path("helm") / "flow-operator" / "files"
DASHBOARDS = {"fleet": fleet, "workflow": workflow}


def files(_: Path) -> Mapping[str, str]:
    """Path in the repository → content."""
    dashboards = {str(FILES / "dashboards" / f"{name}.json"): text(model()) for name, model in DASHBOARDS.items()}
    return {str(FILES / "alerts.yaml"): rules(), **dashboards}


if __name__ == "__main__":
    sys.exit(write_or_check("helm.monitoring", files, sys.argv[1:]))
