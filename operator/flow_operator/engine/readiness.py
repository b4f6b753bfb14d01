"""The status of definitions: Ready or not, and every finding at once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flow_operator.api.status import DefinitionStatus, WorkflowStatus


def step_status(name: str, generation: int, spec: Any, previous: DefinitionStatus, now: datetime) -> DefinitionStatus:
    """The status of a Step whose `spec` is as the API server holds it (poison included)."""
    raise NotImplementedError


def workflow_status(
    name: str, generation: int, spec: Any, steps: Mapping[str, Any], previous: WorkflowStatus, now: datetime
) -> WorkflowStatus:
    """The status of a Workflow, given the specs of the Steps in its namespace."""
    raise NotImplementedError
