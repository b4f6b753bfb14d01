"""What comes before what: said twice, once for graphs without a circle and once for any, and both say the same."""

from hypothesis import given
from hypothesis import strategies as st

from flow_operator.engine.graph import Node, ancestors, cycles, dag, reach


@st.composite
def acyclic(draw: st.DrawFn) -> list[Node]:
    """Up to eight steps, each requiring some before it; some of those that require nothing are fallbacks."""
    ids = [f"s{number}" for number in range(draw(st.integers(1, 8)))]
    requires = {id: draw(st.sets(st.sampled_from(ids[:n]))) if n else set() for n, id in enumerate(ids)}
    fallback: dict[str, str] = {}
    for number, id in enumerate(ids):
        free = [other for other in ids[number + 1 :] if other not in fallback.values() and not requires[other]]
        required = {to for others in requires.values() for to in others}
        free = [other for other in free if other not in required]
        if free and draw(st.booleans()):
            fallback[id] = draw(st.sampled_from(free))
    return draw(st.permutations([Node(id, tuple(sorted(requires[id])), fallback.get(id)) for id in ids]))


@given(acyclic())
def test_walking_finds_the_same_ancestors(nodes: list[Node]) -> None:
    assert reach(nodes) == dag(nodes).ancestors
    assert list(cycles(nodes)) == []


@given(st.lists(st.builds(Node, st.sampled_from("abcd"), st.sets(st.sampled_from("abcdx")).map(tuple)), max_size=6))
def test_any_graph_has_ancestors_and_finitely_many_circles(nodes: list[Node]) -> None:
    found = ancestors(nodes)

    assert found.keys() == {node.id for node in nodes}
    circles = [set(cycle.path) for cycle in cycles(nodes)]
    assert all(circle <= found[id] for circle in circles for id in circle)
    assert sum(map(len, circles)) == len(set().union(*circles))
