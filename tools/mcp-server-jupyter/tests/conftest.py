"""Starting the real server process and connecting the SDK's own client to it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
import psutil
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

PROJECT = Path(__file__).resolve().parent.parent
TOKEN = "test-token-0123456789"
# Tests wait for events, never for time; this only bounds how long a broken server can hang one.
PATIENCE = 60


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment of a user who has set nothing for this server."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MCP_") and name not in ("PORT", "LOG_LEVEL")
    }
    return {**kept, "PYTHONPATH": str(PROJECT), **extra}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mcp_server_jupyter", *arguments]


@dataclass
class Server:
    """A running server process whose stderr is collected by a thread."""

    process: subprocess.Popen[bytes]
    log: list[str] = field(default_factory=list)
    url: str = ""
    _url_known: threading.Event = field(default_factory=threading.Event)

    def read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            text = line.decode("utf-8", "replace")
            self.log.append(text)
            found = re.search(r"serving on (\S+)/mcp", text)
            if found:
                self.url = found[1]
                self._url_known.set()
            elif "serving over stdio" in text:
                self._url_known.set()
        self._url_known.set()

    def wait_until_serving(self) -> None:
        assert self._url_known.wait(PATIENCE), "the server did not start"
        assert self.process.poll() is None, "".join(self.log)

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: int) -> float:
        """Send a signal and return how many seconds the process took to end."""
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(PATIENCE)
        return time.monotonic() - begun

    def stdout(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.read()


@contextlib.contextmanager
def running(*arguments: str, **environment: str) -> Iterator[Server]:
    """Run the server for the length of the block; it never outlives it."""
    process = subprocess.Popen(
        command(*arguments),
        env=clean_environment(**environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    server = Server(process)
    reader = threading.Thread(target=server.read_log, daemon=True)
    reader.start()
    try:
        server.wait_until_serving()
        yield server
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reader.join(PATIENCE)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


@contextlib.asynccontextmanager
async def http_client(
    url: str, token: str | None = TOKEN, mode: str = "auto"
) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as web,
        Client(streamable_http_client(f"{url}/mcp", http_client=web), mode=mode) as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def stdio_client(root: Path, *arguments: str, mode: str = "auto") -> AsyncIterator[Client]:
    program, *rest = command("--root", str(root), *arguments)
    parameters = StdioServerParameters(command=program, args=rest, env=clean_environment())
    async with Client(parameters, mode=mode) as client:
        yield client


@pytest.fixture(scope="session")
def shared_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("räume mit leerstelle").resolve()


@pytest.fixture(scope="session")
def shared_server(shared_root: Path) -> Iterator[Server]:
    """One HTTP server for the tests that only call tools; each test uses its own files."""
    with running(
        "--transport", "http", "--port", "0", "--root", str(shared_root), MCP_TOKEN=TOKEN
    ) as server:
        yield server


def text_of(result: Any) -> str:
    """All text of a result."""
    return "\n".join(block.text for block in result.content if block.type == "text")


def head_of(result: Any) -> str:
    """The first block of a result made of content blocks: how it ended."""
    assert result.structured_content is None
    return str(result.content[0].text)


def output_of(result: Any) -> str:
    """The text that follows the first block: what the code produced."""
    assert result.structured_content is None
    return "\n".join(block.text for block in result.content[1:] if block.type == "text")


def data_of(result: Any) -> dict[str, Any]:
    """The structured content of a tool that returns data."""
    assert not result.is_error, text_of(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


def error_of(result: Any) -> tuple[str, str]:
    """The kind and the message of an expected failure."""
    assert result.is_error
    kind, _, message = head_of(result).partition(": ")
    return kind, message


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    with anyio.fail_after(PATIENCE):
        while not condition():
            await anyio.sleep(0.02)
