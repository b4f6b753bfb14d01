"""One line per record, whatever is in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from flow_operator.adapters import logs


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    """Leave the logging of the tests as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    noisy = {name: logging.getLogger(name).level for name in logs.NOISY}
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
    for name, was in noisy.items():
        logging.getLogger(name).setLevel(was)


def test_json_has_the_fields_of_a_record() -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    fields = {"run": "shop/order-1", "reason": "RunFailed"}
    logging.getLogger("flow_operator.x").info("failed", extra={"fields": fields})
    assert json.loads(stream.getvalue()).items() >= fields.items()


def test_json_is_one_line_with_the_traceback_in_it() -> None:
    stream = io.StringIO()
    logs.configure("json", "info", stream)
    try:
        raise ValueError("no\nway")
    except ValueError:
        logging.getLogger("flow_operator.x").exception("run %s failed\nbadly", "shop/run")
    [line] = stream.getvalue().splitlines()
    record = json.loads(line)
    assert record["level"] == "error"
    assert record["logger"] == "flow_operator.x"
    assert record["message"] == "run shop/run failed\nbadly"
    assert "ValueError" in record["traceback"]
    assert record["time"].endswith("Z")


def test_text_is_for_people() -> None:
    stream = io.StringIO()
    logs.configure("text", "warning", stream)
    logging.getLogger("flow_operator").info("not this")
    logging.getLogger("flow_operator").warning("this")
    assert stream.getvalue().endswith("WARNING flow_operator: this\n")


def test_libraries_are_silent_about_what_goes_well() -> None:
    stream = io.StringIO()
    logs.configure("json", "debug", stream)
    logging.getLogger("kopf.objects").info("Handler succeeded.")
    logging.getLogger("kopf.objects").warning("this matters")
    assert len(stream.getvalue().splitlines()) == 1


def test_an_api_server_that_is_away_is_no_error() -> None:
    stream = io.StringIO()
    logs.configure("text", "warning", stream)
    logging.getLogger("kopf._cogs.clients.watching").error("Request attempt #1 failed; will retry")
    logging.getLogger("kopf._core.reactor.observation").error("Request attempt #1 failed; will retry")
    logging.getLogger("kopf.objects").error("a handler failed")
    away, also_away, failed = stream.getvalue().splitlines()
    assert "WARNING kopf._cogs.clients.watching" in away
    assert "WARNING kopf._core.reactor.observation" in also_away
    assert "ERROR   kopf.objects" in failed


def test_nor_is_it_told_to_those_who_want_errors_only() -> None:
    stream = io.StringIO()
    logs.configure("text", "error", stream)
    logging.getLogger("kopf._cogs.clients.watching").error("Request attempt #1 failed; will retry")
    assert stream.getvalue() == ""
