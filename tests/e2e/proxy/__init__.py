"""A reverse proxy that stands between the operator and the world, and is told what to do with which request.

    with Proxy(to_the_api_server, tls) as proxy:
        proxy.rules = [Rule(lambda passing: passing.resource == "leases", refuse(403), times=3)]

The first rule that has a fault for a request decides what becomes of it; all others are passed on as they are, watches
included. The operator knows nothing of it: it is the world that misbehaves.
"""

from tests.e2e.proxy.faults import Hold, cut, expire, hang, lose_answer, refuse, slow, wait_for
from tests.e2e.proxy.passing import Fault, Passing, Rule
from tests.e2e.proxy.server import Proxy

__all__ = [
    "Fault",
    "Hold",
    "Passing",
    "Proxy",
    "Rule",
    "cut",
    "expire",
    "hang",
    "lose_answer",
    "refuse",
    "slow",
    "wait_for",
]
