"""Rules over several fields, said twice: in CEL for the API server, in Python for whoever reads the object later.

Both sayings stand side by side in the model that they bind, with one message, so that they cannot drift apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from flow_operator.api.meta import Model


@dataclass(frozen=True)
class Rule:
    """One rule. `holds` is absent for a rule over a change, which only the API server sees."""

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None
    field: str | None = None
    """The field that is to blame, if it is one: `.name`."""

    def document(self) -> dict[str, str]:
        """The rule as an item of `x-kubernetes-validations`."""
        path = {"fieldPath": self.field} if self.field else {}
        return {"rule": self.cel, "message": self.message, **path}


class RuledModel(Model):
    """A model whose fields must fit together."""

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        broken = [rule.message for rule in self.rules if rule.holds and not rule.holds(self)]
        if broken:
            raise ValueError("; ".join(broken))
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema that pydantic makes, with the rules in it."""
        schema = handler(core)
        rules = [rule.document() for rule in cls.rules]
        handler.resolve_ref_schema(schema).update({"x-kubernetes-validations": rules} if rules else {})
        return schema
