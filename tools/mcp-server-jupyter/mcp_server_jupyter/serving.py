"""Running the server over either transport, and ending it in time.

Whatever ends a run (a signal, the client closing stdin), kernels are shut down and the process
leaves with code 0 within `DEADLINE_SECONDS`, even when something in it hangs.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import os
import signal
import socket
import threading
from collections.abc import Generator, Iterator
from types import FrameType

import anyio
import uvicorn
from mcp.server import MCPServer

from mcp_server_jupyter.errors import StartupError
from mcp_server_jupyter.http_app import MCP_PATH, build_app
from mcp_server_jupyter.kernels import KernelPool
from mcp_server_jupyter.processes import descendants, kill_remaining
from mcp_server_jupyter.readiness import Readiness
from mcp_server_jupyter.security import policy_for
from mcp_server_jupyter.server import build_server
from mcp_server_jupyter.settings import Settings
from mcp_server_jupyter.stdio import StdinLines, serve_stdio

log = logging.getLogger(__name__)

# `docker stop` gives a container 10 seconds before it kills it; this leaves a reserve.
DEADLINE_SECONDS = 8.0
# Once kernels are gone, calls in flight have this long to be answered before streams are closed.
ANSWER_SECONDS = 0.5
# What is still open this long after the server has stopped listening is cut off.
DRAIN_SECONDS = 5
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(settings: Settings, stdout: io.TextIOWrapper) -> None:
    """Serve until told to stop. Raises `StartupError` when the address cannot be used."""
    listener = listen(settings) if settings.transport == "http" else None
    anyio.run(_serve, settings, stdout, listener)


async def _serve(
    settings: Settings, stdout: io.TextIOWrapper, listener: socket.socket | None
) -> None:
    pool = KernelPool(settings.kernel_name, settings.max_kernels, settings.startup_timeout)
    server = build_server(settings, pool)
    stop = Stop()
    with stop.on_signals():
        try:
            if listener is None:
                await _serve_stdio(server, pool, stop, stdout)
            else:
                await _serve_http(settings, server, pool, stop, listener)
        finally:
            stop.begin("the transport has ended")
            with anyio.CancelScope(shield=True):
                await pool.shut_down_all()
    log.info("stopped")


async def _serve_stdio(
    server: MCPServer, pool: KernelPool, stop: Stop, stdout: io.TextIOWrapper
) -> None:
    lines = StdinLines()

    async def end_with_kernels(event: anyio.Event, reason: str) -> None:
        await event.wait()
        stop.begin(reason)
        await pool.shut_down_all()
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end_with_kernels, stop.requested, "asked to stop")
        tasks.start_soon(end_with_kernels, lines.ended, "the client has closed stdin")
        log.info("serving over stdio")
        await serve_stdio(server, lines, stdout)
        tasks.cancel_scope.cancel()


async def _serve_http(
    settings: Settings, server: MCPServer, pool: KernelPool, stop: Stop, listener: socket.socket
) -> None:
    policy = policy_for(settings)
    if settings.token is None:
        log.warning("MCP_TOKEN is not set: every program on this machine can run code here")
    ending = anyio.Event()
    web = _WebServer(
        uvicorn.Config(
            build_app(server, Readiness(pool), policy, ending),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )

    async def end_with_kernels() -> None:
        await stop.requested.wait()
        stop.begin("asked to stop")
        web.should_exit = True
        await pool.shut_down_all()
        await anyio.sleep(ANSWER_SECONDS)
        ending.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end_with_kernels)
        log.info("serving on %s%s", url_of(listener), MCP_PATH)
        await web.serve(sockets=[listener])
        # Ends the task above when the web server stopped by itself.
        stop.requested.set()


class _WebServer(uvicorn.Server):
    """Uvicorn without its signal handling, which would end the process by the signal it caught."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def listen(settings: Settings) -> socket.socket:
    """Bind the one address that was asked for.

    Raises `StartupError` naming address and reason, such as a port that is in use.
    """
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        # A name can have several addresses; IPv4 first is what clients of "localhost" expect.
        family, kind, protocol, _, address = min(found, key=lambda entry: entry[0])
        listener = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except BaseException:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        raise StartupError(
            f"cannot listen on {settings.host}, port {settings.port}: {error}; "
            "choose another --host or --port (0 picks a free port)"
        ) from None
    listener.setblocking(False)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the base URL of a listening socket, with the port it really has."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Stop:
    """The one place that knows the server is ending, and that makes sure it does."""

    def __init__(self) -> None:
        self.requested = anyio.Event()
        self._watchdog: threading.Timer | None = None

    def begin(self, reason: str) -> None:
        """Start the countdown to the forced end; later calls change nothing."""
        if self._watchdog is None:
            log.info("stopping: %s", reason)
            self._watchdog = threading.Timer(DEADLINE_SECONDS, _leave_now)
            self._watchdog.daemon = True
            self._watchdog.start()

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Turn SIGTERM and SIGINT into `requested` while the block runs."""
        loop = asyncio.get_running_loop()

        def request(number: int, frame: FrameType | None) -> None:
            # A signal arrives between two instructions of whatever runs, so the event is only
            # set by the loop itself.
            loop.call_soon_threadsafe(self.requested.set)

        before = {number: signal.signal(number, request) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _leave_now() -> None:
    """End the process at once; runs in the watchdog's thread when the orderly way took too long."""
    log.error("did not stop in %g s; ending by force", DEADLINE_SECONDS)
    kill_remaining(descendants(os.getpid())[1:])
    os._exit(0)
