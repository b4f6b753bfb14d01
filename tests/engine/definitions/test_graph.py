"""What comes before what: said twice, once for graphs without a circle and once for any, and both say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow_operator.engine.definitions.graph import Cycle, Dag, Node, ancestors, cycles, dag, reach

DIAMOND = (Node("d", ("b", "c")), Node("b", ("a",)), Node("c", ("a",)), Node("a"))
CHAIN = (Node("a", (), "f"), Node("f", (), "g"), Node("g"), Node("b", ("a",)))
SEVERAL_ROOTS = (Node("a"), Node("b"), Node("c", ("a",)))


@pytest.mark.parametrize(
    ("nodes", "levels", "leaves"),
    [
        (DIAMOND, "a | b c | d", "d"),
        (CHAIN, "a | f b | g", "b"),
        (SEVERAL_ROOTS, "a b | c", "b c"),
        ((Node("a"),), "a", "a"),
        ((), "", ""),
    ],
)
def test_levels_and_leaves(nodes: tuple[Node, ...], levels: str, leaves: str) -> None:
    found = dag(nodes)
    assert " | ".join(" ".join(level) for level in found.levels) == levels
    assert " ".join(found.leaves) == leaves


@pytest.mark.parametrize(
    ("nodes", "id", "before"),
    [
        (DIAMOND, "d", "a b c"),
        (DIAMOND, "b", "a"),
        (DIAMOND, "a", ""),
        (CHAIN, "f", "a"),
        (CHAIN, "g", "a f"),
        (CHAIN, "b", "a f g"),
    ],
)
def test_whoever_requires_an_owner_comes_after_its_fallbacks(nodes: tuple[Node, ...], id: str, before: str) -> None:
    assert " ".join(sorted(dag(nodes).ancestors[id])) == before


@pytest.mark.parametrize("nodes", [DIAMOND, CHAIN, SEVERAL_ROOTS])
def test_parents_come_first(nodes: tuple[Node, ...]) -> None:
    found = dag(nodes)
    assert all(
        found.order.index(parent) < found.order.index(id) for id in found.order for parent in found.ancestors[id]
    )


def test_a_circle_is_named_in_order() -> None:
    with pytest.raises(Cycle) as caught:
        dag([Node("a", ("c",)), Node("b", ("a",)), Node("c", ("b",))])
    assert str(caught.value) in {"a → c → b → a", "b → a → c → b", "c → b → a → c"}


def test_ids_that_name_no_node_are_left_out() -> None:
    assert dag([Node("a", ("nobody",), "nowhere")]) == Dag(
        order=("a",),
        owner={},
        fallback={},
        parents={"a": ()},
        ancestors={"a": frozenset()},
        leaves=("a",),
        levels=(("a",),),
    )


@st.composite
def acyclic(draw: st.DrawFn) -> list[Node]:
    """Up to eight steps, each requiring some before it; some of those that require nothing are fallbacks."""
    ids = [f"s{number}" for number in range(draw(st.integers(1, 8)))]
    requires: dict[str, set[str]] = {
        id: draw(st.sets(st.sampled_from(ids[:n]))) if n else set() for n, id in enumerate(ids)
    }
    fallback: dict[str, str] = {}
    for number, id in enumerate(ids):
        free = [other for other in ids[number + 1 :] if other not in fallback.values() and not requires[other]]
        required = {to for others in requires.values() for to in others}
        free = [other for other in free if other not in required]
        if bool(free) and draw(st.booleans()):
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
