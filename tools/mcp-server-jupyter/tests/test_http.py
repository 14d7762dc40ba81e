"""The HTTP face of the running server: health pages, token, Host, Origin, what it listens on."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import psutil
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from mcp_server_jupyter import __version__
from mcp_server_jupyter.readiness import kernel_problem
from tests.conftest import (
    PATIENCE,
    TOKEN,
    Server,
    clean_environment,
    command,
    http_client,
    running,
    text_of,
)

pytestmark = pytest.mark.anyio

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "0"},
    },
}


def get(url: str, **headers: str) -> httpx2.Response:
    return httpx2.get(url, headers=headers, timeout=PATIENCE)


def post(server: Server, **headers: str) -> httpx2.Response:
    usual = {
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {TOKEN}",
    }
    sent = {**usual, **{name.capitalize(): value for name, value in headers.items() if value}}
    if headers.get("authorization") == "":
        del sent["Authorization"]
    return httpx2.post(f"{server.url}/mcp", json=INITIALIZE, headers=sent, timeout=PATIENCE)


def test_health_and_ready_need_no_token_and_no_known_host(shared_server: Server) -> None:
    probe = {"Host": "10.1.2.3:8000"}
    health = get(f"{shared_server.url}/health", **probe)
    assert (health.status_code, health.json()) == (200, {"status": "ok", "version": __version__})
    ready = get(f"{shared_server.url}/ready", **probe)
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


def test_ready_notices_a_kernel_without_its_program(tmp_path: Path) -> None:
    spec = tmp_path / "broken"
    spec.mkdir()
    (spec / "kernel.json").write_text(
        '{"argv": ["/no/such/python", "-m", "x"], "display_name": "b", "language": "python"}'
    )
    problem = kernel_problem(KernelSpecManager(kernel_dirs=[str(tmp_path)]), "broken")
    assert problem is not None
    assert "/no/such/python" in problem


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://localhost:5173"}, 200),
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"host": "evil.example"}, 421),
        ({"origin": "https://evil.example"}, 403),
    ],
)
def test_guard(shared_server: Server, headers: dict[str, str], status: int) -> None:
    response = post(shared_server, **headers)
    assert response.status_code == status
    assert ("WWW-Authenticate" in response.headers) == (status == 401)
    if status != 200:
        assert response.json()["error"]


async def test_client_with_a_wrong_token_fails(shared_server: Server) -> None:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - the SDK wraps it in groups
        async with http_client(shared_server.url, token="wrong") as client:
            await client.list_tools()
    assert not isinstance(caught.value, (KeyboardInterrupt, SystemExit, AssertionError))


def test_other_paths_do_not_exist(shared_server: Server) -> None:
    for path in ("/", "/mcp/", "/docs"):
        assert get(f"{shared_server.url}{path}").status_code == 404


def test_listens_where_asked_and_nowhere_else(shared_server: Server) -> None:
    listening = [
        connection.laddr
        for connection in psutil.Process(shared_server.process.pid).net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert [f"http://{address.ip}:{address.port}" for address in listening] == [shared_server.url]


def test_environment_chooses_host_port_and_kernel_and_ready_says_why_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
    environment = {"MCP_TRANSPORT": "HTTP", "MCP_HOST": "localhost", "PORT": port, "MCP_PORT": "0"}
    with running(LOG_LEVEL="InFo", MCP_KERNEL_NAME="absent", **environment) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert not server.url.endswith(f":{port}")
        assert any("MCP_TOKEN is not set" in line for line in server.log)
        ready = get(f"{server.url}/ready")
        assert ready.status_code == 503
        assert "'absent' is not installed" in ready.json()["reason"]
        assert get(f"{server.url}/health").status_code == 200


async def test_ipv6_loopback_and_no_token_in_any_log() -> None:
    flags = ("--transport=http", "--port=0", "--host=::1")
    with running(*flags, LOG_LEVEL="Debug", MCP_TOKEN=TOKEN) as server:
        assert server.url.startswith("http://[::1]:")
        async with http_client(server.url) as client:
            assert text_of(await client.call_tool("list_kernels", {}))
        post(server)
        assert post(server, authorization="Bearer other-secret").status_code == 401
        server.process.terminate()
        server.process.wait(PATIENCE)
    log = "".join(server.log)
    assert "serving on" in log
    assert TOKEN not in log
    assert "other-secret" not in log


def refused(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "words"),
    [
        (["--transport=http", "--host=0.0.0.0"], {}, 2, ["0.0.0.0", "MCP_TOKEN"]),
        (["--transport=http", "--host=::"], {}, 2, ["::", "MCP_TOKEN"]),
        ([], {"MCP_TRANSPORT": "http", "MCP_HOST": "0.0.0.0"}, 2, ["0.0.0.0", "MCP_TOKEN"]),
        (["--colour"], {}, 2, ["--colour"]),
        ([], {"LOG_LEVEL": "shout"}, 2, ["LOG_LEVEL", "shout"]),
        ([], {"PORT": "eighty"}, 2, ["PORT", "eighty"]),
    ],
)
def test_refusals_before_start(
    arguments: list[str], environment: dict[str, str], code: int, words: list[str]
) -> None:
    outcome = refused(*arguments, **environment)
    assert outcome.returncode == code
    assert outcome.stdout == ""
    for word in words:
        assert word in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = refused("--transport=http", f"--port={port}")
    assert outcome.returncode == 1
    assert f"cannot listen on 127.0.0.1, port {port}" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_version() -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "mcp_server_jupyter", "--version"],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert outcome.stdout == f"mcp-server-jupyter {__version__}\n"
