"""Every state has a way to the end, and no way goes in circles.

*Help* is: every service answers 200, time passes, and a person says `resume` and `retry` and lifts `spec.suspend`.
With nothing but help every run ends, wherever it is and in whatever order the help comes.
"""

from collections import deque
from collections.abc import Sequence, Set


def stuck(ways: Sequence[Sequence[int]], ended: Set[int]) -> int | None:
    """The first state that cannot reach the end; None when every state can."""
    behind: list[list[int]] = [[] for _ in ways]
    for state, following in enumerate(ways):
        for each in following:
            behind[each].append(state)
    found = set(ended)
    border = deque(ended)
    while border:
        for each in behind[border.popleft()]:
            if each not in found:
                found.add(each)
                border.append(each)
    return next((state for state in range(len(ways)) if state not in found), None)


def circling(ways: Sequence[Sequence[int]], ended: Set[int]) -> int | None:
    """A state from which help can go on forever without an end; None when there is none."""
    behind: list[list[int]] = [[] for _ in ways]
    left = [0 if state in ended else len(following) for state, following in enumerate(ways)]
    for state, following in enumerate(ways):
        if state not in ended:
            for each in following:
                behind[each].append(state)
    border = deque(ended)
    done = 0
    while border:
        done += 1
        for each in behind[border.popleft()]:
            left[each] -= 1
            if not left[each]:
                border.append(each)
    return None if done == len(ways) else next(state for state, count in enumerate(left) if count)
