"""The HTTP application: the MCP endpoint behind its guard, and two pages for health probes.

`/health` and `/ready` need no token and no known Host, because probes of container platforms call
them by address; they tell nothing but the version and whether a kernel could be started.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcp_server_jupyter import __version__
from mcp_server_jupyter.readiness import Readiness
from mcp_server_jupyter.security import Guard, Policy

MCP_PATH = "/mcp"
# A session that had neither a request nor an open stream for this long has been given up by its
# client. Without any limit such sessions would add up until the SDK accepts no new ones.
ABANDONED_SECONDS = 7 * 24 * 3600


def build_app(
    server: MCPServer, readiness: Readiness, policy: Policy, ending: anyio.Event
) -> ASGIApp:
    """Assemble the application; it must be run with its lifespan.

    Setting `ending` closes the streams that clients hold open, which would otherwise outlast every
    attempt to stop the server politely.
    """
    # The guard in front decides about Host and Origin, so the SDK's own check is off.
    inner = server.streamable_http_app(
        streamable_http_path=MCP_PATH,
        session_idle_timeout=ABANDONED_SECONDS,
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )

    async def health(request: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def ready(request: Request) -> Response:
        problem = await readiness.problem()
        if problem is not None:
            return JSONResponse({"status": "unavailable", "reason": problem}, status_code=503)
        return JSONResponse({"status": "ready", "version": __version__})

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with server.session_manager.run():
            yield

    app = Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/ready", ready, methods=["GET"]),
            Route(MCP_PATH, Guard(_EndingStreams(inner, ending), policy)),
        ],
        lifespan=lifespan,
    )
    # Only the paths named here exist; a redirect would repeat whatever Host the caller sent.
    app.router.redirect_slashes = False
    return app


class _EndingStreams:
    """ASGI wrapper that finishes responses early once the server is ending."""

    def __init__(self, app: ASGIApp, ending: anyio.Event) -> None:
        self._app = app
        self._ending = ending

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application until it is done or the server is ending."""
        started = complete = False

        async def watched(message: Message) -> None:
            nonlocal started, complete
            started = started or message["type"] == "http.response.start"
            complete = message["type"] == "http.response.body" and not message.get("more_body")
            await send(message)

        async def cancel_when_ending() -> None:
            await self._ending.wait()
            tasks.cancel_scope.cancel()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel_when_ending)
            await self._app(scope, receive, watched)
            tasks.cancel_scope.cancel()
        if not started:
            await Response(status_code=503)(scope, receive, send)
        elif not complete:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
