"""Every state that a run can reach, for every small workflow; and rules broken on purpose, each of which is found."""

import pytest
from tests.engine.explorer.graphs import BROKEN, PLAIN, Graph, Policy, graphs
from tests.engine.explorer.invariants import INVARIANTS
from tests.engine.explorer.moves import EVERYTHING, Alphabet
from tests.engine.explorer.mutations import MUTATIONS, Mutation
from tests.engine.explorer.walk import Violation, Walk

CALM = Alphabet(people=False)
"""Every answer and every crash, but no commands."""
POLICIES = (Policy(), Policy(retries=1, undo_retries=1), Policy(mode="None"), Policy(retries=1, run="3s"))


def named(graph: Graph) -> str:
    return " ".join(f"{part}" for part in graph)


@pytest.mark.parametrize("policy", POLICIES, ids=str)
@pytest.mark.parametrize("graph", tuple(graphs(1, BROKEN)), ids=named)
def test_one_step_whatever_happens(graph: Graph, policy: Policy) -> None:
    assert Walk(graph, policy, EVERYTHING, INVARIANTS).go().ended


@pytest.mark.parametrize("graph", tuple(graphs(2, PLAIN)), ids=named)
def test_two_steps_whatever_services_and_crashes_do(graph: Graph) -> None:
    assert Walk(graph, Policy(), CALM, INVARIANTS).go().ended


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_broken_rule_is_found(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation.apply(monkeypatch)
    with pytest.raises(Violation) as found:
        _explore()
    assert found.value.name in mutation.found_by


def _explore() -> None:
    for size, alphabet in ((1, EVERYTHING), (2, CALM)):
        for graph in graphs(size, PLAIN):
            for policy in POLICIES:
                Walk(graph, policy, alphabet, INVARIANTS).go()
