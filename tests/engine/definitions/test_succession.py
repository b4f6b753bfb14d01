"""Which steps come after which, against what the ancestors say."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.engine.strategies import workflows

from flow_operator.engine.definitions.definition import Definition
from flow_operator.engine.readiness import definition_of


@given(workflows(), st.data())
def test_the_nearest_are_those_with_none_of_the_others_between(spec: dict[str, Any], data: st.DataObject) -> None:
    definition = definition_of("order", spec, {})
    assert isinstance(definition, Definition)
    ancestors, succession = definition.dag.ancestors, definition.succession
    among = data.draw(st.sets(st.sampled_from(definition.ids)))
    bits = succession.bits(among)
    for id in definition.ids:
        later = {other for other in among if id in ancestors[other]}
        near = {other for other in later if not ancestors[other] & later}
        assert set(succession.nearest(id, bits)) == near
        assert succession.any_after(id, bits) == bool(later)
