"""The stdio transport: nothing but JSON-RPC ever reaches the real stdout.

`claim_stdout` keeps a private duplicate of stdout for the protocol and points file descriptor 1 at
stderr, so that libraries which print and kernels which inherit the descriptor cannot disturb it.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any, cast

import anyio
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server


def claim_stdout() -> io.TextIOWrapper:
    """Take stdout for the protocol; whatever else writes to stdout from now on goes to stderr."""
    sys.stdout.flush()
    private = os.dup(1)
    os.set_inheritable(private, False)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return io.TextIOWrapper(os.fdopen(private, "wb"), encoding="utf-8", newline="\n")


def _claim_stdin() -> io.BufferedReader:
    """Take stdin for the protocol; whatever else reads from stdin from now on reads nothing."""
    private = os.dup(0)
    os.set_inheritable(private, False)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return os.fdopen(private, "rb")


class StdinLines:
    """Lines of stdin as an asynchronous iterator that can be abandoned at any time.

    The SDK's own reader waits for stdin in a thread that cannot be cancelled, so SIGTERM would not
    end the process until the client wrote something. Here a daemon thread reads, one line ahead.
    """

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue(maxsize=1)
        self._loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._read, args=(_claim_stdin(),), daemon=True)
        thread.start()

    def _read(self, stdin: io.BufferedReader) -> None:
        try:
            for line in stdin:
                self._hand_over(line.decode("utf-8", "replace"))
            self._loop.call_soon_threadsafe(self.ended.set)
            self._hand_over(None)
        except RuntimeError:
            return  # the event loop has ended before stdin did

    def _hand_over(self, line: str | None) -> None:
        asyncio.run_coroutine_threadsafe(self._lines.put(line), self._loop).result()

    async def __aiter__(self) -> AsyncIterator[str]:
        while (line := await self._lines.get()) is not None:
            if line.strip():
                yield line


async def serve_stdio(server: MCPServer, lines: StdinLines, stdout: io.TextIOWrapper) -> None:
    """Serve one client until it closes stdin or the caller is cancelled."""
    # The SDK only iterates over what it is given as stdin, which is all that StdinLines can do.
    stdin = cast(Any, lines)
    lowlevel = server._lowlevel_server
    async with stdio_server(stdin=stdin, stdout=anyio.wrap_file(stdout)) as (incoming, outgoing):
        await lowlevel.run(incoming, outgoing, lowlevel.create_initialization_options())
