"""What counts as flat."""

from tests.soak.gauges import Gauges

WARMING_UP = [60.0, 80.0, 90.0, 95.0]


def found(mib: list[float], files: list[float]) -> list[str]:
    return list(Gauges(pid=0, mib=mib, files=files).findings())


def test_warming_up_is_no_growth() -> None:
    assert found(WARMING_UP + [96.0] * 12, [10.0] * 16) == []


def test_what_grows_is_found() -> None:
    leaking = [90.0 + 2 * number for number in range(16)]
    assert found(leaking, [10.0 + 3 * number for number in range(16)]) == [
        "memory grew from 101 to 117 MiB",
        "open files grew from 26 to 50",
    ]


def test_a_moment_of_many_connections_is_no_growth() -> None:
    assert found([90.0] * 16, [10.0] * 14 + [300.0, 10.0]) == []


def test_where_nothing_can_be_measured_nothing_is_found() -> None:
    assert found([], []) == []
