"""Names that do not exist: the one that was probably meant first, then those that do exist."""

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 10


def listed(name: str, there: Iterable[str]) -> str:
    """`: did you mean order-1? There are order-1 and order-2`; goes on after a sentence that says what is not there."""
    names = list(there)
    if not names:
        return ""
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    shown = sorted(names)[:_SHOWN]
    more = len(names) - len(shown)
    words = [*shown, f"{more} more"] if more else shown
    together = " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
    all_of_them = f"there {'is' if len(names) == 1 else 'are'} {together}"
    if close:
        return f": did you mean {close[0]}?" + (f" T{all_of_them[1:]}" if len(names) > 1 else "")
    return f": {all_of_them}"
