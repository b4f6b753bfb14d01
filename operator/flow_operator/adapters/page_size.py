"""How many objects to ask for at once: as many as arrive.

A page that was given up is asked for again at half the size. After pages that came easily twice as many are asked for;
after how many of them grows with each page that made no progress, since such a page costs many seconds.
"""

from dataclasses import dataclass

MOST_OBJECTS = 500
MOST_BYTES = 4 * 1024 * 1024
"""Takes some 40 ms to parse, during which the process does nothing else, and some ten times as much memory."""
MOST_NEEDED = 32


@dataclass(slots=True)
class PageSize:
    """The size of the next page."""

    objects: int = MOST_OBJECTS
    _easy: int = 0
    """Pages in a row that have come easily."""
    _needed: int = 1
    """Of those, until a larger one is tried."""
    _tries: bool = False
    """The next page is the first of its size."""

    @property
    def bytes(self) -> int | None:
        """How large the page may be; a single object may have any size."""
        return MOST_BYTES if self.objects > 1 else None

    def halve(self, *, stalled: bool) -> None:
        """The page was too large, or (stalled) did not come to its end."""
        self.objects = max(1, self.objects // 2)
        self._easy, self._tries = 0, False
        if stalled:
            self._needed = min(2 * self._needed, MOST_NEEDED)

    def came(self, objects: int, bytes: int, ease: float) -> None:
        """A page came. `ease`: how many times slower it could have been."""
        if self._tries:
            self._needed, self._tries = max(1, self._needed // 2), False
        if objects < self.objects or ease < 2 or 2 * bytes > MOST_BYTES:
            self._easy = 0
            return
        self._easy += 1
        if self._easy >= self._needed and self.objects < MOST_OBJECTS:
            self.objects = min(2 * self.objects, MOST_OBJECTS)
            self._easy, self._tries = 0, True
