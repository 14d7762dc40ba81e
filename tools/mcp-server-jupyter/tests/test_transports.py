"""Both transports, driven by the SDK's own client, with real kernels."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp import Client

from mcp_server_jupyter import __version__
from tests.conftest import (
    PATIENCE,
    http_client,
    running,
    stdio_client,
    text_of,
)

pytestmark = pytest.mark.anyio


async def _use(client: Client) -> None:
    assert client.server_info is not None
    assert client.server_info.name == "mcp-server-jupyter"
    assert client.server_info.version == __version__
    listed = await client.call_tool("list_kernels", {})
    assert isinstance(listed.structured_content, dict)
    result = await client.call_tool("execute_code", {"code": "print('hello'); 6 * 7"})
    assert not result.is_error
    assert "hello" in text_of(result)
    assert "42" in text_of(result)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_stdio(tmp_path: Path, mode: str) -> None:
    async with stdio_client(tmp_path, mode=mode) as client:
        await _use(client)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_http(tmp_path: Path, mode: str) -> None:
    with running("--transport=http", "--port=0", MCP_ALLOWED_ROOT=str(tmp_path)) as server:
        async with http_client(server.url, token=None, mode=mode) as client:
            await _use(client)
        assert server.process.poll() is None
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0
        assert server.stdout() == b""
