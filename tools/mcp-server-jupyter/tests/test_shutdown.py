"""However a run ends: code 0, in time, and no process left behind."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from tests.conftest import PATIENCE, Server, http_client, running, until

pytestmark = pytest.mark.anyio

STUBBORN = """
import signal, subprocess, sys, pathlib
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleeper)
subprocess.Popen(sleeper, start_new_session=True)
pathlib.Path({marker!r}).touch()
while True: pass
"""
BUSY = """
import pathlib
pathlib.Path({marker!r}).touch()
while True: pass
"""


class StdioPeer:
    """Speaks JSON-RPC to a server's pipes by hand, to see every byte of its stdout."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.lines: list[bytes] = []

    def send(self, method: str, number: int | None = None, **params: Any) -> None:
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        if number is not None:
            message["id"] = number
        assert self.server.process.stdin is not None
        self.server.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.server.process.stdin.flush()

    def receive(self, number: int) -> Any:
        assert self.server.process.stdout is not None
        while True:
            line = self.server.process.stdout.readline()
            assert line, "the server closed stdout"
            self.lines.append(line)
            message = json.loads(line)
            if message.get("id") == number:
                return message

    def initialize(self) -> None:
        self.send(
            "initialize",
            1,
            protocolVersion="2025-06-18",
            capabilities={},
            clientInfo={"name": "test", "version": "0"},
        )
        assert self.receive(1)["result"]["serverInfo"]["name"] == "mcp-server-jupyter"
        self.send("notifications/initialized")


@contextlib.contextmanager
def stdio_peer(root: Path) -> Iterator[StdioPeer]:
    with running("--root", str(root)) as server:
        peer = StdioPeer(server)
        peer.initialize()
        yield peer


def assert_gone(processes: list[psutil.Process]) -> None:
    left = [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert left == []


@pytest.mark.parametrize(
    ("code", "number"),
    [(BUSY, signal.SIGINT), (STUBBORN, signal.SIGTERM)],
    ids=["busy-SIGINT", "stubborn-SIGTERM"],
)
async def test_signal_over_http_with_a_busy_kernel(tmp_path: Path, code: str, number: int) -> None:
    marker = tmp_path / "running"
    with running("--transport=http", "--port=0", "--root", str(tmp_path)) as server:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_call_and_lose, server.url, code.format(marker=str(marker)))
            await until(marker.exists)
            processes = server.descendants()
            assert len(processes) >= (3 if code is STUBBORN else 1)
            seconds = await anyio.to_thread.run_sync(server.stop, number)
        assert server.process.returncode == 0
        assert seconds < 10
        assert_gone(processes)


async def _call_and_lose(url: str, code: str) -> None:
    """Make a call that the end of the server answers with an error, or not at all."""
    with contextlib.suppress(Exception):
        async with http_client(url, token=None) as client:
            await client.call_tool("execute_code", {"code": code})


async def test_signal_over_stdio_with_a_stubborn_kernel(tmp_path: Path) -> None:
    marker = tmp_path / "running"
    with stdio_peer(tmp_path) as peer:
        code = STUBBORN.format(marker=str(marker))
        peer.send("tools/call", 2, name="execute_code", arguments={"code": code})
        await until(marker.exists)
        processes = peer.server.descendants()
        assert len(processes) >= 3
        seconds = peer.server.stop(signal.SIGTERM)
        assert peer.server.process.returncode == 0
        assert seconds < 10
        assert_gone(processes)


async def test_end_of_stdin_with_a_busy_kernel(tmp_path: Path) -> None:
    marker = tmp_path / "running"
    with stdio_peer(tmp_path) as peer:
        code = BUSY.format(marker=str(marker))
        peer.send("tools/call", 2, name="execute_code", arguments={"code": code})
        await until(marker.exists)
        processes = peer.server.descendants()
        assert peer.server.process.stdin is not None
        peer.server.process.stdin.close()
        assert peer.server.process.wait(PATIENCE) == 0
        assert_gone(processes)


async def test_signal_while_a_kernel_starts(tmp_path: Path) -> None:
    with stdio_peer(tmp_path) as peer:
        peer.send("tools/call", 2, name="start_kernel", arguments={})
        await until(lambda: bool(peer.server.descendants()))
        processes = peer.server.descendants()
        assert peer.server.stop(signal.SIGTERM) < 10
        assert peer.server.process.returncode == 0
        assert_gone(processes)


async def test_idle_http_server_with_an_open_session_stops(tmp_path: Path) -> None:
    with running("--transport=http", "--port=0", "--root", str(tmp_path)) as server:
        async with http_client(server.url, token=None, mode="legacy") as client:
            await client.call_tool("start_kernel", {})
            processes = server.descendants()
            assert await anyio.to_thread.run_sync(server.stop, signal.SIGTERM) < 10
        assert server.process.returncode == 0
        assert_gone(processes)


async def test_nothing_but_protocol_on_stdout(tmp_path: Path) -> None:
    """Kernels write to their own descriptors 1 and 2, subprocesses to theirs; none may reach us."""
    code = (
        "import os, subprocess, sys\n"
        "os.write(1, b'raw one\\n'); os.write(2, b'raw two\\n')\n"
        "subprocess.run([sys.executable, '-c', 'print(\"from a child\")'])\n"
        "sys.__stdout__.write('dunder\\n'); sys.__stdout__.flush()\n"
        "print('printed')"
    )
    with stdio_peer(tmp_path) as peer:
        peer.send("tools/call", 2, name="execute_code", arguments={"code": code})
        result = peer.receive(2)["result"]
        assert any("printed" in block.get("text", "") for block in result["content"])
        assert "structuredContent" not in result
        assert peer.server.process.stdin is not None
        peer.server.process.stdin.write(b"this is no JSON\n\n")
        peer.send("tools/list", 3)
        peer.receive(3)
        peer.server.process.stdin.close()
        rest = peer.server.stdout()
        assert peer.server.process.wait(PATIENCE) == 0
        for line in [*peer.lines, *rest.splitlines()]:
            assert json.loads(line)["jsonrpc"] == "2.0"


async def test_cancelled_call_stops_its_code(tmp_path: Path) -> None:
    marker = tmp_path / "running"
    with stdio_peer(tmp_path) as peer:
        code = BUSY.format(marker=str(marker))
        peer.send("tools/call", 2, name="execute_code", arguments={"code": code})
        await until(marker.exists)
        peer.send("notifications/cancelled", requestId=2, reason="test")
        peer.send("tools/call", 3, name="execute_code", arguments={"code": "6 * 7"})
        head, output = peer.receive(3)["result"]["content"]
        assert head["text"].startswith("[ok, ")
        assert output["text"] == "42"
