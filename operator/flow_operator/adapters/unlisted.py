"""Lists for a watcher that needs to know from where to watch, and nothing else."""

from collections.abc import Callable

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

NOTHING = "metadata.name=-"
"""A field selector: no object can be called so."""


async def unlisted(on_list: Callable[[], None], request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Middleware: a list comes back empty, with the resourceVersion at which the watch begins; then `on_list` is told.

    kopf makes a queue and a task for every object that a list brings, all at once: with thousands of runs more memory
    than everything else. What a list would have brought is found by the comparison that `on_list` asks for, which
    lists later than this and so misses nothing.
    """
    is_list = request.method == "GET" and "watch" not in request.url.query
    if is_list:
        request.url = request.url.update_query(fieldSelector=NOTHING)
    response = await handler(request)
    if is_list and response.ok:
        on_list()
    return response
