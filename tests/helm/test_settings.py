"""What the operator would refuse at its start is refused by the chart, before anything is installed.

The chart may be stricter than the operator is.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helm.chart import CHART, HelmError, rendered
from tests.helm.test_rendered import FROM_THE_POD, camel_case
from tests.test_settings import BAD

from flow_operator.settings import InvalidSetting, load
from flow_operator.settings.model import SETTINGS, variable

pytestmark = pytest.mark.e2e

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
OF_THE_CHART = [name for name in SETTINGS if name not in FROM_THE_POD]
HOST_BITS = "has host bits set"
"""Of a network; a schema cannot calculate, so this is left to the operator."""
REFUSED = [(name, text) for name, text, _ in BAD if name not in FROM_THE_POD and text != "10.0.0.1/8"]


def schema_of(name: str) -> Any:
    """What the chart's schema says of a setting."""
    return resolved(SCHEMA["properties"]["settings"]["properties"][camel_case(name)])


def resolved(schema: Any) -> Any:
    """The schema, or what it refers to."""
    return SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def passing(schema: Any) -> st.SearchStrategy[Any]:
    """Values that a part of the schema lets pass; it knows the words that are used in there."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "integer":
        return st.integers(schema["minimum"], schema["maximum"])
    if schema["type"] == "array":
        return st.lists(passing(resolved(schema["items"])), max_size=2)
    return st.one_of(*(texts(schema, choice) for choice in schema.get("anyOf", [{}])))


def texts(*parts: Any) -> st.SearchStrategy[str]:
    """Texts that fit all of these."""
    pattern, *others = (part["pattern"] for part in parts if "pattern" in part)

    def fits(text: str) -> bool:
        return (
            all(re.search(other, text) for other in others)
            and all(len(text) <= part["maxLength"] for part in parts if "maxLength" in part)
            and not any(re.search(part["not"]["pattern"], text) for part in parts if "not" in part)
        )

    return st.from_regex(pattern, fullmatch=True).filter(fits)


def typed(value: Any) -> str:
    """A value as the chart writes it into the environment."""
    return ",".join(value) if isinstance(value, list) else str(value)


@pytest.mark.parametrize("name", OF_THE_CHART)
@given(data=st.data())
def test_what_the_schema_lets_pass_the_operator_takes(name: str, data: st.DataObject) -> None:
    value = data.draw(passing(schema_of(name)))

    try:
        load({variable(name): typed(value)}, [], Path("/nowhere"))
    except InvalidSetting as refused:
        if HOST_BITS not in str(refused):
            raise


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_what_the_operator_refuses_the_chart_refuses(name: str, text: str) -> None:
    kind = schema_of(name).get("type")
    value = (
        text.split(",") if kind == "array" else int(text) if kind == "integer" and text.lstrip("-").isdigit() else text
    )

    with pytest.raises(HelmError, match=camel_case(name)):
        rendered({"settings": {camel_case(name): value}})
