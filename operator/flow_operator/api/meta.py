"""Names that the three kinds share, and the base of every model.

Models are read leniently (an older operator must survive an object that a newer one wrote) and are values: nothing in
them changes after they were made. Attribute names are Python's, field names are Kubernetes' camelCase.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

GROUP = "flow.unistack.org"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

WORKFLOW_LABEL = f"{GROUP}/workflow"
COMMAND_ANNOTATION = f"{GROUP}/command"
COMMAND_ARGS_ANNOTATION = f"{GROUP}/command-args"
COMMAND_ID_ANNOTATION = f"{GROUP}/command-id"
COMMAND_ANNOTATIONS = (COMMAND_ANNOTATION, COMMAND_ARGS_ANNOTATION, COMMAND_ID_ANNOTATION)

NAME_MAX_LENGTH = 63

UNTYPED_ITEMS = "x-flow-untyped-items"
"""Marks a list whose items the API server keeps as they are: a typed item makes each write of it dearer."""

SIMPLE_TYPE = "x-flow-simple-type"
"""Names a type for the reference, and says what it means."""


def simple(name: str, meaning: str) -> Any:
    """For an `Annotated` alias: the name and the meaning that the reference gives to this type."""
    return Field(json_schema_extra={SIMPLE_TYPE: {"name": name, "meaning": meaning}})


class Model(BaseModel):
    """A value of the API: immutable, camelCase outside, unknown fields ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    def document(self) -> dict[str, Any]:
        """This value as it is written to the API server: JSON types, no nulls."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)
