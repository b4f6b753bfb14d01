"""Every state that a run can reach, for every small workflow; and rules broken on purpose, each of which is found.

What is walked is told in explorer/matrices.py, what must hold everywhere in explorer/invariants.py. `python -m
tests.engine.explorer` shows how much it is.
"""

from dataclasses import replace

import pytest
from tests.engine.explorer import states
from tests.engine.explorer.graphs import Graph, Part, Policy, graphs
from tests.engine.explorer.invariants import INVARIANTS
from tests.engine.explorer.matrices import (
    BOUNDED,
    CALM,
    EVERYTHING,
    FEW,
    FULL,
    HURRIED,
    PATIENT,
    POLICIES,
    POSSIBLE,
    PROMPT,
    SHORT,
    UNDONE,
    Matrix,
)
from tests.engine.explorer.moves import Alphabet
from tests.engine.explorer.mutations import MUTATIONS, Mutation
from tests.engine.explorer.twins import Twins
from tests.engine.explorer.walk import Violation, Walk

ALONE: Graph = (Part(undo=True),)
SIDE_BY_SIDE, IN_A_ROW, WITH_FALLBACK = graphs(2, UNDONE)
ONE_ANSWER = replace(FEW, answers=("answer 200", "noanswer"))


def parts(matrices: tuple[Matrix, ...], *marks: pytest.MarkDecorator) -> list[object]:
    """Every part of every matrix, as a case of a test."""
    return [
        pytest.param(matrix, shard, id=f"{matrix.name}-{shard}", marks=marks)
        for matrix in matrices
        for shard in range(matrix.shards)
    ]


def walk_all(matrices: tuple[Matrix, ...]) -> None:
    for matrix in matrices:
        for shard in range(matrix.shards):
            for walk in matrix.walks(shard):
                walk.go()


@pytest.mark.parametrize(
    ("matrix", "shard"), [*parts(SHORT), *parts(FULL, pytest.mark.full, pytest.mark.timeout(1800))]
)
def test_every_sentence_holds_whatever_happens(matrix: Matrix, shard: int) -> None:
    assert all(walk.go().ended for walk in matrix.walks(shard))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_broken_rule_is_found(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation.apply(monkeypatch)
    with pytest.raises(Violation) as found:
        walk_all(SHORT)
    assert found.value.name in mutation.found_by


@pytest.mark.parametrize(
    ("graph", "policy", "alphabet"),
    [
        pytest.param(ALONE, HURRIED, FEW, id="alone"),
        pytest.param(IN_A_ROW, PROMPT, FEW, id="in a row"),
        pytest.param(WITH_FALLBACK, BOUNDED, ONE_ANSWER, id="with fallback"),
    ],
)
def test_nothing_tells_states_of_one_place_apart(graph: Graph, policy: Policy, alphabet: Alphabet) -> None:
    assert Twins(graph, policy, alphabet, INVARIANTS).go().told_apart(1) is None


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", [PROMPT, BOUNDED, HURRIED], ids=["prompt", "bounded", "hurried"])
@pytest.mark.parametrize(
    "graph", [ALONE, SIDE_BY_SIDE, IN_A_ROW, WITH_FALLBACK], ids=["a", "a, b", "a → b", "a, else b"]
)
def test_nothing_tells_their_offspring_apart(graph: Graph, policy: Policy) -> None:
    alphabet = EVERYTHING if graph is ALONE else FEW
    assert Twins(graph, policy, alphabet, INVARIANTS).go().told_apart(3) is None


FORGOTTEN = {"that an attempt may have happened": 1, "what is left of the budget": 2, "when it is tried again": 5}
"""What a wrong key might leave out of an open call, by its place in the right one."""


@pytest.mark.parametrize("place", FORGOTTEN.values(), ids=FORGOTTEN)
def test_a_key_that_leaves_something_out_is_found(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    right = states._open
    monkeypatch.setattr(states, "_open", lambda *call: right(*call)[:place] + right(*call)[place + 1 :])
    assert Twins(ALONE, PATIENT, CALM, INVARIANTS).go().told_apart(1) is not None


def test_interchangeable_steps_lead_to_the_same_places() -> None:
    each, one_of_each = (Twins(SIDE_BY_SIDE, PROMPT, FEW, INVARIANTS, alike=alike).go() for alike in (False, True))
    assert each.orbits() == one_of_each.orbits()
    assert len(one_of_each.firsts) < len(each.firsts)
    assert len(each.firsts) == sum(len(orbit) for orbit in each.orbits())


@pytest.mark.full
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_no_broken_rule_hides_in_interchangeable_steps(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation.apply(monkeypatch)
    each, one_of_each = (
        [Walk(SIDE_BY_SIDE, policy, FEW, INVARIANTS, alike=alike) for policy in POLICIES] for alike in (False, True)
    )
    assert list(map(fails, each)) == list(map(fails, one_of_each))


def fails(walk: Walk) -> bool:
    try:
        walk.go()
    except Violation:
        return True
    return False


@pytest.mark.parametrize("graph", [ALONE, IN_A_ROW], ids=["alone", "in a row"])
def test_commands_that_are_not_possible_lead_nowhere(graph: Graph) -> None:
    everything, possible = (Twins(graph, PROMPT, alphabet, INVARIANTS).go() for alphabet in (EVERYTHING, POSSIBLE))
    assert everything.orbits() == possible.orbits()
    assert everything.edges > possible.edges
