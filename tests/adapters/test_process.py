"""What the process may use of its machine."""

import resource
from threading import Barrier

from flow_operator.adapters.process import LOOKUPS_AT_ONCE, lookup_threads, raise_file_limit


def test_as_many_files_as_the_machine_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, before[1]), before[1]))
        raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_name_lookups_that_hang_leave_room_for_others() -> None:
    together = Barrier(LOOKUPS_AT_ONCE)
    with lookup_threads() as threads:
        waiting = [threads.submit(together.wait, 10) for _ in range(LOOKUPS_AT_ONCE)]
        assert sorted(each.result() for each in waiting) == list(range(LOOKUPS_AT_ONCE))
