"""The table at the end: what each service did, all stories together."""

from collections import Counter
from collections.abc import Sequence

from rich.table import Table

from examples.order.services import SERVICES, Did, Entry

COLUMNS = (Did.APPLIED, Did.REPLAYED, Did.DECLINED, Did.FAILED, Did.NOTHING)


def summary(calls: Sequence[Entry]) -> Table:
    """One line per method: its calls, what they did, and for how many keys."""
    table = Table(title="What the services did, from their journals", title_justify="left", title_style="bold")
    table.add_column("service")
    table.add_column("method")
    for heading in ("calls", *COLUMNS, "keys"):
        table.add_column(heading, justify="right")
    for name, service in SERVICES.items():
        for number, method in enumerate(service.methods):
            last = number + 1 == len(service.methods)
            table.add_row("" if number else name, method, *_counts(method, calls), end_section=last)
    return table


def _counts(method: str, calls: Sequence[Entry]) -> list[str]:
    own = [call for call in calls if call.method == method]
    did = Counter(call.did for call in own)
    numbers = [len(own), *(did[column] for column in COLUMNS), len({call.key for call in own})]
    return [str(number) if number else "·" for number in numbers]


def most_effects_per_key(calls: Sequence[Entry]) -> int:
    """The largest number of effects that any one idempotency key had."""
    return max(Counter(call.key for call in calls if call.did is Did.APPLIED).values(), default=0)
