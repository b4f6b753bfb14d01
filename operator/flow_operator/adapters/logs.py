"""Logs to stderr, one line per record: JSON for machines, text for people."""

import json
import logging
import sys
import time
from typing import Literal, TextIO

NOISY = ("kopf", "aiohttp", "asyncio")
"""Libraries that tell of everything that goes well."""

KOPF, AWAY = "kopf.", "Request attempt "
"""What kopf calls an error when a request of it fails is the API server being away: it, or the supervisor, begins anew.
It says so in the name of whoever made the request."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON; a traceback is one of its fields, and so is what `extra={"fields": …}` gives."""

    def format(self, record: logging.LogRecord) -> str:
        """That line."""
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _as_a_warning(record: logging.LogRecord) -> bool:
    """Make a warning of what is mended without anybody, and drop it where warnings are not wanted."""
    if record.levelno == logging.ERROR and record.name.startswith(KOPF) and record.getMessage().startswith(AWAY):
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    return record.levelno >= logging.getLogger().level


def configure(form: Literal["json", "text"], level: str, stream: TextIO = sys.stderr) -> None:
    """Log in this form from this level on, for the whole process."""
    handler = logging.StreamHandler(stream)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    formatter = JsonLines() if form == "json" else text
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(_as_a_warning)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
