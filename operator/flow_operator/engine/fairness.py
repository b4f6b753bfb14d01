"""How a limited number of slots is shared between namespaces, so that one of them never has all.

The share of a namespace follows from what is free, as the share of a queue in a switch with shared memory does
(A. K. Choudhury and E. L. Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches", 1998): it may
take one more as long as it holds less than four times what would be left. Alone it gets about four fifths; the rest is
there at once for the next namespace, and as slots are given back two that both want all get the same.
"""

GREED = 4
"""How many times what is left a namespace may hold."""


def may_take(held: int, free: int, limit: int = 0) -> bool:
    """Whether a namespace that holds so many slots may take one more of those that are free.

    A `limit` above 0 is a fixed number per namespace and replaces the share. The only slot there is may be taken.
    """
    if free <= 0:
        return False
    if limit > 0:
        return held < limit
    return held == 0 or held < GREED * (free - 1)
