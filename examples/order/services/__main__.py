"""Run one service: `python -m examples.order.services payments --journal payments.jsonl`."""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from examples.order.services.catalog import SERVICES
from examples.order.services.service import HOST, serving


def main() -> int:
    """Serve until SIGTERM or SIGINT. Exit code 1: the port is taken."""
    arguments = _arguments()
    port = arguments.port or SERVICES[arguments.service].port
    try:
        asyncio.run(_serve(arguments, port))
    except OSError as error:
        print(f"{arguments.service} cannot listen on {HOST}:{port}: {error.strerror}", flush=True)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m examples.order.services", description=__doc__)
    parser.add_argument("service", choices=sorted(SERVICES))
    parser.add_argument("--port", type=int, help="default: the port that the manifests name")
    parser.add_argument("--pace", type=float, default=0, help="seconds that every call takes at least")
    parser.add_argument("--share-port", action="store_true", help="the port is reserved by a parent (SO_REUSEPORT)")
    parser.add_argument("--journal", type=Path, required=True, help="file that keeps every call, one JSON line each")
    parser.add_argument("--attached", action="store_true", help="end when standard input ends: do not outlive a parent")
    return parser.parse_args()


async def _serve(arguments: argparse.Namespace, port: int) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    name, pace, share_port = arguments.service, arguments.pace, arguments.share_port
    async with serving(name, port, arguments.journal, pace=pace, share_port=share_port):
        print(f"{name} listens on http://{HOST}:{port}", flush=True)
        if arguments.attached:
            loop.add_reader(sys.stdin.fileno(), _end_of_input, stop)
        await stop.wait()


def _end_of_input(stop: asyncio.Event) -> None:
    with contextlib.suppress(BlockingIOError):
        if not os.read(sys.stdin.fileno(), 4096):
            stop.set()


if __name__ == "__main__":
    sys.exit(main())
