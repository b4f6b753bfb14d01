"""One operator that is started again when it dies; or several, of which another goes on before that."""

from tests.controlplane import eventually
from tests.e2e.operator import Operator
from tests.e2e.proxied_shop import ProxiedShop
from tests.e2e.replicas import SLACK, held_by

DURATION = 5.0
"""Short enough to wait for its end, and long enough for a busy machine to keep it."""
SHORT_LEASE = {"FLOW_LEASE_DURATION": f"{DURATION:g}s"}


class Relay:
    """Operators with one shard, so that one of them acts at a time."""

    def __init__(self, proxied_shop: ProxiedShop, *identities: str) -> None:
        """Hire them; the first of them acts first."""
        self.deaths = 0
        self._operators: list[Operator] = []
        for identity in identities:
            self._operators.append(proxied_shop.hire(identity, **SHORT_LEASE))
            self._until_one_acts()

    def die(self) -> None:
        """Kill the one that acts; start it again, after another has taken over if there is one."""
        dying = self._until_one_acts()
        dying.kill()
        self.deaths += 1
        if len(self._operators) > 1:
            self._until_one_acts()
        dying.start()

    def _until_one_acts(self) -> Operator:
        return eventually(self._only_one_acting, within=DURATION + SLACK, what="one replica that acts")

    def _only_one_acting(self) -> Operator | None:
        acting = [operator for operator in self._operators if operator.is_running and held_by(operator)]
        return acting[0] if len(acting) == 1 else None
