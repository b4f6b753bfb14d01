"""What this process may use of its machine: files, and threads for what cannot be awaited."""

import resource
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

LOOKUPS_AT_ONCE = 64
"""Names of services looked up at once. With as few as asyncio has, some dead name servers would stop all calls."""
OWN_THREADS = 8
"""Threads for what the operator needs itself, whatever the services' name servers do."""


def raise_file_limit() -> None:
    """As many open files as the machine allows: a call in flight is an open connection, and they are not bounded."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError):  # macOS names a hard limit that it then refuses
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def lookup_threads() -> ThreadPoolExecutor:
    """The threads in which names are looked up, and what else cannot be awaited is done."""
    return ThreadPoolExecutor(LOOKUPS_AT_ONCE + OWN_THREADS, thread_name_prefix="lookup")
