"""What the operator would refuse at its start is refused by the chart, before anything is installed.

The chart may be stricter than the operator is.
"""

import json
import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helm.chart import CHART, HelmError, rendered
from tests.helm.test_rendered import FROM_THE_POD, camel_case, settings
from tests.test_settings import BAD

from flow_operator.adapters.egress import Destinations
from flow_operator.settings import InvalidSetting, load
from flow_operator.settings.model import SETTINGS, variable

pytestmark = pytest.mark.e2e

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
OF_THE_CHART = [name for name in SETTINGS if name not in FROM_THE_POD]


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
        if "has host bits set" not in str(refused):  # the templates find these
            raise


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, text, _ in BAD if name not in FROM_THE_POD])
def test_what_the_operator_refuses_the_chart_refuses(name: str, text: str) -> None:
    kind = schema_of(name).get("type")
    value = (
        text.split(",") if kind == "array" else int(text) if kind == "integer" and text.lstrip("-").isdigit() else text
    )

    with pytest.raises(HelmError, match=camel_case(name)):
        rendered({"settings": {camel_case(name): value}})


@pytest.mark.parametrize("network", ["10.0.0.1/8", "10.0.0.128/24", "0.0.0.1/0", "fec0::/9", "fd00::1/64", "::1/127"])
def test_a_network_with_host_bits_is_refused(network: str) -> None:
    with pytest.raises(ValueError, match="host bits"):
        Destinations.parse(network)
    with pytest.raises(HelmError, match=f"egressDeny: {network} has bits set behind its prefix"):
        rendered({"settings": {"egressDeny": ["shop.example", network]}})


def test_every_length_of_a_prefix_is_taken() -> None:
    ones = [IPv4Network((2**32 - 1, length), strict=False) for length in range(33)]
    more = [IPv6Network((2**128 - 1, length), strict=False) for length in range(129)]
    written = (
        [str(each) for each in (*ones, *more)] + [each.exploded for each in more] + ["::/0", "::1", "64:ff9b::/96"]
    )

    assert settings({"settings": {"egressAllow": written}}).egress_allow == Destinations.parse(",".join(written))
