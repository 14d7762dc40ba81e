"""Both transports, driven by the SDK's own client: every tool, with real kernels.

Clients differ in which half of a result they show a model; some drop the text of a result that has
structured content. So each result here is also checked for saying everything in either half.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

from mcp_server_jupyter import __version__
from tests.conftest import (
    PATIENCE,
    data_of,
    head_of,
    http_client,
    output_of,
    running,
    stdio_client,
    text_of,
)

pytestmark = pytest.mark.anyio

# What these return is text and images, which structured content could not carry.
CONTENT_TOOLS = {
    *("execute_code", "run_cells", "run_notebook", "open_notebook", "read_notebook", "read_cell"),
}
SHOW = """
import sys
from IPython.display import Image, display
print('on stdout')
print('on stderr', file=sys.stderr)
display(Image(b'\\x89PNG', format='png'))
6 * 7
"""


class Tour:
    """Calls tools and checks that no result can lose information on its way to a model."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.called: set[str] = set()

    async def good(self, tool: str, **arguments: Any) -> Any:
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, text_of(result)
        self.called.add(tool)
        if tool in CONTENT_TOOLS:
            assert result.structured_content is None
        else:
            assert _json_of(result) == data_of(result)
        return result

    async def bad(self, tool: str, **arguments: Any) -> Any:
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error
        assert result.structured_content is None
        return result


def _json_of(result: Any) -> Any:
    """The data a client has that only looks at the text."""
    [block] = result.content
    return json.loads(block.text)


async def _greet(client: Client) -> Tour:
    """See who answers and let it compute something."""
    assert client.server_info is not None
    assert client.server_info.name == "mcp-server-jupyter"
    assert client.server_info.version == __version__
    tour = Tour(client)
    await tour.good("list_kernels")
    result = await tour.good("execute_code", code="print('hello'); 6 * 7")
    assert output_of(result) == "hello\n\n42"
    return tour


async def _use(client: Client) -> None:
    """Call every tool, so that over each transport each kind of result has been seen."""
    tour = await _greet(client)
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert {name for name, tool in tools.items() if tool.output_schema is None} == CONTENT_TOOLS
    await tour.good("list_kernel_specs")
    [kernel] = data_of(await tour.good("list_kernels"))["kernels"]
    await _use_kernel(tour, kernel["kernel_id"])
    await _use_notebook(tour, kernel["kernel_id"], "n.ipynb")
    await tour.good("interrupt_kernel", kernel_id=kernel["kernel_id"])
    await tour.good("shutdown_kernel", kernel_id=kernel["kernel_id"])
    await tour.bad("shutdown_kernel", kernel_id=kernel["kernel_id"])
    started = data_of(await tour.good("start_kernel"))
    await tour.good("restart_kernel", kernel_id=started["kernel_id"])
    assert tour.called == set(tools)


async def _use_kernel(tour: Tour, kernel: str) -> None:
    _assert_shown(await tour.good("execute_code", code=SHOW), f"kernel {kernel}")
    failed = await tour.bad("execute_code", code="print('before'); 1 / 0")
    assert head_of(failed).startswith("[error, execution ")
    assert "before" in output_of(failed)
    assert "ZeroDivisionError: division by zero" in output_of(failed)
    cut = await tour.good("execute_code", code="print('x' * 200_000)")
    assert "characters were left out" in output_of(cut)
    await tour.bad("execute_code", cod="misspelt")


async def _use_notebook(tour: Tour, kernel: str, path: str) -> None:
    await tour.good("open_notebook", path=path, create=True)
    cell = data_of(await tour.good("insert_cell", path=path, source="1"))["cell_id"]
    await tour.good("edit_cell", path=path, cell=cell, source=SHOW)
    second = data_of(await tour.good("insert_cell", path=path, source="1 / 0"))["cell_id"]
    await tour.good("move_cell", path=path, cell=second, position=0)
    failed = await tour.bad("run_notebook", path=path, kernel_id=kernel)
    assert "ZeroDivisionError: division by zero" in output_of(failed)
    await tour.good("delete_cell", path=path, cell=second)
    await tour.bad("delete_cell", path=path, cell=second)
    for tool, more in (("run_cells", {"cells": [cell]}), ("run_notebook", {})):
        ran = await tour.good(tool, path=path, kernel_id=kernel, **more)
        _assert_shown(ran, f"kernel {kernel}", cell)
    _assert_shown(await tour.good("read_cell", path=path, cell=cell), cell)
    full = await tour.good("read_notebook", path=path, detail="full")
    for words in ("on stdout", "on stderr", "[image 1: image/png]", "42", cell):
        assert words in text_of(full)
    assert data_of(await tour.good("list_notebooks"))["notebooks"] == [path]


def _assert_shown(result: Any, *names: str) -> None:
    """Assert that a result has all that `SHOW` prints and shows, and some names."""
    text = text_of(result)
    for words in ("on stdout", "[stderr]\non stderr", "[image 1: image/png]", "42", *names):
        assert words in text
    assert [block.mime_type for block in result.content if block.type == "image"] == ["image/png"]


async def test_stdio(tmp_path: Path) -> None:
    async with stdio_client(tmp_path, mode="legacy") as client:
        await _use(client)


async def test_stdio_with_the_newest_protocol(tmp_path: Path) -> None:
    async with stdio_client(tmp_path, mode="auto") as client:
        await _greet(client)


async def test_http_with_either_protocol(tmp_path: Path) -> None:
    with running("--transport=http", "--port=0", MCP_ALLOWED_ROOT=str(tmp_path)) as server:
        async with http_client(server.url, token=None, mode="legacy") as client:
            await _greet(client)
        async with http_client(server.url, token=None, mode="auto") as client:
            await _use(client)
        assert server.process.poll() is None
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0
        assert server.stdout() == b""
