"""What stops a command of `kubectl flow`, told to the person in one line and as exit code 2.

Cannot                 it cannot be done, and trying again does not help
├── NotThere           what it is about does not exist
├── Forbidden          the person may not do it
├── Unreadable         the object is none that this version understands (view.py)
└── Unreachable        the API server did not answer; it may soon
Expired                a watch is too old to go on: read again (never seen by a person)
"""


class Cannot(Exception):
    """What was asked for cannot be done; the message says why, and the way out."""


class NotThere(Cannot):
    """What it is about does not exist."""


class Forbidden(Cannot):
    """The credentials do not permit it."""


class Unreachable(Cannot):
    """The API server did not answer."""


class Expired(Exception):
    """The API server no longer knows the version that a watch was to go on from."""
