"""Who ought to hold which shard: fair, with the fewest moves, and the same wherever it is computed."""

from collections import Counter
from itertools import combinations
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from flow_operator.adapters.balance import owners

NAMES = [f"replica-{letter}" for letter in "abcdefgh"]
REPLICAS = st.sets(st.sampled_from(NAMES), min_size=1)


@st.composite
def situations(draw: st.DrawFn) -> tuple[set[str], dict[int, str], int]:
    """Replicas, holders (some of which are no replicas any more), and the number of shards."""
    shards = draw(st.integers(1, 64))
    holders = draw(st.dictionaries(st.integers(0, shards - 1), st.sampled_from([*NAMES, "gone", "leaving"])))
    return draw(REPLICAS), holders, shards


@given(situations())
def test_every_shard_has_one_owner_and_shares_differ_by_one_at_most(
    situation: tuple[set[str], dict[int, str], int],
) -> None:
    replicas, holders, shards = situation
    owned = owners(replicas, holders, shards)
    assert set(owned) == set(range(shards))
    assert set(owned.values()) <= replicas
    sizes = [Counter(owned.values())[replica] for replica in replicas]
    assert max(sizes) - min(sizes) <= 1


@given(situations(), st.randoms(use_true_random=False))
def test_all_replicas_compute_the_same_from_the_same_facts(
    situation: tuple[set[str], dict[int, str], int], random: Random
) -> None:
    replicas, holders, shards = situation
    names, items = list(replicas), list(holders.items())
    random.shuffle(names)
    random.shuffle(items)
    assert owners(names, dict(items), shards) == owners(sorted(replicas), holders, shards)


@given(situations())
def test_what_is_balanced_stays_as_it_is(situation: tuple[set[str], dict[int, str], int]) -> None:
    replicas, holders, shards = situation
    owned = owners(replicas, holders, shards)
    assert owners(replicas, owned, shards) == owned


def fewest_moves(replicas: set[str], holders: dict[int, str], shards: int) -> int:
    """How many shards must leave replicas that stay, tried for every way to deal out the odd ones."""
    held = Counter(holder for holder in holders.values() if holder in replicas)
    share, odd = divmod(shards, len(replicas))
    return min(
        sum(max(0, held[replica] - share - (replica in lucky)) for replica in replicas)
        for lucky in combinations(sorted(replicas), odd)
    )


@given(situations())
def test_no_fair_share_needs_fewer_moves(situation: tuple[set[str], dict[int, str], int]) -> None:
    replicas, holders, shards = situation
    owned = owners(replicas, holders, shards)
    moved = sum(owned[shard] != holder for shard, holder in holders.items() if holder in replicas)
    assert moved == fewest_moves(replicas, holders, shards)


@given(situations(), st.randoms(use_true_random=False))
def test_one_by_one_and_in_any_order_it_takes_no_more_moves(
    situation: tuple[set[str], dict[int, str], int], random: Random
) -> None:
    """Shards are given back and taken one at a time, and whoever is next computes anew."""
    replicas, holders, shards = situation
    now, moved = dict(holders), 0
    while wrong := [shard for shard, owner in owners(replicas, now, shards).items() if now.get(shard) != owner]:
        shard = random.choice(wrong)
        if shard in now:
            moved += now.pop(shard) in replicas
        else:
            now[shard] = owners(replicas, now, shards)[shard]
    assert moved == fewest_moves(replicas, holders, shards)


def test_one_more_replica_takes_its_share_and_nothing_else_moves() -> None:
    two = owners({"a", "b"}, {}, 8)
    three = owners({"a", "b", "c"}, two, 8)
    assert sum(three[shard] != two[shard] for shard in range(8)) == 2
    assert Counter(three.values()) == {"a": 3, "b": 3, "c": 2}


def test_more_replicas_than_shards_leave_some_without() -> None:
    assert owners({"a", "b", "c"}, {0: "c"}, 1) == {0: "c"}
    assert sorted(owners({"a", "b", "c"}, {0: "c"}, 2).items()) == [(0, "c"), (1, "a")]
